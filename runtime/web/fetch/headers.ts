/** https://fetch.spec.whatwg.org/#headers-class */

export type HeadersInit = Headers | Iterable<readonly [string, string] | readonly string[]> | Record<string, string>

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** A value that has to be trimmed or looked at closely. */
const unusual = /^[\t ]|[\0\r\n\u0100-\uffff]|[\t ]$/
const badValue = /[\0\r\n\u0100-\uffff]/

export class Headers {
  /** By lower-case name; several values of a name are joined, except those of Set-Cookie, which may not be. */
  readonly #values = new Map<string, string>()
  #cookies: string[] = []

  constructor(init?: HeadersInit) {
    if (init === undefined) return
    if (init === null || typeof init !== 'object') throw new TypeError('Headers: the argument must be headers, pairs or an object')
    if (init instanceof Headers) {
      this.#values = new Map(init.#values)
      this.#cookies = [...init.#cookies]
    } else if (Symbol.iterator in init) {
      for (const pair of init as Iterable<readonly string[]>) {
        const [name, value, ...more] = pair
        if (value === undefined || more.length > 0) throw new TypeError('Headers: each entry must be a pair of name and value')
        this.append(name, value)
      }
    } else {
      for (const name of Object.keys(init)) this.append(name, init[name])
    }
  }

  append(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
    if (key === 'set-cookie') this.#cookies.push(text)
    else this.#values.set(key, this.#values.has(key) ? `${this.#values.get(key)}, ${text}` : text)
  }

  set(name: string, value: string): void {
    const key = checkName(name)
    const text = checkValue(value)
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
    if (key === 'set-cookie') this.#cookies = []
    else this.#values.delete(key)
  }

  getSetCookie(): string[] {
    return [...this.#cookies]
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    if (this.#values.size < 2 && this.#cookies.length === 0) {
      // As most responses have it: nothing to sort, so no generator.
      this.#values.forEach((value, name) => {
        callback.call(self, value, name, this)
      })
      return
    }
    for (const [name, value] of this) callback.call(self, value, name, this)
  }

  /** Sorted by name; each Set-Cookie by itself. */
  *entries(): IterableIterator<[string, string]> {
    const names = [...this.#values.keys(), ...(this.#cookies.length > 0 ? ['set-cookie'] : [])].sort()
    for (const name of names) {
      if (name === 'set-cookie') for (const cookie of this.#cookies) yield [name, cookie]
      else yield [name, this.#values.get(name) as string]
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
}

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

function checkValue(value: string): string {
  let text = String(value)
  if (!unusual.test(text)) return text
  text = text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (badValue.test(text)) throw new TypeError('Headers: a header value may not have NUL, line breaks or characters above U+00FF')
  return text
}
