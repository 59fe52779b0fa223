/**
 * The head of a request (RFC 9112 sections 2 to 6), strictly: what two programs could understand differently is refused, because that
 * is what request smuggling is made of.
 */

/** Bounds on a head: bytes of the request line, of the whole, and number of fields. */
export const MAX_LINE = 8 * 1024
export const MAX_HEAD = 16 * 1024
export const MAX_FIELDS = 100

export interface RequestHead {
  readonly method: string
  /** Absolute: `http://` with the Host field and the target. */
  readonly url: string
  /** Names in lower case, in the order of the request. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** HTTP/1.1 (or later of major version 1); false for 1.0. */
  readonly isHttp11: boolean
  readonly keepAlive: boolean
  /** Bytes of the body; -1 for chunked transfer coding. */
  readonly length: number
  /** The client waits for 100 Continue before it sends the body. */
  readonly expectsContinue: boolean
  /** What requests with this head are copied from, once there was one: see request.ts. */
  template?: Request
}

/** A request that is answered without the handler, and then the connection is closed: nobody knows where the next one begins. */
export class BadRequest {
  readonly status: number
  /** One sentence for the client's author. */
  readonly reason: string

  constructor(status: number, reason: string) {
    this.status = status
    this.reason = reason
  }
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** All that may stand in a head: visible ASCII, space, tab, line ends, and octets above 127 in field values. */
const NOT_TEXT = /[^\t\r\n\x20-\x7e\x80-\xff]/
const REQUEST_LINE = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/
const TARGET = /^[\x21-\x7e]+$/
/** A name, an address, or an IPv6 address in brackets, with or without a port. */
const HOST = /^(?:[A-Za-z0-9\-._~%!$&'()*+,;=]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/

/** Reads a head: `text` is what comes before the empty line, one character a byte, without its line end. */
export function parseHead(text: string): RequestHead | BadRequest {
  if (NOT_TEXT.test(text)) return new BadRequest(400, 'the request head contains control characters')
  const lines = text.split('\r\n')
  const match = REQUEST_LINE.exec(lines[0])
  if (match === null) return badLine(lines[0])
  const [, method, target, major, minor] = match
  if (!TOKEN.test(method)) return new BadRequest(400, 'the method is not a token')
  if (major !== '1') return new BadRequest(505, `HTTP/${major}.${minor} is not spoken here, HTTP/1.1 is`)
  if (target.length > MAX_LINE) return new BadRequest(414, `the target is longer than ${MAX_LINE} bytes`)
  if (lines.length - 1 > MAX_FIELDS) return new BadRequest(431, `there are more than ${MAX_FIELDS} header fields`)

  const fields: (readonly [string, string])[] = []
  let host: string | undefined
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let expect = ''
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]
    const colon = line.indexOf(':')
    // A line that begins with white space is a folded one (obs-fold), white space before the colon another trap: no tokens.
    if (colon < 1 || !TOKEN.test(line.slice(0, colon))) return new BadRequest(400, `header line ${i} is not of the form name: value`)
    if (line.includes('\r') || line.includes('\n')) return new BadRequest(400, `header line ${i} contains half a line end`)
    const name = line.slice(0, colon).toLowerCase()
    const value = trim(line, colon + 1)
    switch (name) {
      case 'host':
        if (host !== undefined) return new BadRequest(400, 'there is more than one Host field')
        host = value
        break
      case 'content-length':
        if (length !== undefined) return new BadRequest(400, 'there is more than one Content-Length field')
        length = value
        break
      case 'transfer-encoding':
        coding = coding === undefined ? value : `${coding}, ${value}`
        break
      case 'connection':
        connection += `${value.toLowerCase()},`
        break
      case 'expect':
        expect = value.toLowerCase()
        break
    }
    fields.push([name, value])
  }

  const isHttp11 = minor !== '0'
  if (host === undefined ? isHttp11 : !HOST.test(host)) return new BadRequest(400, 'the Host field is missing or not a host')
  if (expect !== '' && expect !== '100-continue') return new BadRequest(417, 'only 100-continue may be expected')
  const size = bodyLength(length, coding, isHttp11)
  if (typeof size !== 'number') return size
  const url = targetUrl(method, target, host ?? 'localhost')
  if (typeof url !== 'string') return url
  const keepAlive = keepsAlive(connection, isHttp11)
  return { method, url, fields, isHttp11, keepAlive, length: size, expectsContinue: expect !== '' && isHttp11 }
}

function badLine(line: string): BadRequest {
  const isOtherVersion = / HTTP\/\d+(\.\d+)?$/.test(line) && !/ HTTP\/\d\.\d$/.test(line)
  if (isOtherVersion) return new BadRequest(505, 'that version of HTTP is not spoken here, HTTP/1.1 is')
  return new BadRequest(400, 'the request line is not of the form METHOD target HTTP/1.1')
}

/** RFC 9112 section 6.3. -1 for chunked. */
function bodyLength(length: string | undefined, coding: string | undefined, isHttp11: boolean): number | BadRequest {
  if (coding !== undefined) {
    if (length !== undefined) return new BadRequest(400, 'there are both Content-Length and Transfer-Encoding')
    if (!isHttp11) return new BadRequest(400, 'HTTP/1.0 has no Transfer-Encoding')
    if (coding.toLowerCase() !== 'chunked') return new BadRequest(501, 'the only transfer coding here is chunked')
    return -1
  }
  if (length === undefined) return 0
  if (!/^\d{1,15}$/.test(length)) return new BadRequest(400, 'Content-Length is not a number')
  return +length
}

/** RFC 9112 section 3.2: origin form, absolute form, and the asterisk of OPTIONS. */
function targetUrl(method: string, target: string, host: string): string | BadRequest {
  if (method === 'CONNECT' || method === 'TRACE' || method === 'TRACK') return new BadRequest(405, `${method} is not possible here`)
  if (!TARGET.test(target)) return new BadRequest(400, 'the target contains characters that must be percent-encoded')
  if (target[0] === '/') return `http://${host}${target}`
  if (target === '*' && method === 'OPTIONS') return `http://${host}/*`
  if (/^https?:\/\/[^/?#]/i.test(target)) return target
  return new BadRequest(400, 'the target is neither a path nor an http URL')
}

function keepsAlive(connection: string, isHttp11: boolean): boolean {
  if (connection === '') return isHttp11
  const tokens = connection.split(',').map(token => token.trim())
  return isHttp11 ? !tokens.includes('close') : tokens.includes('keep-alive') && !tokens.includes('close')
}

/** `line` from `from` on without spaces and tabs at either end. */
function trim(line: string, from: number): string {
  let end = line.length
  while (from < end && (line[from] === ' ' || line[from] === '\t')) from++
  while (end > from && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--
  return line.slice(from, end)
}
