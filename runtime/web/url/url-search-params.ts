/** https://url.spec.whatwg.org/#interface-urlsearchparams */
import { pairIterators } from '../pair-iterator.ts'
import { encodeSets, percentDecode, percentEncode } from './percent.ts'

type Init = string | Iterable<Iterable<string>> | Record<string, string>

export class URLSearchParams {
  #pairs: [name: string, value: string][]
  /** The URL these belong to wants to know of changes. */
  #changed: (() => void) | undefined

  constructor(init: Init = '') {
    this.#pairs =
      typeof init === 'string' || init === null || (typeof init !== 'object' && typeof init !== 'function')
        ? parseForm(String(init).replace(/^\?/, ''))
        : Symbol.iterator in init
          ? Array.from(init as Iterable<Iterable<string>>, pairOf)
          : record(init)
  }

  /** For URL: parameters that follow its query. */
  static of(query: string, changed: () => void): URLSearchParams {
    const params = new URLSearchParams()
    params.#pairs = parseForm(query)
    params.#changed = changed
    return params
  }

  /** For URL: takes over a query that was set in it. */
  static update(params: URLSearchParams, query: string): void {
    params.#pairs = parseForm(query)
  }

  get size(): number {
    return this.#pairs.length
  }

  append(name: string, value: string): void {
    this.#pairs.push([text(name), text(value)])
    this.#changed?.()
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(pair => !matches(pair, name, value))
    this.#changed?.()
  }

  get(name: string): string | null {
    return this.#pairs.find(([own]) => own === text(name))?.[1] ?? null
  }
  getAll(name: string): string[] {
    return this.#pairs.filter(([own]) => own === text(name)).map(([, value]) => value)
  }
  has(name: string, value?: string): boolean {
    return this.#pairs.some(pair => matches(pair, name, value))
  }

  /** Replaces the first pair of that name and drops the others. */
  set(name: string, value: string): void {
    const index = this.#pairs.findIndex(([own]) => own === text(name))
    if (index < 0) this.#pairs.push([text(name), text(value)])
    else {
      this.#pairs[index][1] = text(value)
      this.#pairs = this.#pairs.filter(([own], i) => i <= index || own !== text(name))
    }
    this.#changed?.()
  }

  /** By name, in the order of UTF-16 code units; pairs of one name keep their order. */
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.#changed?.()
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (let i = 0; i < this.#pairs.length; i++) callback.call(self, this.#pairs[i][1], this.#pairs[i][0], this)
  }

  entries(): IterableIterator<[string, string]> {
    return iterate(() => this.#pairs, 'entries')
  }
  keys(): IterableIterator<string> {
    return iterate(() => this.#pairs, 'keys')
  }
  values(): IterableIterator<string> {
    return iterate(() => this.#pairs, 'values')
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>
  static {
    Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
      value: URLSearchParams.prototype.entries,
      writable: true,
      configurable: true,
    })
  }

  /** application/x-www-form-urlencoded. */
  toString(): string {
    const encode = (part: string) => percentEncode(part, encodeSets.form).replaceAll('%20', '+')
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  }
}

const iterate = pairIterators('URLSearchParams')
const text = (value: unknown): string => `${value as string}`.toWellFormed()

/** Keys that become equal as text are one, with the last value: https://webidl.spec.whatwg.org/#js-record */
function record(init: Record<string, string>): [string, string][] {
  const pairs = new Map<string, string>()
  for (const key of Reflect.ownKeys(init) as string[])
    if (Object.prototype.propertyIsEnumerable.call(init, key)) pairs.set(text(key), text(init[key]))
  return [...pairs]
}

function pairOf(entry: Iterable<string>): [string, string] {
  const pair = typeof entry === 'object' && entry !== null ? [...entry] : []
  if (pair.length !== 2) throw new TypeError('URLSearchParams: each entry must be a pair of name and value')
  return [text(pair[0]), text(pair[1])]
}

function matches([name, value]: [string, string], wantedName: string, wantedValue: string | undefined): boolean {
  return name === text(wantedName) && (wantedValue === undefined || value === text(wantedValue))
}

function parseForm(form: string): [string, string][] {
  if (form === '') return []
  const decode = (part: string) => percentDecode(part.replaceAll('+', ' ')).toWellFormed()
  return form
    .split('&')
    .filter(part => part !== '')
    .map(part => {
      const at = part.indexOf('=')
      return at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]
    })
}
