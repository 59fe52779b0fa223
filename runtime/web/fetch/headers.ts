/** https://fetch.spec.whatwg.org/#headers-class */

import { pairIterators } from '../pair-iterator.ts'
import { checkName, checkValue, HeaderList, listOfRecord, NONE } from './header-list.ts'
import { LIST } from './slots.ts'

export type HeadersInit = Headers | Iterable<readonly [string, string] | readonly string[]> | Record<string, string>

export class Headers {
  declare [LIST]: HeaderList

  constructor(init?: HeadersInit) {
    this[LIST] = init === undefined ? NONE : listFrom(init)
  }

  append(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
    own(this).append(key, text)
  }

  set(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
    own(this).set(key, text)
  }

  get(name: string): string | null {
    return this[LIST].get(checkName(name))
  }

  has(name: string): boolean {
    return this[LIST].has(checkName(name))
  }

  delete(name: string): void {
    const key = checkName(name)
    own(this).delete(key)
  }

  getSetCookie(): string[] {
    return [...this[LIST].cookies]
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    // What the callback adds comes as well.
    for (let i = 0; ; i++) {
      const pair = this[LIST].pairs[i]
      if (pair === undefined) return
      callback.call(self, pair[1], pair[0], this)
    }
  }

  entries(): IterableIterator<[string, string]> {
    return iterate(() => this[LIST].pairs, 'entries')
  }
  keys(): IterableIterator<string> {
    return iterate(() => this[LIST].pairs, 'keys')
  }
  values(): IterableIterator<string> {
    return iterate(() => this[LIST].pairs, 'values')
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>
  static {
    Object.defineProperty(Headers.prototype, Symbol.iterator, { value: Headers.prototype.entries, writable: true, configurable: true })
  }
}

const iterate = pairIterators('Headers')
/** Not looked up for each response. */
const ITERATOR: typeof Symbol.iterator = Symbol.iterator
const ownIterator = Headers.prototype[Symbol.iterator]

/** The list of these headers for a change. */
function own(headers: Headers): HeaderList {
  const list = headers[LIST]
  return list.isShared ? (headers[LIST] = list.copy()) : list
}

/** Headers of this list, which others may have as well. */
export function headersOf(list: HeaderList): Headers {
  const headers = new Headers()
  headers[LIST] = list.shared()
  return headers
}

/** What headers are made from, as a list; shared, or nobody else's. */
export function listFrom(init: HeadersInit | undefined): HeaderList {
  if (init === undefined) return NONE
  if (init === null || typeof init !== 'object') throw new TypeError('Headers: the argument must be headers, pairs or an object')
  const iterator = (init as { [ITERATOR]?: unknown })[ITERATOR]
  if (iterator === undefined || iterator === null) return listOfRecord(init as Record<string, string>)
  if (iterator === ownIterator && init instanceof Headers) return init[LIST].shared()
  const list = new HeaderList()
  for (const entry of init as Iterable<readonly string[]>) {
    const pair = Array.isArray(entry) ? entry : [...(entry as Iterable<string>)]
    if (pair.length !== 2) throw new TypeError('Headers: each entry must be a pair of name and value')
    const key = checkName(pair[0])
    list.append(key, checkValue(pair[1]))
  }
  return list
}
