/** Dates as texts: the order of English (US), by CLDR's patterns for it. */
import type { Components } from './date-options.ts'
import type { Part } from './locale.ts'
import type { Zone } from './zone.ts'
import { zoneText } from './zone-text.ts'

const MINUTE = 60_000

const months = 'January February March April May June July August September October November December'.split(' ')
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const eras = { narrow: ['B', 'A'], short: ['BC', 'AD'], long: ['Before Christ', 'Anno Domini'] } as const

const name = (names: readonly string[], i: number, length: 'narrow' | 'short' | 'long'): string =>
  length === 'long' ? names[i] : names[i].slice(0, length === 'short' ? 3 : 1)

const literal = (value: string): Part => ({ type: 'literal', value })
const number = (type: string, value: number, width: string | undefined): Part => ({
  type,
  value: width === '2-digit' ? String(value % 100).padStart(2, '0') : String(value),
})

/** With a text between those that are not empty. */
function joined(groups: readonly (readonly Part[])[], between: string): Part[] {
  return groups.filter(group => group.length > 0).flatMap((group, i) => (i === 0 ? group : [literal(between), ...group]))
}

/** @param time milliseconds since 1970 */
export function partsOf(time: number, zone: Zone, components: Components): Part[] {
  const shifted = new Date(time + zone.offset(time) * MINUTE)
  const date = dateParts(shifted, components)
  const clock = clockParts(shifted, components)
  const name = components.timeZoneName
  const zoneName = name === undefined ? [] : [{ type: 'timeZoneName', value: zoneText(zone, time, name) }]
  const { month, weekday, day, year } = components
  const isWeekdayAlone =
    components.hour !== undefined && weekday !== undefined && month === undefined && day === undefined && year === undefined
  if (clock.length === 0) return joined([date, zoneName], ', ')
  return joined([date, joined([clock, zoneName], ' ')], month === 'long' ? ' at ' : isWeekdayAlone ? ' ' : ', ')
}

function dateParts(date: Date, { weekday, era, year, month, day }: Components): Part[] {
  const y = date.getUTCFullYear()
  const yearPart = year && number('year', y > 0 ? y : 1 - y, year)
  const dayPart = day && number('day', date.getUTCDate(), day)
  const weekdayPart = weekday && { type: 'weekday', value: name(weekdays, date.getUTCDay(), weekday) }
  const eraPart = era && { type: 'era', value: eras[era][y > 0 ? 1 : 0] }
  const isNumeric = month === undefined || month === 'numeric' || month === '2-digit'
  const monthPart =
    month &&
    (isNumeric
      ? number('month', date.getUTCMonth() + 1, month)
      : { type: 'month', value: name(months, date.getUTCMonth(), month as 'short') })
  const some = (...parts: (Part | '' | undefined)[]): Part[][] => parts.flatMap(part => (part ? [[part]] : []))
  if (weekdayPart && !dayPart) return joined([dateParts(date, { era, year, month, hourCycle: 'h23' }), [weekdayPart]], ' ')
  if (weekdayPart && !monthPart && !yearPart) return joined(some(dayPart, weekdayPart), ' ')
  if (isNumeric) {
    const numbers = joined(some(monthPart, dayPart, yearPart), '/')
    const isAlone = !monthPart && !dayPart
    return joined([...some(weekdayPart), joined([numbers, ...some(eraPart)], ' ')], isAlone ? ' ' : ', ')
  }
  const monthAndDay = joined(some(monthPart, dayPart), ' ')
  const dayAndYear = joined([monthAndDay, ...some(yearPart)], dayPart ? ', ' : ' ')
  return joined([...some(weekdayPart), joined([dayAndYear, ...some(eraPart)], ' ')], ', ')
}

function clockParts(date: Date, { hour, minute, second, fractionalSecondDigits, hourCycle }: Components): Part[] {
  const h = date.getUTCHours()
  const isHalf = hourCycle === 'h12' || hourCycle === 'h11'
  const shown = hourCycle === 'h12' ? h % 12 || 12 : hourCycle === 'h11' ? h % 12 : hourCycle === 'h24' ? h || 24 : h
  // What follows hours or minutes has two digits, and so have hours of a day of 24; minutes and seconds alone never do.
  const two = (width: string, isTwo: boolean) => (isTwo ? '2-digit' : width)
  const parts: Part[] = []
  if (hour) parts.push(number('hour', shown, two(hour, !isHalf)))
  if (minute) {
    if (hour) parts.push(literal(':'))
    parts.push(number('minute', date.getUTCMinutes(), two('numeric', hour !== undefined || second !== undefined)))
  }
  if (second) {
    if (parts.length > 0) parts.push(literal(':'))
    parts.push(number('second', date.getUTCSeconds(), two('numeric', minute !== undefined)))
  }
  if (fractionalSecondDigits !== undefined) {
    if (second) parts.push(literal('.'))
    parts.push({ type: 'fractionalSecond', value: String(date.getUTCMilliseconds()).padStart(3, '0').slice(0, fractionalSecondDigits) })
  }
  if (hour && isHalf) parts.push(literal('\u202f'), { type: 'dayPeriod', value: h < 12 ? 'AM' : 'PM' })
  return parts
}
