// format, parse, add, differences, intervals
import {
  add,
  differenceInCalendarDays,
  eachDayOfInterval,
  format,
  formatDistance,
  getISOWeek,
  isValid,
  parse,
  parseISO,
  startOfMonth,
} from 'date-fns'
import { de } from 'date-fns/locale'

export default async say => {
  const day = parseISO('2026-02-28T12:34:56Z')
  say([format(day, 'yyyy-MM-dd HH:mm:ss'), format(day, 'EEEE, do MMMM yyyy'), format(day, 'PPPP', { locale: de })])
  say(add(day, { days: 1, hours: 2 }).toISOString())
  say([differenceInCalendarDays(new Date('2026-12-24'), day), getISOWeek(day), startOfMonth(day).getDate()])
  say(formatDistance(day, new Date('2026-03-15T00:00:00Z'), { addSuffix: true }))
  say(eachDayOfInterval({ start: day, end: add(day, { days: 2 }) }).map(one => format(one, 'd.M.')))
  say([parse('03/04/2026', 'dd/MM/yyyy', new Date(0)).toISOString(), isValid(parse('x', 'yyyy', new Date(0)))])
}
