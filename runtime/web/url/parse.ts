/**
 * The URL parser of https://url.spec.whatwg.org/#url-parsing . The standard gives a state machine over characters; here the same is done
 * part by part, with the regular expressions and string functions of the engine, since those are native code.
 */

import { parseHost } from './host.ts'
import { encodeSets, percentEncode } from './percent.ts'
import type { Pairs } from './slots.ts'

export interface UrlRecord {
  scheme: string
  username: string
  password: string
  /** Serialized. null: the URL has none, which is not the same as an empty one. */
  host: string | null
  port: number | null
  /** Segments; a string is an opaque path (`mailto:x@y`). */
  path: string[] | string
  query: string | null
  fragment: string | null
  /** Several URL have it: who wants to change it makes a copy. */
  isShared: boolean
  /** What was asked for before: the path as text, and what the query says. */
  pathname: string | undefined
  pairs: Pairs | undefined
}

/** Special schemes and their default ports. */
const defaultPorts: Record<string, number | null> = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21, file: null }
export const isSpecial = (scheme: string): boolean => Object.hasOwn(defaultPorts, scheme)

// What parsing would leave as it is: no segment of dots, nothing to encode. Each character can match in one way only: no backtracking.
const plainPath = String.raw`\/(?!\/)(?:[\w\-~!$&()*+,;=:@/]|%(?!2[eE])|\.(?:[\w\-~!$&()*+,;=:@]|%(?!2[eE])))*`
const plainQuery = String.raw`\?[\w\-.~!$&()*+,;=:@%/?]*`
const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const label = '[a-wyz][a-z0-9-]*'
const plainUrl = new RegExp(
  `^(https?)://(${label}(?:\\.${label})*|(?:${byte}\\.){3}${byte}|\\[[\\da-f:]+\\])(?::([1-9]\\d{0,3}))?(${plainPath})(${plainQuery})?$`,
)

/** The last address in brackets that is written as the serializer writes it: a server is asked by one name most of the time. */
let knownAddress = ''

function matchPlain(text: string): RegExpExecArray | null {
  const match = plainUrl.exec(text)
  if (match === null) return null
  const host = match[2]!
  if (host[0] !== '[' || host === knownAddress) return match
  if (parseHost(host, true) !== host) return null
  knownAddress = host
  return match
}

/** Whether parsing and serializing give the very same text; false when that takes a closer look. */
export function isPlainUrl(text: string): boolean {
  const [, scheme, , port] = matchPlain(text) ?? []
  return scheme !== undefined && (port === undefined || Number(port) !== defaultPorts[scheme])
}

/** The record of `input`, or undefined when it is no URL. `base` is never changed. */
export function parseUrl(input: string, base?: UrlRecord): UrlRecord | undefined {
  // Nearly every address a server sees is plain: one match instead of a dozen steps.
  const plain = base === undefined ? matchPlain(input) : null
  if (plain === null) return parseAny(input, base)
  const [, scheme, host, port, path, query] = plain
  const url: UrlRecord = { ...empty(scheme), host, path: path.slice(1).split('/'), query: query === undefined ? null : query.slice(1) }
  if (port !== undefined) setPort(url, port)
  return url
}

function parseAny(input: string, base: UrlRecord | undefined): UrlRecord | undefined {
  let text = withoutNewlines(input.replace(/^[\0- ]+/, '').replace(/[\0- ]+$/, ''))
  let fragment: string | null = null
  const hash = text.indexOf('#')
  if (hash >= 0) {
    fragment = percentEncode(text.slice(hash + 1), encodeSets.fragment)
    text = text.slice(0, hash)
  }
  const url = parseWithoutFragment(text, hash >= 0, base)
  if (url !== undefined && fragment !== null) url.fragment = fragment
  return url
}

export const withoutNewlines = (text: string): string => (/[\t\n\r]/.test(text) ? text.replace(/[\t\n\r]/g, '') : text)

