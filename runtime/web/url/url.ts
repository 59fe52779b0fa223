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
import { URLSearchParams } from './url-search-params.ts'

export class URL {
  #url: UrlRecord
  #params: URLSearchParams | undefined

  constructor(url: string | URL, base?: string | URL) {
    const record = parse(url, base)
    if (record === undefined) throw invalid(String(url))
    this.#url = record
  }

  static canParse(url: string | URL, base?: string | URL): boolean {
    return parse(url, base) !== undefined
  }

  static parse(url: string | URL, base?: string | URL): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null
  }

  get href(): string {
    return serializeUrl(this.#url)
  }
  set href(value: string) {
    const record = parse(value)
    if (record === undefined) throw invalid(value)
    this.#url = record
    this.#updateParams()
  }

  get origin(): string {
    const { scheme, path } = this.#url
    if (scheme === 'blob') {
      const inner = typeof path === 'string' ? parseUrl(path) : undefined
      return inner !== undefined && /^https?$/.test(inner.scheme) ? originOf(inner) : 'null'
    }
    return isSpecial(scheme) && scheme !== 'file' ? originOf(this.#url) : 'null'
  }

  get protocol(): string {
    return `${this.#url.scheme}:`
  }
  set protocol(value: string) {
    const url = this.#url
    const scheme = /^([a-z][a-z0-9+.-]*)(:|$)/i.exec(withoutNewlines(String(value)))?.[1].toLowerCase()
    if (scheme === undefined || isSpecial(scheme) !== isSpecial(url.scheme)) return
    if (scheme === 'file' && (url.username !== '' || url.password !== '' || url.port !== null)) return
    if (url.scheme === 'file' && url.host === '') return
    url.scheme = scheme
    if (url.port !== null) setPort(url, String(url.port))
  }

  get username(): string {
    return this.#url.username
  }
  set username(value: string) {
    if (this.#mayHaveCredentials()) this.#url.username = percentEncode(String(value), encodeSets.userinfo)
  }
  get password(): string {
    return this.#url.password
  }
  set password(value: string) {
    if (this.#mayHaveCredentials()) this.#url.password = percentEncode(String(value), encodeSets.userinfo)
  }

  get host(): string {
    return this.hostname + (this.#url.port === null ? '' : `:${this.#url.port}`)
  }
  set host(value: string) {
    this.#setHost(String(value), true)
  }
  get hostname(): string {
    return this.#url.host ?? ''
  }
  set hostname(value: string) {
    this.#setHost(String(value), false)
  }

  get port(): string {
    return this.#url.port === null ? '' : String(this.#url.port)
  }
  set port(value: string) {
    if (!this.#mayHaveCredentials()) return
    if (String(value) === '') this.#url.port = null
    else setPort(this.#url, (/^\d*/.exec(withoutNewlines(String(value))) as RegExpExecArray)[0])
  }

  get pathname(): string {
    return serializePath(this.#url)
  }
  set pathname(value: string) {
    const url = this.#url
    if (typeof url.path === 'string') return
    const text = withoutNewlines(String(value))
    url.path = []
    if (isSpecial(url.scheme)) appendPath(url, text.replace(/^[/\\]/, ''))
    else if (text !== '') appendPath(url, text.replace(/^\//, ''))
    else if (url.host === null) url.path = ['']
  }

  get search(): string {
    return this.#url.query ? `?${this.#url.query}` : ''
  }
  set search(value: string) {
    const text = withoutNewlines(String(value).replace(/^\?/, ''))
    setQuery(this.#url, String(value) === '' ? null : text)
    this.#updateParams()
  }

  get searchParams(): URLSearchParams {
    return (this.#params ??= URLSearchParams.of(this.#url.query ?? '', () => {
      const query = this.#params?.toString() ?? ''
      this.#url.query = query === '' ? null : query
    }))
  }

  get hash(): string {
    return this.#url.fragment ? `#${this.#url.fragment}` : ''
  }
  set hash(value: string) {
    const text = withoutNewlines(String(value).replace(/^#/, ''))
    this.#url.fragment = String(value) === '' ? null : percentEncode(text, encodeSets.fragment)
  }

  toString(): string {
    return this.href
  }
  toJSON(): string {
    return this.href
  }

  #mayHaveCredentials(): boolean {
    return this.#url.host !== null && this.#url.host !== '' && this.#url.scheme !== 'file'
  }

  #updateParams(): void {
    if (this.#params) URLSearchParams.update(this.#params, this.#url.query ?? '')
  }

  #setHost(value: string, withPort: boolean): void {
    const url = this.#url
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
}

/** With the fields that Node gives it. */
function invalid(input: string): TypeError {
  return Object.assign(new TypeError(`Invalid URL: ${input}`), { code: 'ERR_INVALID_URL', input })
}

function originOf(url: UrlRecord): string {
  return `${url.scheme}://${url.host}${url.port === null ? '' : `:${url.port}`}`
}

function parse(url: string | URL, base?: string | URL): UrlRecord | undefined {
  if (base === undefined) return parseUrl(String(url).toWellFormed())
  const against = parseUrl(String(base).toWellFormed())
  return against && parseUrl(String(url).toWellFormed(), against)
}
