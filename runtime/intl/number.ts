/** Intl.NumberFormat for English: ECMA-402 16. */
import { currencyDigits, currencyName, currencySymbol } from './currency.ts'
import { type Decimal, decimalOf, scaled } from './decimal.ts'
import { type Digits, digitsOf, rounded, shown } from './digits.ts'
import { canonicalLocales, type Locales, optionsOf, type Part, supportedLocales, takenLocale, textOf, word } from './locale.ts'
import { unitText } from './unit.ts'

const compactNames = {
  short: ['', 'K', 'M', 'B', 'T'],
  long: ['', ' thousand', ' million', ' billion', ' trillion'],
} as const

const NBSP = '\u00a0'

type Grouping = 'always' | 'auto' | 'min2' | false

export class NumberFormat {
  readonly #locale: string
  readonly #style: 'decimal' | 'percent' | 'currency' | 'unit'
  readonly #currency: string | undefined
  readonly #currencyDisplay: 'symbol' | 'narrowSymbol' | 'code' | 'name'
  readonly #currencySign: 'standard' | 'accounting'
  readonly #unit: string | undefined
  readonly #unitDisplay: 'short' | 'narrow' | 'long'
  readonly #notation: 'standard' | 'scientific' | 'engineering' | 'compact'
  readonly #compactDisplay: 'short' | 'long'
  readonly #signDisplay: 'auto' | 'never' | 'always' | 'exceptZero' | 'negative'
  readonly #grouping: Grouping
  readonly #digits: Digits
  #bound: ((value: number | bigint | string) => string) | undefined

