/** https://fetch.spec.whatwg.org/#headers-class */

import { pairIterators } from '../pair-iterator.ts'

export type HeadersInit = Headers | Iterable<readonly [string, string] | readonly string[]> | Record<string, string>

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** A value that has to be trimmed or looked at closely. */
const unusual = /^[\t ]|[\0\r\n\u0100-\uffff]|[\t ]$/
const badValue = /[\0\r\n\u0100-\uffff]/

export class Headers {
  /** By lower-case name; several values of a name are joined, except those of Set-Cookie, which may not be. */
  #values!: Map<string, string>
  #cookies!: string[]
  /** Both are another's as well: a copy, as each handler has one of a request's, is made when there is something to change. */
  #isShared = false
  #sorted: readonly [string, string][] | undefined

  constructor(init?: HeadersInit) {
    if (init instanceof Headers && init[Symbol.iterator] === ownIterator) {
      this.#values = init.#values
      this.#cookies = init.#cookies
      this.#isShared = init.#isShared = true
      return
    }
    this.#values = new Map()
    this.#cookies = []
    if (init === undefined) return
    if (init === null || typeof init !== 'object') throw new TypeError('Headers: the argument must be headers, pairs or an object')
    const iterator = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator]
    if (iterator !== undefined && iterator !== null) {
      for (const entry of init as Iterable<readonly string[]>) {
        const pair = Array.isArray(entry) ? entry : [...(entry as Iterable<string>)]
        if (pair.length !== 2) throw new TypeError('Headers: each entry must be a pair of name and value')
        this.append(pair[0], pair[1])
      }
    } else {
      const record = init as Record<string, string>
      for (const name of Reflect.ownKeys(record) as string[]) {
        if (!Object.prototype.propertyIsEnumerable.call(record, name)) continue
        if (typeof name === 'symbol') throw new TypeError('Headers: a header name must be text, not a symbol')
        this.append(name, record[name])
      }
    }
  }

  append(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
    this.#change()
    if (key === 'set-cookie') this.#cookies.push(text)
    else this.#values.set(key, this.#values.has(key) ? `${this.#values.get(key)}, ${text}` : text)
  }

  set(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
    this.#change()
    if (key === 'set-cookie') this.#cookies = [text]
    else this.#values.set(key, text)
  }

  get(name: string): string | null {
    const key = checkName(name)
    if (key === 'set-cookie') return this.#cookies.length === 0 ? null : this.#cookies.join(', ')
    return this.#values.get(key) ?? null
  }

  has(name: string): boolean {
    const key = checkName(name)
    return key === 'set-cookie' ? this.#cookies.length > 0 : this.#values.has(key)
  }

  delete(name: string): void {
    const key = checkName(name)
    this.#change()
    if (key === 'set-cookie') this.#cookies = []
    else this.#values.delete(key)
  }

  getSetCookie(): string[] {
    return [...this.#cookies]
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    const values = this.#values
    let seen = 0
    if (values.size < 2 && this.#cookies.length === 0) {
      // As most responses have it: nothing to sort, so no generator.
      values.forEach((value, name) => {
        seen++
        callback.call(self, value, name, this)
      })
      // Another map: the callback has changed what was shared, and what it added comes as well.
      if (values === this.#values) return
    }
    for (let i = seen; ; i++) {
      const pair = this.#pairs()[i]
      if (pair === undefined) return
      callback.call(self, pair[1], pair[0], this)
    }
  }

  #change(): void {
    this.#sorted = undefined
    if (!this.#isShared) return
    this.#values = new Map(this.#values)
    this.#cookies = [...this.#cookies]
    this.#isShared = false
  }

  /** Sorted by name; each Set-Cookie by itself. Made once for each change. */
  #pairs(): readonly [string, string][] {
    if (this.#sorted !== undefined) return this.#sorted
    const names = [...this.#values.keys(), ...(this.#cookies.length > 0 ? ['set-cookie'] : [])].sort()
    return (this.#sorted = names.flatMap(name =>
      name === 'set-cookie'
        ? this.#cookies.map(cookie => [name, cookie] as [string, string])
        : [[name, this.#values.get(name) as string] as [string, string]],
    ))
  }

  entries(): IterableIterator<[string, string]> {
    return iterate(() => this.#pairs(), 'entries')
  }
  keys(): IterableIterator<string> {
    return iterate(() => this.#pairs(), 'keys')
  }
  values(): IterableIterator<string> {
    return iterate(() => this.#pairs(), 'values')
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>
  static {
    Object.defineProperty(Headers.prototype, Symbol.iterator, { value: Headers.prototype.entries, writable: true, configurable: true })
  }
}

const iterate = pairIterators('Headers')
const ownIterator = Headers.prototype[Symbol.iterator]

/** Names in lower case, so that the usual ones are checked once. */
const known = new Map<string, string>()

function checkName(name: string): string {
  const usual = known.get(name)
  if (usual !== undefined) return usual
  const text = String(name)
  if (!token.test(text)) throw new TypeError(`Headers: '${text}' is not a header name`)
  const lower = text.toLowerCase()
  // Peers choose names too: only so many are remembered.
  if (known.size < 256) known.set(text, lower)
  return lower
}

/** Values that stand as they are: a program says the same again and again. Peers may choose them too, so only so many, and no long ones. */
const plain = new Set<string>()
const MOST_PLAIN = 256
const LONGEST_PLAIN = 64

function checkValue(value: string): string {
  if (plain.has(value)) return value
  let text = String(value)
  if (!unusual.test(text)) {
    if (text.length <= LONGEST_PLAIN && plain.size < MOST_PLAIN) plain.add(text)
    return text
  }
  text = text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (badValue.test(text)) throw new TypeError('Headers: a header value may not have NUL, line breaks or characters above U+00FF')
  return text
}
