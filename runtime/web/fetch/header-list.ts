/**
 * A header list (https://fetch.spec.whatwg.org/#concept-header-list), which several Headers may share until one of them changes: each handler has
 * the headers of a request, and a program says the same of many responses.
 */
import type { ResponseHead } from './slots.ts'

const NO_COOKIES: readonly string[] = []

export class HeaderList {
  // Members are made in the constructor, and some when they are needed: a field of a class is made by a call, and costs a thousand instructions.
  /** By lower-case name; several values of a name are joined, except those of Set-Cookie, which may not be. */
  declare readonly values: Map<string, string>
  declare cookies: readonly string[]
  /** Others have it as well: who wants to change it makes a copy. */
  declare isShared: boolean
  /** Sorted by name; each Set-Cookie by itself. Made once for each change. */
  declare private sorted?: readonly [string, string][] | undefined
  /** The head of a response with status 200 and this list, while it is shared. */
  declare ok?: ResponseHead
  /** While it is shared: this list with a content type; itself when it has one. */
  declare typed?: { readonly type: string; readonly list: HeaderList }

  constructor(values: Map<string, string> = new Map(), cookies: readonly string[] = NO_COOKIES) {
    this.values = values
    this.cookies = cookies
    this.isShared = false
  }

  append(key: string, text: string): void {
    this.sorted = undefined
    if (key === 'set-cookie') this.cookies = [...this.cookies, text]
    else this.values.set(key, this.values.has(key) ? `${this.values.get(key)}, ${text}` : text)
  }

  set(key: string, text: string): void {
    this.sorted = undefined
    if (key === 'set-cookie') this.cookies = [text]
    else this.values.set(key, text)
  }

  delete(key: string): void {
    this.sorted = undefined
    if (key === 'set-cookie') this.cookies = NO_COOKIES
    else this.values.delete(key)
  }

  get(key: string): string | null {
    if (key === 'set-cookie') return this.cookies.length === 0 ? null : this.cookies.join(', ')
    return this.values.get(key) ?? null
  }

  has(key: string): boolean {
    return key === 'set-cookie' ? this.cookies.length > 0 : this.values.has(key)
  }

  copy(): HeaderList {
    return new HeaderList(new Map(this.values), this.cookies)
  }

  /** This list for one more. */
  shared(): HeaderList {
    this.isShared = true
    return this
  }

  get pairs(): readonly [string, string][] {
    if (this.sorted !== undefined) return this.sorted
    const names = [...this.values.keys(), ...(this.cookies.length > 0 ? ['set-cookie'] : [])].sort()
    return (this.sorted = names.flatMap(name =>
      name === 'set-cookie'
        ? this.cookies.map(cookie => [name, cookie] as [string, string])
        : [[name, this.values.get(name) as string] as [string, string]],
    ))
  }
}

/** The list with a content type, unless it has one. */
export function withType(list: HeaderList, type: string): HeaderList {
  const typed = list.typed
  if (typed !== undefined && (typed.list === list || typed.type === type)) return typed.list
  if (list.values.has('content-type')) {
    if (list.isShared) list.typed = { type, list }
    return list
  }
  if (!list.isShared) {
    list.set('content-type', type)
    return list
  }
  const copy = list.copy().shared()
  copy.set('content-type', type)
  list.typed = { type, list: copy }
  return copy
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** A value that has to be trimmed or looked at closely. */
const unusual = /^[\t ]|[\0\r\n\u0100-\uffff]|[\t ]$/
const badValue = /[\0\r\n\u0100-\uffff]/

/** Names in lower case, so that the usual ones are checked once. */
const known = new Map<string, string>()

export function checkName(name: string): string {
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

export function checkValue(value: string): string {
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

/** Lists that were made from objects, with what these had: a program gives the same again and again, in objects that it may change between. */
interface Made {
  readonly names: readonly PropertyKey[]
  readonly values: readonly string[]
  readonly list: HeaderList
}
const made: Made[] = []
/** The one that was asked for last. */
let recent: Made | undefined
const MOST_MADE = 8
let next = 0

const isEnumerable = Object.prototype.propertyIsEnumerable

/** The list of a record (https://webidl.spec.whatwg.org/#js-record): of the same names and values, the same list. */
export function listOfRecord(record: Record<string, string>): HeaderList {
  const names = Reflect.ownKeys(record)
  const { length } = names
  let candidate: Made | undefined
  let list: HeaderList | undefined
  let values: string[] | undefined
  for (let i = 0; i < length; i++) {
    const name = names[i] as string
    if (!isEnumerable.call(record, name)) {
      // As if it had not been there, and not to be remembered.
      list ??= begun(candidate, i)
      values = undefined
      candidate = undefined
      continue
    }
    if (typeof name === 'symbol') throw new TypeError('Headers: a header name must be text, not a symbol')
    const value = record[name]
    if (list === undefined) {
      if (i === 0)
        candidate =
          recent?.values[0] === value && recent.names[0] === name && recent.names.length === length ? recent : find(name, value, length)
      if (candidate !== undefined && candidate.names[i] === name && candidate.values[i] === value) continue
      list = begun(candidate, i)
      values = candidate === undefined ? [] : candidate.values.slice(0, i)
    }
    const key = checkName(name)
    list.append(key, checkValue(value))
    values?.push(value)
  }
  if (list === undefined) return candidate === undefined ? NONE : candidate.list
  if (values?.length === length) remember({ names, values, list })
  return list
}

function find(name: PropertyKey, value: string, length: number): Made | undefined {
  for (let i = 0; i < made.length; i++) {
    const each = made[i]
    if (each.values[0] === value && each.names[0] === name && each.names.length === length) return (recent = each)
  }
  return undefined
}

/** A list with the first so many of what another was made from. */
function begun(from: Made | undefined, count: number): HeaderList {
  const list = new HeaderList()
  for (let i = 0; from !== undefined && i < count; i++) list.append(checkName(from.names[i] as string), checkValue(from.values[i]))
  return list
}

/** Texts only: what something else says of itself may change. And no long ones. */
function remember(one: Made): void {
  let length = 0
  for (const value of one.values) {
    if (typeof value !== 'string') return
    length += value.length
  }
  if (length > LONGEST_MADE) return
  one.list.isShared = true
  made[next] = one
  next = (next + 1) % MOST_MADE
}
const LONGEST_MADE = 1024

/** The empty list. */
export const NONE = new HeaderList().shared()