function parseWithoutFragment(text: string, hasFragment: boolean, base: UrlRecord | undefined): UrlRecord | undefined {
  const [start, name] = /^([a-z][a-z0-9+.-]*):/i.exec(text) ?? ['', '']
  if (start === '') {
    if (base === undefined) return undefined
    if (typeof base.path === 'string') return text === '' && hasFragment ? { ...unshared(base), fragment: null } : undefined
    return base.scheme === 'file' ? parseFile(text, base) : parseRelative(text, base)
  }
  const scheme = name.toLowerCase()
  const rest = text.slice(start.length)
  if (scheme === 'file') return parseFile(rest, base?.scheme === 'file' ? base : undefined)
  if (isSpecial(scheme)) {
    if (base?.scheme === scheme && !rest.startsWith('//')) return parseRelative(rest, base)
    return parseAuthority(rest.replace(/^[/\\]+/, ''), empty(scheme))
  }
  if (rest.startsWith('//')) return parseAuthority(rest.slice(2), empty(scheme))
  const url = empty(scheme)
  if (rest.startsWith('/')) return parsePathAndQuery(rest.slice(1), url)
  const [path, query] = splitQuery(rest)
  // A space at the very end would be lost when the URL is parsed again.
  const encoded = percentEncode(path, encodeSets.c0)
  url.path = encoded.endsWith(' ') && (query !== null || hasFragment) ? `${encoded.slice(0, -1)}%20` : encoded
  setQuery(url, query)
  return url
}

const empty = (scheme: string): UrlRecord => ({
  scheme,
  username: '',
  password: '',
  host: null,
  port: null,
  path: [],
  query: null,
  fragment: null,
  isShared: false,
  pathname: undefined,
  pairs: undefined,
})

/** What a record that begins with another's parts has of it. */
const unshared = (base: UrlRecord): UrlRecord => ({ ...base, isShared: false, pathname: undefined, pairs: undefined })

/** Relative state and relative slash state. */
function parseRelative(text: string, base: UrlRecord): UrlRecord | undefined {
  const special = isSpecial(base.scheme)
  const slash = special ? /^[/\\]/ : /^\//
  if (slash.test(text)) {
    if (special && /^[/\\]{2}/.test(text)) return parseAuthority(text.replace(/^[/\\]+/, ''), empty(base.scheme))
    if (text.startsWith('//')) return parseAuthority(text.slice(2), empty(base.scheme))
    return parsePathAndQuery(text.slice(1), { ...unshared(base), path: [], query: null, fragment: null })
  }
  return parseAgainstPath(text, { ...unshared(base), path: [...base.path], fragment: null })
}

/** A path (or only a query, or nothing) relative to the path that `url` has. */
function parseAgainstPath(text: string, url: UrlRecord): UrlRecord {
  if (text === '') return url
  if (text.startsWith('?')) {
    setQuery(url, text.slice(1))
    return url
  }
  url.query = null
  shorten(url)
  return parsePathAndQuery(text, url)
}

/** File state, file slash state and file host state. `base` is a file URL. */
function parseFile(text: string, base: UrlRecord | undefined): UrlRecord | undefined {
  const url = { ...empty('file'), host: '' }
  if (!/^[/\\]/.test(text)) {
    if (base === undefined) return parsePathAndQuery(text, url)
    const relative: UrlRecord = { ...url, host: base.host, path: [...base.path], query: base.query }
    if (!startsWithDrive(text)) return parseAgainstPath(text, relative)
    return parsePathAndQuery(text, { ...relative, path: [], query: null })
  }
  if (!/^[/\\]{2}/.test(text)) {
    const rest = text.slice(1)
    if (base !== undefined) {
      url.host = base.host as string
      if (!startsWithDrive(rest) && /^[a-z]:$/i.test(base.path[0] ?? '')) url.path = [base.path[0]]
    }
    return parsePathAndQuery(rest, url)
  }
  const [name] = /^[^/\\?]*/.exec(text.slice(2)) as RegExpExecArray
  const rest = text.slice(2 + name.length)
  if (/^[a-z][:|]$/i.test(name)) return parsePathAndQuery(text.slice(2), url)
  if (name !== '') {
    const host = parseHost(name, true)
    if (host === undefined) return undefined
    url.host = host === 'localhost' ? '' : host
  }
  return parsePathAndQuery(rest.replace(/^[/\\]/, ''), url)
}

