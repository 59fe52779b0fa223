/** Locales: English, as it is in the United States. What others ask for becomes that, as ECMA-402 9.2.3 says of a locale that is not there. */

export type Locales = string | readonly string[] | undefined

/** A part of a text, as formatToParts gives them. */
export interface Part {
  type: string
  value: string
}

const DEFAULT = 'en-US'
const tag = /^(?:[a-z]{2,3}|[a-z]{5,8})(?:-[a-z0-9]{1,8})*$/i

/** @throws RangeError for what is not a language tag (ECMA-402 9.2.1) */
export function canonicalLocales(locales: unknown): string[] {
  if (locales === undefined) return []
  const list = typeof locales === 'string' ? [locales] : Array.from(locales as ArrayLike<unknown>)
  const result = new Set<string>()
  for (const one of list) {
    if (typeof one !== 'string' && (typeof one !== 'object' || one === null))
      throw new TypeError(`Intl: a locale must be a string, not ${typeof one}`)
    const text = String(one)
    if (!tag.test(text)) throw new RangeError(`Intl: ${JSON.stringify(text)} is not a language tag: write one such as 'en-US'`)
    result.add(canonical(text))
  }
  return [...result]
}

function canonical(text: string): string {
  let isExtension = false
  return text
    .split('-')
    .map((part, i) => {
      const lower = part.toLowerCase()
      if (isExtension || i === 0) return lower
      if (part.length === 1) isExtension = true
      if (part.length === 2) return part.toUpperCase()
      return part.length === 4 && /^[a-z]/i.test(part) ? lower[0].toUpperCase() + lower.slice(1) : lower
    })
    .join('-')
}

/** Without extensions (`-u-nu-latn`). */
const base = (locale: string): string => locale.replace(/-[a-z0-9]-.*$/, '')

const isSupported = (locale: string): boolean => base(locale).split('-')[0] === 'en'

export const supportedLocales = (locales: unknown): string[] => canonicalLocales(locales).filter(isSupported)

/** The locale that is taken: `en`, `en-US`. */
export function takenLocale(locales: unknown): string {
  const found = canonicalLocales(locales).find(isSupported)
  if (found === undefined) return DEFAULT
  return base(found) === 'en-US' ? 'en-US' : 'en'
}

/** The value of a `-u-` extension of the first locale that is there: `hc` of `en-u-hc-h23`. */
export function extension(locales: unknown, key: string): string | undefined {
  const found = canonicalLocales(locales).find(isSupported)
  return found === undefined ? undefined : new RegExp(`-u-(?:.*-)?${key}-([a-z0-9]{3,8})`).exec(found)?.[1]
}

/** An option of a list of words; undefined when it is not given (ECMA-402 9.2.12). */
export function word<T extends string>(options: any, name: string, words: readonly T[]): T | undefined
export function word<T extends string>(options: any, name: string, words: readonly T[], otherwise: T): T
export function word<T extends string>(options: any, name: string, words: readonly T[], otherwise?: T): T | undefined {
  const value = options[name]
  if (value === undefined) return otherwise
  const text = String(value) as T
  if (!words.includes(text)) throw new RangeError(`Intl: ${name} ${JSON.stringify(text)} is not known: it must be ${words.join(', ')}`)
  return text
}

/** An option that is a whole number within bounds (ECMA-402 9.2.15). */
export function whole(options: any, name: string, least: number, most: number): number | undefined {
  const value = options[name]
  if (value === undefined) return undefined
  const number = Number(value)
  if (!(number >= least && number <= most)) throw new RangeError(`Intl: ${name} must be from ${least} to ${most}, not ${String(value)}`)
  return Math.floor(number)
}

/** @throws TypeError: null is no object */
export function optionsOf(options: unknown): any {
  if (options === undefined) return {}
  if (options === null) throw new TypeError('Intl: options must be an object, not null')
  return Object(options)
}

export const textOf = (parts: readonly Part[]): string => parts.map(part => part.value).join('')
