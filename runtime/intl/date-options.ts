/** What of a date is shown: options of Intl.DateTimeFormat (ECMA-402 11.1.2), with those of styles as components. */
import { whole, word } from './locale.ts'

export type HourCycle = 'h11' | 'h12' | 'h23' | 'h24'

export interface Components {
  readonly weekday?: 'narrow' | 'short' | 'long'
  readonly era?: 'narrow' | 'short' | 'long'
  readonly year?: '2-digit' | 'numeric'
  readonly month?: '2-digit' | 'numeric' | 'narrow' | 'short' | 'long'
  readonly day?: '2-digit' | 'numeric'
  readonly hour?: '2-digit' | 'numeric'
  readonly minute?: '2-digit' | 'numeric'
  readonly second?: '2-digit' | 'numeric'
  readonly fractionalSecondDigits?: number
  readonly timeZoneName?: 'short' | 'long' | 'shortOffset' | 'longOffset' | 'shortGeneric' | 'longGeneric'
  readonly hourCycle: HourCycle
  readonly dateStyle?: Style
  readonly timeStyle?: Style
}

type Style = 'full' | 'long' | 'medium' | 'short'

const styles = ['full', 'long', 'medium', 'short'] as const
const texts = ['narrow', 'short', 'long'] as const
const numbers = ['2-digit', 'numeric'] as const
const cycles = ['h11', 'h12', 'h23', 'h24'] as const

const dateStyles: Readonly<Record<Style, Partial<Components>>> = {
  full: { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' },
  long: { month: 'long', day: 'numeric', year: 'numeric' },
  medium: { month: 'short', day: 'numeric', year: 'numeric' },
  short: { month: 'numeric', day: 'numeric', year: '2-digit' },
}
const timeStyles: Readonly<Record<Style, Partial<Components>>> = {
  full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' },
  long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
  medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
  short: { hour: 'numeric', minute: '2-digit' },
}

export function componentsOf(
  options: any,
  required: 'date' | 'time' | 'all' | 'any',
  defaults: 'date' | 'time' | 'all',
  localeCycle: string | undefined,
): Components {
  if (options.dayPeriod !== undefined) throw new RangeError('Intl: dayPeriod is not there in xen-ts: leave it out, hours have AM and PM')
  for (const name of ['calendar', 'numberingSystem']) {
    const value = options[name]
    if (value !== undefined && value !== 'gregory' && value !== 'latn' && value !== 'iso8601')
      throw new RangeError(`Intl: ${name} ${JSON.stringify(String(value))} is not there in xen-ts, which has gregory and latn`)
  }
  const cycle = word(options, 'hourCycle', cycles)
  const found = {
    weekday: word(options, 'weekday', texts),
    era: word(options, 'era', texts),
    year: word(options, 'year', numbers),
    month: word(options, 'month', ['2-digit', 'numeric', 'narrow', 'short', 'long']),
    day: word(options, 'day', numbers),
    hour: word(options, 'hour', numbers),
    minute: word(options, 'minute', numbers),
    second: word(options, 'second', numbers),
    fractionalSecondDigits: whole(options, 'fractionalSecondDigits', 1, 3),
    timeZoneName: word(options, 'timeZoneName', ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric']),
  }
  const given = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<Components>
  const dateStyle = word(options, 'dateStyle', styles)
  const timeStyle = word(options, 'timeStyle', styles)
  const hourCycle = options.hour12 === undefined ? (cycle ?? localeCycleOf(localeCycle)) : options.hour12 ? 'h12' : 'h23'
  if (dateStyle === undefined && timeStyle === undefined) return { ...given, ...defaultsOf(given, required, defaults), hourCycle }
  const first = Object.keys(given)[0]
  if (first !== undefined) throw new TypeError(`Intl: ${first} cannot stand beside dateStyle or timeStyle: take one of them`)
  if ((required === 'date' && timeStyle !== undefined) || (required === 'time' && dateStyle !== undefined))
    throw new TypeError(`Intl: ${required === 'date' ? 'timeStyle' : 'dateStyle'} is not for this method: take toLocaleString`)
  return {
    ...(dateStyle && dateStyles[dateStyle]),
    ...(timeStyle && timeStyles[timeStyle]),
    hourCycle,
    ...(dateStyle && { dateStyle }),
    ...(timeStyle && { timeStyle }),
  }
}

const localeCycleOf = (text: string | undefined): HourCycle => cycles.find(cycle => cycle === text) ?? 'h12'

function defaultsOf(given: Partial<Components>, required: string, defaults: string): Partial<Components> {
  const hasDate = given.weekday !== undefined || given.year !== undefined || given.month !== undefined || given.day !== undefined
  const hasTime =
    given.hour !== undefined || given.minute !== undefined || given.second !== undefined || given.fractionalSecondDigits !== undefined
  const isEnough = (required !== 'time' && hasDate) || (required !== 'date' && hasTime)
  if (isEnough) return {}
  return {
    ...(defaults !== 'time' && ({ year: 'numeric', month: 'numeric', day: 'numeric' } as const)),
    ...(defaults !== 'date' && ({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const)),
  }
}

/** For resolvedOptions. */
export function resolvedComponents({ hourCycle, dateStyle, timeStyle, ...components }: Components): Record<string, unknown> {
  const clock = components.hour === undefined ? {} : { hourCycle, hour12: hourCycle === 'h12' || hourCycle === 'h11' }
  if (dateStyle !== undefined || timeStyle !== undefined)
    return { ...clock, ...(dateStyle && { dateStyle }), ...(timeStyle && { timeStyle }) }
  // Beside others these have two digits in English.
  const { minute, second, hour } = components
  return {
    ...clock,
    ...components,
    ...(minute !== undefined && (hour !== undefined || second !== undefined) && { minute: '2-digit' }),
    ...(second !== undefined && minute !== undefined && { second: '2-digit' }),
  }
}
