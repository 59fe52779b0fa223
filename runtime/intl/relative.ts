/** Intl.RelativeTimeFormat for English: ECMA-402 18, with the texts of CLDR. */
import { canonicalLocales, type Locales, optionsOf, type Part, supportedLocales, takenLocale, textOf, word } from './locale.ts'
import { NumberFormat } from './number.ts'
import { PluralRules } from './plural.ts'

const units = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const
type Unit = (typeof units)[number]

/** Of one, and of others where it differs; narrow ones have no space before them. */
const short: Readonly<Record<Unit, readonly [string, string]>> = {
  second: ['sec.', 'sec.'],
  minute: ['min.', 'min.'],
  hour: ['hr.', 'hr.'],
  day: ['day', 'days'],
  week: ['wk.', 'wk.'],
  month: ['mo.', 'mo.'],
  quarter: ['qtr.', 'qtrs.'],
  year: ['yr.', 'yr.'],
}
const narrow: Readonly<Record<Unit, string>> = {
  second: 's',
  minute: 'm',
  hour: 'h',
  day: 'd',
  week: 'w',
  month: 'mo',
  quarter: 'q',
  year: 'y',
}

export class RelativeTimeFormat {
  readonly #locale: string
  readonly #style: 'long' | 'short' | 'narrow'
  readonly #numeric: 'always' | 'auto'
  readonly #number: NumberFormat
  readonly #plural: PluralRules

  constructor(locales?: Locales, given?: unknown) {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#style = word(options, 'style', ['long', 'short', 'narrow'], 'long')
    this.#numeric = word(options, 'numeric', ['always', 'auto'], 'always')
    this.#number = new NumberFormat(locales)
    this.#plural = new PluralRules(locales)
  }

  format(value: number, unit: string): string {
    return textOf(this.formatToParts(value, unit))
  }

  formatToParts(given: number, unitName: string): (Part & { unit?: string })[] {
    const value = Number(given)
    const unit = String(unitName).replace(/s$/, '') as Unit
    if (!units.includes(unit)) throw new RangeError(`Intl: unit ${JSON.stringify(unitName)} is not known: it must be ${units.join(', ')}`)
    if (!Number.isFinite(value)) throw new RangeError(`Intl: the value must be a finite number, not ${value}`)
    const named = this.#numeric === 'auto' ? this.#name(value, unit) : undefined
    if (named !== undefined) return [{ type: 'literal', value: named }]
    const isPast = value < 0 || Object.is(value, -0)
    const amount = Math.abs(value)
    const number = this.#number.formatToParts(amount).map(part => ({ ...part, unit }))
    const text = this.#unitText(unit, this.#plural.select(amount) === 'one')
    return isPast
      ? [...number, { type: 'literal', value: `${text} ago` }]
      : [{ type: 'literal', value: 'in ' }, ...number, { type: 'literal', value: text }]
  }

  #unitText(unit: Unit, isOne: boolean): string {
    if (this.#style === 'narrow') return narrow[unit]
    if (this.#style === 'short') return ` ${short[unit][isOne ? 0 : 1]}`
    return ` ${unit}${isOne ? '' : 's'}`
  }

  #name(value: number, unit: Unit): string | undefined {
    if (unit === 'second') return value === 0 ? 'now' : undefined
    if (unit === 'day' && Math.abs(value) <= 1) return value === 0 ? 'today' : value > 0 ? 'tomorrow' : 'yesterday'
    const text = this.#style === 'long' || unit === 'minute' || unit === 'hour' ? unit : short[unit][0]
    if (value === 0) return `this ${unit === 'minute' || unit === 'hour' ? unit : text}`
    if (unit === 'minute' || unit === 'hour' || Math.abs(value) !== 1) return undefined
    return `${value > 0 ? 'next' : 'last'} ${text}`
  }

  resolvedOptions(): Record<string, unknown> {
    return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: 'latn' }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    canonicalLocales(locales)
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.RelativeTimeFormat'
  }
}
