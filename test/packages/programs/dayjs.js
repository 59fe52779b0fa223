// format, add, diff, plugins utc, relativeTime, customParseFormat, duration, isoWeek
import dayjs from 'dayjs'
import customParseFormat from 'dayjs/plugin/customParseFormat.js'
import duration from 'dayjs/plugin/duration.js'
import isoWeek from 'dayjs/plugin/isoWeek.js'
import relativeTime from 'dayjs/plugin/relativeTime.js'
import utc from 'dayjs/plugin/utc.js'

export default async say => {
  for (const plugin of [customParseFormat, duration, isoWeek, relativeTime, utc]) dayjs.extend(plugin)
  const day = dayjs.utc('2026-02-28T12:34:56Z')
  say([day.format('YYYY-MM-DD HH:mm:ss'), day.format('dddd, D MMMM'), day.add(1, 'month').toISOString(), day.isoWeek()])
  say([day.diff('2026-01-01', 'day'), day.from(dayjs.utc('2026-03-15')), day.startOf('week').format()])
  say([
    dayjs.utc('03.04.2026', 'DD.MM.YYYY').toISOString(),
    dayjs.duration(5400, 's').humanize(),
    dayjs.duration({ hours: 1 }).toISOString(),
  ])
}
