/**
 * The IANA time zone database, from 2000 on, as a text that zone.ts reads where a zone is asked for. It runs while a program is built: an image
 * has this text, not the package.
 *
 * A line for each zone: its name, `=`, its first offset from UTC in quarters of an hour, the changes until the rule of our days, `;` and that
 * rule. A change is a number in base 36, how many quarters of an hour after the one before (the first: after the
 * year 2000 began), `:`, and the offset from
 * then on. The rule, where there is one, is two yearly changes: day of the month on or after which, month, weekday, minute of the day on the clock
 * before it, offset. A zone that is like another one since 2000 has `>` and its name.
 */
import data from 'moment-timezone/data/packed/latest.json' with { type: 'json' }

const QUARTER = 15
/** Minutes since 1970: what was before 2000 would be as large again. */
const FIRST = Date.UTC(2000, 0) / 60_000
/** Of these years the rule is taken: the days of the week come round in 28. */
const RULE_FROM = 2037
const RULE_TO = 2065

interface Change {
  /** Minutes since 1970, UTC. */
  readonly at: number
  /** Minutes east of UTC. */
  readonly offset: number
}

/** Numbers of the package: base 60, with minutes and a fraction of them. */
function base60(text: string): number {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX'
  const isNegative = text.startsWith('-')
  const [whole, fraction = ''] = text.replace('-', '').split('.')
  let value = 0
  for (const digit of whole) value = value * 60 + digits.indexOf(digit)
  for (const [i, digit] of [...fraction].entries()) value += digits.indexOf(digit) / 60 ** (i + 1)
  return isNegative ? -value : value
}

function unpack(packed: string): { name: string; first: number; changes: Change[] } {
  const [name, , offsetList, indices, differences = ''] = packed.split('|')
  const offsets = offsetList.split(' ').map(base60)
  let at = 0
  const untils = differences
    .split(' ')
    .filter(text => text !== '')
    .map(text => (at += base60(text)))
  const periods = [...indices].map((index, i) => ({
    offset: Math.round(-offsets[base60(index)] / QUARTER) * QUARTER,
    from: untils[i - 1] ?? -Infinity,
  }))
  const first = periods.findLast(({ from }) => from <= FIRST)!.offset
  const changes = periods
    .filter(({ from }, i) => from > FIRST && periods[i - 1].offset !== periods[i].offset)
    .map(({ from, offset }) => ({ at: Math.round(from / QUARTER) * QUARTER, offset }))
  return { name, first, changes }
}

interface Day {
  readonly year: number
  readonly day: number
  /** Month, weekday, minute of the day on the clock before it, offset. */
  readonly rest: readonly [number, number, number, number]
}

function dayOf({ at, offset }: Change, before: number): Day {
  const wall = new Date((at + before) * 60_000)
  const minute = wall.getUTCHours() * 60 + wall.getUTCMinutes()
  return { year: wall.getUTCFullYear(), day: wall.getUTCDate(), rest: [wall.getUTCMonth(), wall.getUTCDay(), minute, offset / QUARTER] }
}

/** The two yearly changes of our days, and the first change that they are right for. */
function ruleOf(first: number, changes: readonly Change[]): { rule: string; from: number } {
  const days = changes.map((change, i) => dayOf(change, changes[i - 1]?.offset ?? first))
  const ofRule = [0, 1].map(i => days.filter(({ year }) => year >= RULE_FROM && year < RULE_TO).filter((_, n) => n % 2 === i))
  const pair = ofRule.map(found => ({ least: Math.min(...found.map(({ day }) => day)), rest: found[0]?.rest.join() }))
  const isOf = (one: Day, { least, rest }: (typeof pair)[number]) => one.rest.join() === rest && one.day >= least && one.day < least + 7
  const isWhole = ofRule.every((found, i) => found.length === RULE_TO - RULE_FROM && found.every(day => isOf(day, pair[i])))
  if (!isWhole) return { rule: '', from: days.findLastIndex(({ year }) => year < RULE_TO) + 1 }
  let from = days.findIndex(({ year }) => year === RULE_FROM)
  // The second of a year, and the first of the same.
  for (let i = 1; from > 1 && days[from].year - days[from - 1].year === i && isOf(days[from - 1], pair[i]); i = 1 - i) from--
  return { rule: pair.map(({ least, rest }) => `${least},${rest}`).join(), from }
}

function line(packed: string): [name: string, text: string] {
  const { name, first, changes } = unpack(packed)
  const { rule, from } = ruleOf(first, changes)
  let last = FIRST
  // The rule begins with the last of these.
  const shown = changes.slice(0, from + 1).map(({ at, offset }) => {
    const text = `${((at - last) / QUARTER).toString(36)}:${offset / QUARTER}`
    last = at
    return text
  })
  return [name, `${[first / QUARTER, ...shown].join(' ')};${rule}`]
}

function table(): string {
  const names = new Map<string, string>()
  const lines: [string, string][] = []
  for (const packed of data.zones) {
    const [name, text] = line(packed)
    const other = names.get(text)
    if (other === undefined) names.set(text, name)
    lines.push([name, other === undefined ? text : `>${other}`])
  }
  for (const link of data.links) {
    const [target, name] = link.split('|')
    lines.push([name, `>${target}`])
  }
  return `\n${lines.map(([name, text]) => `${name}=${text}`).join('\n')}\n`
}

export const zones: string = table()
