/** Intl.PluralRules and Intl.ListFormat for English: ECMA-402 17 and 14, with the rules of CLDR. */
import { decimalOf } from './decimal.ts'
import { type Digits, digitsOf, rounded, shown } from './digits.ts'
import { type Locales, optionsOf, type Part, supportedLocales, takenLocale, textOf, word } from './locale.ts'

type Category = 'one' | 'two' | 'few' | 'other'

export class PluralRules {
  readonly #locale: string
  readonly #type: 'cardinal' | 'ordinal'
  readonly #digits: Digits

  constructor(locales?: Locales, given?: unknown) {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#type = word(options, 'type', ['cardinal', 'ordinal'], 'cardinal')
    this.#digits = digitsOf(options, 0, 3, false)
  }

  select(given: number | bigint): Category {
    const value = Number(given)
    if (!Number.isFinite(value)) return 'other'
    const [whole, fraction] = shown(rounded(decimalOf(Math.abs(value)), this.#digits), this.#digits)
    if (this.#type === 'cardinal') return fraction === '' && /^0*1$/.test(whole) ? 'one' : 'other'
    if (fraction !== '' || /1[123]$/.test(whole)) return 'other'
    return (['other', 'one', 'two', 'few'] as const)[Number(whole.at(-1))] ?? 'other'
  }

  selectRange(_start: number, end: number): Category {
    return this.#type === 'cardinal' ? 'other' : this.select(end)
  }

  resolvedOptions(): Record<string, unknown> {
    const { compact: _, minimumIntegerDigits, roundingMode, trailingZeroDisplay, ...digits } = this.#digits
    return {
      locale: this.#locale,
      type: this.#type,
      minimumIntegerDigits,
      ...digits,
      pluralCategories: this.#type === 'cardinal' ? ['one', 'other'] : ['one', 'two', 'few', 'other'],
      roundingIncrement: 1,
      roundingMode,
      roundingPriority: 'auto',
      trailingZeroDisplay,
    }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.PluralRules'
  }
}

export class ListFormat {
  readonly #locale: string
  readonly #type: 'conjunction' | 'disjunction' | 'unit'
  readonly #style: 'long' | 'short' | 'narrow'

  constructor(locales?: Locales, given?: unknown) {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#type = word(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction')
    this.#style = word(options, 'style', ['long', 'short', 'narrow'], 'long')
  }

  format(list: Iterable<string>): string {
    return textOf(this.formatToParts(list))
  }

  formatToParts(list: Iterable<string>): Part[] {
    const elements = [...list].map(value => {
      if (typeof value !== 'string') throw new TypeError(`Intl.ListFormat: the list must have strings only, not ${typeof value}`)
      return value
    })
    const comma = this.#type === 'unit' && this.#style === 'narrow' ? ' ' : ', '
    const word = this.#lastWord()
    // Between two there is no comma where there is a word.
    const last = word === '' ? comma : elements.length === 2 ? ` ${word} ` : `, ${word} `
    return elements.flatMap((value, i) => [
      ...(i === 0 ? [] : [{ type: 'literal', value: i === elements.length - 1 ? last : comma }]),
      { type: 'element', value },
    ])
  }

  #lastWord(): string {
    if (this.#type === 'disjunction') return 'or'
    if (this.#type === 'unit') return ''
    return this.#style === 'long' ? 'and' : this.#style === 'short' ? '&' : ''
  }

  resolvedOptions(): Record<string, unknown> {
    return { locale: this.#locale, type: this.#type, style: this.#style }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.ListFormat'
  }
}
