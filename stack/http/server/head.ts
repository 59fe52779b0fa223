/**
 * The head of a request (RFC 9112 sections 2 to 6), strictly: what two programs could understand differently is refused, because that
 * is what request smuggling is made of.
 */
import type { Endpoint } from '../../socket.ts'
import { BadRequest } from './bad-request.ts'
import { fieldColon, NOT_TEXT, TOKEN, trimmed } from './field.ts'
import { authorityIn, isHost, MAX_TARGET, targetUrl } from './target.ts'

/** Bounds on a head: bytes of the whole, and number of fields. */
export const MAX_HEAD = 16 * 1024
export const MAX_FIELDS = 100

export interface RequestHead {
  readonly method: string
  /** Absolute: see target.ts. */
  readonly url: string
  /** The authority in `url` is the server's own address, since the request has none: another connection may have another. */
  readonly isLocal: boolean
  /** Names in lower case, in the order of the request; the Cookie fields are one. */
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

const REQUEST_LINE = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/

/** The server's end of a connection, asked only where a request has no authority. */
export interface Local {
  readonly local: Endpoint
}

/**
 * Reads a head.
 * @param text what comes before the empty line, one character a byte, without its line end
 */
export function parseHead(text: string, socket: Local): RequestHead | BadRequest {
  if (NOT_TEXT.test(text)) return new BadRequest(400, 'the request head contains control characters')
  const lines = text.split('\r\n')
  const match = REQUEST_LINE.exec(lines[0])
  if (match === null) return badLine(lines[0])
  const [, method, target, major, minor] = match
  if (!TOKEN.test(method)) return new BadRequest(400, 'the method is not a token')
  if (major !== '1') return new BadRequest(505, `HTTP/${major}.${minor} is not spoken here, HTTP/1.1 is`)
  if (target.length > MAX_TARGET) return new BadRequest(414, `the target is longer than ${MAX_TARGET} bytes`)
  if (lines.length - 1 > MAX_FIELDS) return new BadRequest(431, `there are more than ${MAX_FIELDS} header fields`)

  const fields: (readonly [string, string])[] = []
  let host: string | undefined
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let expects = false
  let hostAt = -1
  let cookie = -1
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]
    const colon = fieldColon(line)
    if (colon < 0) return new BadRequest(400, `header line ${i} is not of the form name: value`)
    if (line.includes('\r') || line.includes('\n')) return new BadRequest(400, `header line ${i} contains half a line end`)
    const name = line.slice(0, colon).toLowerCase()
    const value = trimmed(line, colon + 1)
    switch (name) {
      case 'host':
        if (host !== undefined) return new BadRequest(400, 'there is more than one Host field')
        host = value
        hostAt = fields.length
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
        for (const expected of value.toLowerCase().split(',')) {
          if (expected.trim() === '') continue
          if (expected.trim() !== '100-continue') return new BadRequest(417, 'only 100-continue may be expected')
          expects = true
        }
        break
      case 'cookie':
        // Not with a comma, as lists are: a cookie may contain one (RFC 6265bis section 5.8.3, RFC 9113 section 8.2.3).
        if (cookie >= 0) {
          fields[cookie] = [name, `${fields[cookie][1]}; ${value}`]
          continue
        }
        cookie = fields.length
        break
    }
    fields.push([name, value])
  }

  const isHttp11 = minor !== '0'
  if (host === undefined ? isHttp11 : !isHost(host)) return new BadRequest(400, 'the Host field is missing or not a host')
  const size = bodyLength(length, coding, isHttp11)
  if (typeof size !== 'number') return size
  // RFC 9112 section 3.3: without an authority it is the server's own.
  const url = targetUrl(method, target, host || authorityOf(socket.local))
  if (typeof url !== 'string') return url
  // RFC 9112 section 3.2.2: where the target has an authority, that of the Host field is to be ignored, by programs too.
  const authority = authorityIn(target)
  if (authority !== undefined && hostAt >= 0) fields[hostAt] = ['host', authority]
  const keepAlive = keepsAlive(connection, isHttp11)
  return { method, url, isLocal: !host, fields, isHttp11, keepAlive, length: size, expectsContinue: expects && isHttp11 }
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

function authorityOf({ address, port }: Endpoint): string {
  const host = address.includes(':') ? `[${address}]` : address
  return port === 80 ? host : `${host}:${port}`
}

function keepsAlive(connection: string, isHttp11: boolean): boolean {
  if (connection === '') return isHttp11
  const tokens = connection.split(',').map(token => token.trim())
  return isHttp11 ? !tokens.includes('close') : tokens.includes('keep-alive') && !tokens.includes('close')
}
