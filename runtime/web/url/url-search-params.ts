/** https://url.spec.whatwg.org/#interface-urlsearchparams */
import { pairIterators } from '../pair-iterator.ts'
import { encodeSets, percentDecode, percentEncode } from './percent.ts'
import { CHANGED, IS_SHARED, OWNER, PAIRS, type Pairs } from './slots.ts'

type Init = string | Iterable<Iterable<string>> | Record<string, string>

/** The URL whose query they are. */
interface Owner {
  [CHANGED](params: URLSearchParams): void
}

export class URLSearchParams {
  /** Not to be changed while it is shared. */
  declare [PAIRS]: Pairs
  declare [IS_SHARED]: boolean
  declare [OWNER]?: Owner

  constructor(init: Init = '') {
    this[PAIRS] =
      typeof init === 'string' || init === null || (typeof init !== 'object' && typeof init !== 'function')
        ? parseForm(String(init).replace(/^\?/, ''))
        : Symbol.iterator in init
          ? Array.from(init as Iterable<Iterable<string>>, pairOf)
          : record(init)
  }

  get size(): number {
    return this[PAIRS].length
  }

  append(name: string, value: string): void {
    own(this).push([text(name), text(value)])
    changed(this)
  }

  delete(name: string, value?: string): void {
    this[PAIRS] = own(this).filter(pair => !matches(pair, name, value))
    changed(this)
  }

  get(name: string): string | null {
    const wanted = text(name)
    const pairs = this[PAIRS]
    for (let i = 0; i < pairs.length; i++) if (pairs[i][0] === wanted) return pairs[i][1]
    return null
  }
  getAll(name: string): string[] {
    return this[PAIRS].filter(([own]) => own === text(name)).map(([, value]) => value)
  }
  has(name: string, value?: string): boolean {
    return this[PAIRS].some(pair => matches(pair, name, value))
  }

  /** Replaces the first pair of that name and drops the others. */
  set(name: string, value: string): void {
    const pairs = own(this)
    const wanted = text(name)
    const index = pairs.findIndex(([own]) => own === wanted)
    if (index < 0) pairs.push([wanted, text(value)])
    else {
      pairs[index][1] = text(value)
      this[PAIRS] = pairs.filter(([own], i) => i <= index || own !== wanted)
    }
    changed(this)
  }

  /** By name, in the order of UTF-16 code units; pairs of one name keep their order. */
  sort(): void {
    own(this).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    changed(this)
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (let i = 0; i < this[PAIRS].length; i++) callback.call(self, this[PAIRS][i][1], this[PAIRS][i][0], this)
  }

  entries(): IterableIterator<[string, string]> {
    return iterate(() => this[PAIRS], 'entries')
  }
  keys(): IterableIterator<string> {
    return iterate(() => this[PAIRS], 'keys')
  }
  values(): IterableIterator<string> {
    return iterate(() => this[PAIRS], 'values')
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
    return this[PAIRS].map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  }
}

const iterate = pairIterators('URLSearchParams')

/** For URL: parameters that follow its query, of which these are the pairs. */
export const paramsOf = (pairs: Pairs, owner: Owner): URLSearchParams =>
  new (Made as unknown as new (pairs: Pairs, owner: Owner) => URLSearchParams)(pairs, owner)

function Made(this: URLSearchParams, pairs: Pairs, owner: Owner): void {
  this[PAIRS] = pairs
  this[OWNER] = owner
  this[IS_SHARED] = true
}
Made.prototype = URLSearchParams.prototype

/** For URL: takes over a query that was set in it. */
export function updatePairs(params: URLSearchParams, pairs: Pairs): void {
  params[PAIRS] = pairs
  params[IS_SHARED] = true
}

/** The pairs for a change. */
function own(params: URLSearchParams): Pairs {
  if (params[IS_SHARED] !== true) return params[PAIRS]
  params[IS_SHARED] = false
  return (params[PAIRS] = params[PAIRS].map(([name, value]) => [name, value]))
}

function changed(params: URLSearchParams): void {
  params[OWNER]?.[CHANGED](params)
}

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

export function parseForm(form: string): Pairs {
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
