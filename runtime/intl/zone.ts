/** Time zones: how far their clocks are from UTC at a time, by the IANA database (zones.build.ts has its form). */
import { zones } from './zones.build.ts'

const DAY = 86_400_000
const MINUTE = 60_000
const QUARTER = 15 * MINUTE
/** Of the database here: earlier times have the offset of then. */
const FIRST = Date.UTC(2000, 0)

interface Change {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Minutes east of UTC, from then on. */
  readonly offset: number
}

/** A yearly change: the first such weekday on or after a day of a month, and the minute of the day on the clock before it. */
interface Yearly {
  readonly day: number
  readonly month: number
  readonly weekday: number
  readonly minute: number
  readonly offset: number
}

export class Zone {
  readonly name: string
  readonly #first: number
  readonly #changes: readonly Change[]
  /** Of the years after the changes; none or two. */
  readonly #yearly: readonly Yearly[]
  /** What was found last, and until when it holds. */
  #from = 0
  #until = 0
  #offset = 0

  constructor(name: string, first: number, changes: readonly Change[] = [], yearly: readonly Yearly[] = []) {
    this.name = name
    this.#first = first
    this.#changes = changes
    this.#yearly = yearly
  }

  /** Minutes east of UTC. @param time milliseconds since 1970 */
  offset(time: number): number {
    if (time >= this.#from && time < this.#until) return this.#offset
    let [from, until, offset] = [-Infinity, Infinity, this.#first]
    for (const change of this.#around(time)) {
      if (change.at > time) {
        until = change.at
        break
      }
      ;({ at: from, offset } = change)
    }
    this.#from = from
    this.#until = until
    this.#offset = offset
    return offset
  }

  /** Whether clocks are further ahead than at another time of the year. */
  isSummer(time: number): boolean {
    const year = new Date(time).getUTCFullYear()
    return this.offset(time) > Math.min(this.offset(Date.UTC(year, 0, 15)), this.offset(Date.UTC(year, 6, 15)))
  }

  /** Changes before and after a time, in their order. */
  #around(time: number): readonly Change[] {
    const last = this.#changes.at(-1)
    if (this.#yearly.length === 0 || (last !== undefined && time < last.at)) return this.#changes
    const year = new Date(time).getUTCFullYear()
    let before = last?.offset ?? this.#first
    const found = last === undefined ? [] : [last]
    for (const y of [year - 1, year, year + 1]) {
      for (const one of this.#yearly) {
        const at = dayOf(one, y) + (one.minute - before) * MINUTE
        if (last !== undefined && at <= last.at) continue
        found.push({ at, offset: one.offset })
        before = one.offset
      }
    }
    return found
  }
}

/** Milliseconds since 1970 of the day's beginning. */
function dayOf({ day, month, weekday }: Yearly, year: number): number {
  const first = Date.UTC(year, month, day)
  return first + ((weekday - new Date(first).getUTCDay() + 7) % 7) * DAY
}

const known = new Map<string, Zone>()

/** The zone of that name, in any case, or of an offset such as `+05:30`. Undefined when there is none. */
export function zoneOf(text: string): Zone | undefined {
  const found = known.get(text)
  if (found !== undefined) return found
  const zone = utc.test(text) ? new Zone('UTC', 0) : (fixed(text) ?? named(text))
  if (zone !== undefined) known.set(text, zone)
  return zone
}

const utc = /^(?:Etc\/)?(?:UTC|GMT|UCT|Zulu|Universal|Greenwich|GMT[+-]?0)$/i

/** ECMA-262 21.4.1.33: IsTimeZoneOffsetString. */
function fixed(text: string): Zone | undefined {
  const [, sign, hours, minutes = '00'] = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/.exec(text) ?? []
  if (sign === undefined) return undefined
  const offset = Number(hours) * 60 + Number(minutes)
  return new Zone(`${offset === 0 ? '+' : sign}${hours}:${minutes}`, sign === '-' ? -offset : offset)
}

function named(text: string): Zone | undefined {
  if (!/^[A-Za-z][\w+/-]*$/.test(text)) return undefined
  const [, name, line] = new RegExp(`\n(${text.replaceAll('+', '\\+')})=(.*)\n`, 'i').exec(zones) ?? []
  if (line === undefined) return undefined
  const [periods, yearly] = lineOf(line).split(';')
  const [first, ...changes] = periods.split(' ')
  let at = FIRST
  return new Zone(
    name,
    Number(first) * 15,
    changes.map(change => {
      const [later, offset] = change.split(':')
      at += Number.parseInt(later, 36) * QUARTER
      return { at, offset: Number(offset) * 15 }
    }),
    yearly === '' ? [] : yearlyOf(yearly.split(',').map(Number)),
  )
}

/** Through other names. */
function lineOf(line: string): string {
  let found = line
  while (found.startsWith('>')) {
    const at = zones.indexOf(`\n${found.slice(1)}=`)
    const begin = zones.indexOf('=', at) + 1
    found = zones.slice(begin, zones.indexOf('\n', begin))
  }
  return found
}

const yearlyOf = (numbers: readonly number[]): Yearly[] =>
  [0, 5].map(i => {
    const [day, month, weekday, minute, offset] = numbers.slice(i)
    return { day, month, weekday, minute, offset: offset * 15 }
  })

/** All names but those that are other names of the same zone. */
export const zoneNames = (): string[] => Array.from(zones.matchAll(/\n(\w+\/[^=\n]+)=/g), ([, name]) => name)