  constructor(locales?: Locales, given?: unknown) {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#style = word(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal')
    this.#currency = this.#currencyOf(options.currency)
    this.#currencyDisplay = word(options, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol')
    this.#currencySign = word(options, 'currencySign', ['standard', 'accounting'], 'standard')
    this.#unit = options.unit === undefined ? undefined : String(options.unit)
    this.#unitDisplay = word(options, 'unitDisplay', ['short', 'narrow', 'long'], 'short')
    if (this.#style === 'unit') {
      if (this.#unit === undefined) throw new TypeError("Intl: style 'unit' needs a unit: add, say, unit: 'kilobyte'")
      unitText(this.#unit, this.#unitDisplay, false) // it is known
    }
    this.#notation = word(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard')
    const isCompact = this.#notation === 'compact'
    const isMoney = this.#style === 'currency' && this.#notation === 'standard'
    const fraction = isMoney ? currencyDigits(this.#currency!) : 0
    this.#digits = digitsOf(options, fraction, isMoney ? fraction : this.#style === 'percent' ? 0 : 3, isCompact)
    this.#compactDisplay = word(options, 'compactDisplay', ['short', 'long'], 'short')
    this.#grouping = grouping(options.useGrouping, isCompact)
    this.#signDisplay = word(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto')
  }

  #currencyOf(given: unknown): string | undefined {
    if (given === undefined) {
      if (this.#style === 'currency') throw new TypeError("Intl: style 'currency' needs a currency: add, say, currency: 'EUR'")
      return undefined
    }
    const code = String(given).toUpperCase()
    if (!/^[A-Z]{3}$/.test(code)) throw new RangeError(`Intl: currency ${JSON.stringify(String(given))} must be three letters, such as EUR`)
    return code
  }

  get format(): (value: number | bigint | string) => string {
    this.#bound ??= value => textOf(this.formatToParts(value))
    return this.#bound
  }

  formatToParts(given: number | bigint | string): Part[] {
    const value = typeof given === 'bigint' ? given : Number(given)
    const isFinite = typeof value === 'bigint' || Number.isFinite(value)
    const percent = this.#style === 'percent' ? 2 : 0
    const { parts, isZero, isOne } = isFinite
      ? this.#finite(scaled(decimalOf(value), percent))
      : {
          parts: [{ type: Number.isNaN(value) ? 'nan' : 'infinity', value: Number.isNaN(value) ? 'NaN' : '∞' }],
          isZero: Number.isNaN(value),
          isOne: false,
        }
    return this.#signed(this.#withUnit(parts, isOne), value < 0 || Object.is(value, -0), isZero)
  }

  /** Digits with their groups, exponent or word. */
  #finite(value: Decimal): { parts: Part[]; isZero: boolean; isOne: boolean } {
    const power = this.#powerOf(value)
    const number = rounded(scaled(value, -power), this.#digits)
    const [whole, fraction] = shown(number, this.#digits)
    const parts = this.#grouped(whole)
    if (fraction !== '') parts.push({ type: 'decimal', value: '.' }, { type: 'fraction', value: fraction })
    if (this.#notation === 'compact') {
      const name = compactNames[this.#compactDisplay][power / 3]
      if (name.startsWith(' ')) parts.push({ type: 'literal', value: ' ' })
      if (name !== '') parts.push({ type: 'compact', value: name.trim() })
    } else if (this.#notation !== 'standard') {
      parts.push({ type: 'exponentSeparator', value: 'E' })
      if (power < 0) parts.push({ type: 'exponentMinusSign', value: '-' })
      parts.push({ type: 'exponentInteger', value: String(Math.abs(power)) })
    }
    const isOne = power === 0 && fraction === '' && /^0*1$/.test(whole)
    return { parts, isZero: number.digits === '', isOne }
  }

  /** Power of ten that is taken out; rounding may make it a greater one. */
  #powerOf(value: Decimal): number {
    if (this.#notation === 'standard' || value.digits === '') return 0
    const step = this.#notation === 'scientific' ? 1 : 3
    const of = (exponent: number): number => {
      const power = Math.floor((exponent - 1) / step) * step
      return this.#notation === 'compact' ? Math.min(Math.max(power, 0), 12) : power
    }
    const power = of(value.exponent)
    const number = rounded(scaled(value, -power), this.#digits)
    return of(number.exponent + power)
  }

  #grouped(whole: string): Part[] {
    const least = this.#grouping === 'min2' ? 5 : 4
    if (this.#grouping === false || whole.length < least || this.#notation === 'scientific' || this.#notation === 'engineering')
      return [{ type: 'integer', value: whole }]
    const parts: Part[] = [{ type: 'integer', value: whole.slice(0, whole.length % 3 || 3) }]
    for (let at = whole.length % 3 || 3; at < whole.length; at += 3)
      parts.push({ type: 'group', value: ',' }, { type: 'integer', value: whole.slice(at, at + 3) })
    return parts
  }

  #withUnit(parts: Part[], isOne: boolean): Part[] {
    if (this.#style === 'percent') return [...parts, { type: 'percentSign', value: '%' }]
    if (this.#style === 'unit') {
      const [space, text] = unitText(this.#unit!, this.#unitDisplay, isOne)
      return [...parts, ...(space === '' ? [] : [{ type: 'literal', value: space }]), { type: 'unit', value: text }]
    }
    if (this.#style !== 'currency') return parts
    if (this.#currencyDisplay === 'name')
      return [...parts, { type: 'literal', value: ' ' }, { type: 'currency', value: currencyName(this.#currency!, isOne) }]
    const symbol = currencySymbol(this.#currency!, this.#currencyDisplay)
    // Letters stand apart from digits (CLDR's currencySpacing).
    const space = /[A-Za-z]$/.test(symbol) && /^\d/.test(parts[0].value) ? [{ type: 'literal', value: NBSP }] : []
    return [{ type: 'currency', value: symbol }, ...space, ...parts]
  }

  #signed(parts: Part[], isNegative: boolean, isZero: boolean): Part[] {
    const display = this.#signDisplay
    const minus = isNegative && (display === 'auto' || display === 'always' || (display !== 'never' && !isZero))
    const plus = !isNegative && (display === 'always' || (display === 'exceptZero' && !isZero))
    if (minus && this.#style === 'currency' && this.#currencySign === 'accounting' && this.#currencyDisplay !== 'name')
      return [{ type: 'literal', value: '(' }, ...parts, { type: 'literal', value: ')' }]
    if (minus) return [{ type: 'minusSign', value: '-' }, ...parts]
    return plus ? [{ type: 'plusSign', value: '+' }, ...parts] : parts
  }

  resolvedOptions(): Record<string, unknown> {
    const { compact: isCompact, minimumIntegerDigits, roundingMode, trailingZeroDisplay, ...digits } = this.#digits
    return {
      locale: this.#locale,
      numberingSystem: 'latn',
      style: this.#style,
      ...(this.#style === 'currency' && {
        currency: this.#currency,
        currencyDisplay: this.#currencyDisplay,
        currencySign: this.#currencySign,
      }),
      ...(this.#style === 'unit' && { unit: this.#unit, unitDisplay: this.#unitDisplay }),
      minimumIntegerDigits,
      ...digits,
      ...(isCompact && { minimumSignificantDigits: 1, maximumSignificantDigits: 2 }),
      useGrouping: this.#grouping,
      notation: this.#notation,
      ...(this.#notation === 'compact' && { compactDisplay: this.#compactDisplay }),
      signDisplay: this.#signDisplay,
      roundingIncrement: 1,
      roundingMode,
      roundingPriority: isCompact ? 'morePrecision' : 'auto',
      trailingZeroDisplay,
    }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    canonicalLocales(locales)
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.NumberFormat'
  }
}

function grouping(given: unknown, isCompact: boolean): Grouping {
  const usual = isCompact ? 'min2' : 'auto'
  if (given === undefined || given === 'true' || given === 'false') return usual
  if (given === true) return 'always'
  if (given === false || given === null || given === 0 || given === '') return false
  if (given === 'always' || given === 'auto' || given === 'min2') return given
  throw new RangeError(`Intl: useGrouping ${JSON.stringify(String(given))} is not known: it must be always, auto, min2, true or false`)
}
