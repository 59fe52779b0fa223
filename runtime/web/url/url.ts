/** https://url.spec.whatwg.org/#url-class */

import { parseHost } from './host.ts'
import {
  appendPath,
  isSpecial,
  parseUrl,
  serializePath,
  serializeUrl,
  setPort,
  setQuery,
  splitPort,
  type UrlRecord,
  withoutNewlines,
} from './parse.ts'
import { encodeSets, percentEncode } from './percent.ts'
import { CHANGED, PARAMS, type Pairs, RECORD } from './slots.ts'
import { paramsOf, parseForm, type URLSearchParams, updatePairs } from './url-search-params.ts'

export class URL {
  /** Not to be changed: others may have it too. */
  declare [RECORD]: UrlRecord
  /** Once somebody has asked for them. */
  declare [PARAMS]?: URLSearchParams

  constructor(url: string | URL, base?: string | URL) {
    const record = parse(url, base)
    if (record === undefined) throw invalid(String(url))
    this[RECORD] = record
  }

  static canParse(url: string | URL, base?: string | URL): boolean {
    return parse(url, base) !== undefined
  }

  static parse(url: string | URL, base?: string | URL): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null
  }

  get href(): string {
    return serializeUrl(this[RECORD])
  }
  set href(value: string) {
    const record = parse(value)
    if (record === undefined) throw invalid(value)
    this[RECORD] = record
    updateParams(this)
  }

  get origin(): string {
    const { scheme, path } = this[RECORD]
    if (scheme === 'blob') {
      const inner = typeof path === 'string' ? parseUrl(path) : undefined
      return inner !== undefined && /^https?$/.test(inner.scheme) ? originOf(inner) : 'null'
    }
    return isSpecial(scheme) && scheme !== 'file' ? originOf(this[RECORD]) : 'null'
  }

  get protocol(): string {
    return `${this[RECORD].scheme}:`
  }
  set protocol(value: string) {
    const url = own(this)
    const scheme = /^([a-z][a-z0-9+.-]*)(:|$)/i.exec(withoutNewlines(String(value)))?.[1].toLowerCase()
    if (scheme === undefined || isSpecial(scheme) !== isSpecial(url.scheme)) return
    if (scheme === 'file' && (url.username !== '' || url.password !== '' || url.port !== null)) return
    if (url.scheme === 'file' && url.host === '') return
    url.scheme = scheme
    if (url.port !== null) setPort(url, String(url.port))
  }

  get username(): string {
    return this[RECORD].username
  }
  set username(value: string) {
    if (mayHaveCredentials(this)) own(this).username = percentEncode(String(value), encodeSets.userinfo)
  }
  get password(): string {
    return this[RECORD].password
  }
  set password(value: string) {
    if (mayHaveCredentials(this)) own(this).password = percentEncode(String(value), encodeSets.userinfo)
  }

  get host(): string {
    return this.hostname + (this[RECORD].port === null ? '' : `:${this[RECORD].port}`)
  }
  set host(value: string) {
    setHost(own(this), String(value), true)
  }
  get hostname(): string {
    return this[RECORD].host ?? ''
  }
  set hostname(value: string) {
    setHost(own(this), String(value), false)
  }

  get port(): string {
    return this[RECORD].port === null ? '' : String(this[RECORD].port)
  }
  set port(value: string) {
    if (!mayHaveCredentials(this)) return
    if (String(value) === '') own(this).port = null
    else setPort(own(this), (/^\d*/.exec(withoutNewlines(String(value))) as RegExpExecArray)[0])
  }

  get pathname(): string {
    const url = this[RECORD]
    return (url.pathname ??= serializePath(url))
  }
  set pathname(value: string) {
    const url = own(this)
    if (typeof url.path === 'string') return
    const text = withoutNewlines(String(value))
    url.path = []
    if (isSpecial(url.scheme)) appendPath(url, text.replace(/^[/\\]/, ''))
    else if (text !== '') appendPath(url, text.replace(/^\//, ''))
    else if (url.host === null) url.path = ['']
  }

  get search(): string {
    return this[RECORD].query ? `?${this[RECORD].query}` : ''
  }
  set search(value: string) {
    const text = withoutNewlines(String(value).replace(/^\?/, ''))
    setQuery(own(this), String(value) === '' ? null : text)
    updateParams(this)
  }

  get searchParams(): URLSearchParams {
    return (this[PARAMS] ??= paramsOf(queryPairs(this[RECORD]), this))
  }

  /** @internal The parameters of this URL were changed. */
  [CHANGED](params: URLSearchParams): void {
    const query = params.toString()
    own(this).query = query === '' ? null : query
  }

  get hash(): string {
    return this[RECORD].fragment ? `#${this[RECORD].fragment}` : ''
  }
  set hash(value: string) {
    const text = withoutNewlines(String(value).replace(/^#/, ''))
    own(this).fragment = String(value) === '' ? null : percentEncode(text, encodeSets.fragment)
  }

  toString(): string {
    return this.href
  }
  toJSON(): string {
    return this.href
  }
}

/** The record of this URL for a change. */
function own(url: URL): UrlRecord {
  const record = url[RECORD]
  if (!record.isShared) {
    record.pathname = record.pairs = undefined
    return record
  }
  return (url[RECORD] = { ...record, isShared: false, pathname: undefined, pairs: undefined })
}

/** Those of its query, parsed once for all who have the record. */
const queryPairs = (url: UrlRecord): Pairs => (url.pairs ??= parseForm(url.query ?? ''))

function mayHaveCredentials(url: URL): boolean {
  const { host, scheme } = url[RECORD]
  return host !== null && host !== '' && scheme !== 'file'
}

function updateParams(url: URL): void {
  const params = url[PARAMS]
  if (params !== undefined) updatePairs(params, queryPairs(url[RECORD]))
}

function setHost(url: UrlRecord, value: string, withPort: boolean): void {
  if (typeof url.path === 'string') return
  const special = isSpecial(url.scheme)
  const [text] = (special ? /^[^/\\?#]*/ : /^[^/?#]*/).exec(withoutNewlines(value)) as RegExpExecArray
  const [name, port] = url.scheme === 'file' ? [text, undefined] : splitPort(text)
  if (port !== undefined && (name === '' || !withPort)) return
  if (name === '' && ((special && url.scheme !== 'file') || url.username !== '' || url.password !== '' || url.port !== null)) return
  const host = name === '' ? '' : parseHost(name, special)
  if (host === undefined) return
  url.host = url.scheme === 'file' && host === 'localhost' ? '' : host
  if (port !== undefined) setPort(url, (/^\d*/.exec(port) as RegExpExecArray)[0])
}

/** With the fields that Node gives it. */
function invalid(input: string): TypeError {
  return Object.assign(new TypeError(`Invalid URL: ${input}`), { code: 'ERR_INVALID_URL', input })
}

function originOf(url: UrlRecord): string {
  return `${url.scheme}://${url.host}${url.port === null ? '' : `:${url.port}`}`
}

/** Records of texts: a server is asked for the same URLs again and again. Bounded, since peers choose them. */
const known = new Map<string, UrlRecord>()
const [MOST_KNOWN, LONGEST_KNOWN] = [64, 256]

function parse(url: string | URL, base?: string | URL): UrlRecord | undefined {
  if (base === undefined) {
    const record = known.get(url as string)
    if (record !== undefined) return record
    const text = String(url).toWellFormed()
    return text.length > LONGEST_KNOWN ? parseUrl(text) : remember(text, parseUrl(text))
  }
  const against = parse(base)
  return against && parseUrl(String(url).toWellFormed(), against)
}

function remember(text: string, record: UrlRecord | undefined): UrlRecord | undefined {
  if (record === undefined) return undefined
  if (known.size >= MOST_KNOWN) known.clear()
  record.isShared = true
  known.set(text, record)
  return record
}
