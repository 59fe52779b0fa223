/**
 * Intl.Collator for English: ECMA-402 10. By base letters first, then accents, then case, as CLDR's root order has it for Latin letters, digits and
 * ASCII's punctuation; other scripts stand behind these, by their code points.
 */
import { canonicalLocales, extension, type Locales, optionsOf, supportedLocales, takenLocale, word } from './locale.ts'

/** White space and punctuation, in their order, before digits and letters. */
const punctuation = '\t\n\v\f\r _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$'
/** Letters that the root order takes for others, with a difference after the base letters. */
const alike: Readonly<Record<string, string>> = {
  ß: 'ss\u0335',
  ẞ: 'SS\u0335',
  ø: 'o\u0338',
  Ø: 'O\u0338',
  œ: 'oe\u0335',
  Œ: 'OE\u0335',
  æ: 'ae\u0335',
  Æ: 'AE\u0335',
  ł: 'l\u0335',
  Ł: 'L\u0335',
}
const marks = /[\u0300-\u036f]+/g

type Sensitivity = 'base' | 'accent' | 'case' | 'variant'

export class Collator {
  readonly #locale: string
  readonly #usage: 'sort' | 'search'
  readonly #sensitivity: Sensitivity
  readonly #ignorePunctuation: boolean
  readonly #numeric: boolean
  readonly #caseFirst: 'upper' | 'lower' | 'false'
  #bound: ((a: string, b: string) => number) | undefined

  constructor(locales?: Locales, given?: unknown) {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#usage = word(options, 'usage', ['sort', 'search'], 'sort')
    this.#sensitivity = word(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant')
    this.#ignorePunctuation = options.ignorePunctuation !== undefined && Boolean(options.ignorePunctuation)
    this.#numeric = options.numeric === undefined ? extension(locales, 'kn') === 'true' : Boolean(options.numeric)
    this.#caseFirst = word(options, 'caseFirst', ['upper', 'lower', 'false'], 'false')
  }

  get compare(): (a: string, b: string) => number {
    this.#bound ??= (a, b) => this.#compare(String(a), String(b))
    return this.#bound
  }

  #compare(first: string, second: string): number {
    if (first === second) return 0
    const [a, b] = [this.#prepared(first), this.#prepared(second)]
    const [baseA, baseB] = [a.replace(marks, ''), b.replace(marks, '')]
    const byBase = this.#byLetters(baseA.toLowerCase(), baseB.toLowerCase())
    if (byBase !== 0 || this.#sensitivity === 'base') return byBase
    if (this.#sensitivity !== 'case') {
      const byAccent = order(a.toLowerCase(), b.toLowerCase())
      if (byAccent !== 0 || this.#sensitivity === 'accent') return byAccent
    }
    // Small letters first: in the order of code points they stand behind.
    const byCase = order(baseB, baseA)
    return this.#caseFirst === 'upper' ? -byCase : byCase
  }

  #prepared(text: string): string {
    const decomposed = text.normalize('NFD').replace(/[ßẞøØœŒæÆłŁ]/g, letter => alike[letter])
    return this.#ignorePunctuation ? decomposed.replace(/[\s\p{P}]/gu, '') : decomposed
  }

  #byLetters(a: string, b: string): number {
    let [i, j] = [0, 0]
    while (i < a.length && j < b.length) {
      if (this.#numeric && isDigit(a, i) && isDigit(b, j)) {
        const [x, y] = [digits(a, i), digits(b, j)]
        const difference = Number(x) - Number(y)
        if (difference !== 0) return Math.sign(difference)
        i += x.length
        j += y.length
        continue
      }
      const difference = weight(a, i++) - weight(b, j++)
      if (difference !== 0) return Math.sign(difference)
    }
    return Math.sign(a.length - i - (b.length - j))
  }

  resolvedOptions(): Record<string, unknown> {
    return {
      locale: this.#locale,
      usage: this.#usage,
      sensitivity: this.#sensitivity,
      ignorePunctuation: this.#ignorePunctuation,
      collation: 'default',
      numeric: this.#numeric,
      caseFirst: this.#caseFirst,
    }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    canonicalLocales(locales)
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.Collator'
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function weight(text: string, i: number): number {
  const unit = text.charCodeAt(i)
  const place = unit < 0x80 ? punctuation.indexOf(text[i]) : -1
  if (place >= 0) return place + 1
  return unit + 64
}

const isDigit = (text: string, i: number): boolean => text[i] >= '0' && text[i] <= '9'
const digits = (text: string, i: number): string => /^\d+/.exec(text.slice(i))![0]