const startsWithDrive = (text: string): boolean => /^[a-z][:|](?:$|[/\\?#])/i.test(text)

/** Authority state and what follows. */
function parseAuthority(text: string, url: UrlRecord): UrlRecord | undefined {
  const special = isSpecial(url.scheme)
  const [authority] = (special ? /^[^/\\?]*/ : /^[^/?]*/).exec(text) as RegExpExecArray
  const at = authority.lastIndexOf('@')
  if (at >= 0) {
    const colon = authority.indexOf(':')
    const end = colon >= 0 && colon < at ? colon : at
    url.username = percentEncode(authority.slice(0, end), encodeSets.userinfo)
    url.password = percentEncode(authority.slice(end + 1, Math.max(at, end + 1)), encodeSets.userinfo)
    if (at === authority.length - 1) return undefined
  }
  const [name, port] = splitPort(authority.slice(at + 1))
  if (name === '' && (special || port !== undefined)) return undefined
  const host = name === '' ? '' : parseHost(name, special)
  if (host === undefined || (port !== undefined && !/^\d*$/.test(port)) || !setPort(url, port ?? '')) return undefined
  url.host = host
  const rest = text.slice(authority.length)
  // An authority may be followed by nothing: then a special URL has the path "/", another one has none.
  if (!special && (rest === '' || rest.startsWith('?'))) {
    setQuery(url, splitQuery(rest)[1])
    return url
  }
  return parsePathAndQuery((special ? /^[/\\]/ : /^\//).test(rest) ? rest.slice(1) : rest, url)
}

/** Host and port around the first colon that is not inside of brackets. */
export function splitPort(text: string): [host: string, port: string | undefined] {
  let inside = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '[') inside = true
    else if (character === ']') inside = false
    else if (character === ':' && !inside) return [text.slice(0, i), text.slice(i + 1)]
  }
  return [text, undefined]
}

/** Sets the port from digits (none: leaves it); false when it is above 65535. The scheme's default is stored as null. */
export function setPort(url: UrlRecord, digits: string): boolean {
  if (digits === '') return true
  const port = Number(digits)
  if (port > 65535) return false
  url.port = port === defaultPorts[url.scheme] ? null : port
  return true
}

function splitQuery(text: string): [path: string, query: string | null] {
  const at = text.indexOf('?')
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

export function setQuery(url: UrlRecord, query: string | null): void {
  url.query = query === null ? null : percentEncode(query, isSpecial(url.scheme) ? encodeSets.specialQuery : encodeSets.query)
}

/** `text` begins after the slash that begins the path. */
function parsePathAndQuery(text: string, url: UrlRecord): UrlRecord {
  const [path, query] = splitQuery(text)
  appendPath(url, path)
  setQuery(url, query)
  return url
}

/** Path state: appends the segments of `text` to the path, walking up for `..`. */
export function appendPath(url: UrlRecord, text: string): void {
  const path = url.path as string[]
  const special = isSpecial(url.scheme)
  const segments = (special && text.includes('\\') ? text.replaceAll('\\', '/') : text).split('/')
  const simple = !/(^|\/)(\.|%2e)/i.test(text) && !text.includes('\\') && url.scheme !== 'file'
  const last = segments.length - 1
  for (let i = 0; i <= last; i++) {
    const segment = segments[i]
    if (!simple && /^(\.|%2e)$/i.test(segment)) {
      if (i === last) path.push('')
    } else if (!simple && /^(\.|%2e){2}$/i.test(segment)) {
      shorten(url)
      if (i === last) path.push('')
    } else if (url.scheme === 'file' && path.length === 0 && /^[a-z][:|]$/i.test(segment)) {
      path.push(`${segment[0]}:`)
    } else {
      path.push(percentEncode(segment, encodeSets.path))
    }
  }
}

function shorten(url: UrlRecord): void {
  const path = url.path as string[]
  if (url.scheme === 'file' && path.length === 1 && /^[a-z]:$/i.test(path[0])) return
  path.pop()
}

export function serializePath({ path }: UrlRecord): string {
  return typeof path === 'string' ? path : path.length === 0 ? '' : `/${path.join('/')}`
}

export function serializeUrl(url: UrlRecord): string {
  let text = `${url.scheme}:`
  if (url.host !== null) {
    text += '//'
    if (url.username !== '' || url.password !== '') text += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`
    text += url.host + (url.port === null ? '' : `:${url.port}`)
  } else if (typeof url.path !== 'string' && url.path.length > 1 && url.path[0] === '') {
    text += '/.' // so that the path is not taken for a host
  }
  text += serializePath(url)
  if (url.query !== null) text += `?${url.query}`
  if (url.fragment !== null) text += `#${url.fragment}`
  return text
}
