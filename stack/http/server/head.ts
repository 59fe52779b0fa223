/**
 * The head of a request (RFC 9112 sections 2 to 6), strictly: what two programs could understand differently is refused, because that
 * is what request smuggling is made of.
 */
import type { RequestHead as Shared } from '@xen-ts/runtime/web/slots'
import type { Endpoint } from '../../socket.ts'
import { BadMessage } from '../message/bad-message.ts'
import { TOKEN } from '../message/field.ts'
import { type Field, HeadFields, headLines } from '../message/head.ts'
import { authorityIn, isHost, MAX_TARGET, targetUrl } from './target.ts'

export interface RequestHead {
  readonly method: string
  /** Absolute: see target.ts. */
  readonly url: string
  /** The authority in `url` is the server's own address, since the request has none: another connection may have another. */
  readonly isLocal: boolean
  /** Names in lower case, in the order of the request; the Cookie fields are one. */
  readonly fields: readonly Field[]
  /** HTTP/1.1 (or later of major version 1); false for 1.0. */
  readonly isHttp11: boolean
  readonly keepAlive: boolean
  /** Bytes of the body, or CHUNKED. */
  readonly length: number
  /** The client waits for 100 Continue before it sends the body. */
  readonly expectsContinue: boolean
  /** What requests with this head share, once there was one: see request.ts. */
  template?: Shared
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
export function parseHead(text: string, socket: Local): RequestHead | BadMessage {
  const lines = headLines(text)
  if (lines instanceof BadMessage) return lines
  const match = REQUEST_LINE.exec(lines[0])
  if (match === null) return badLine(lines[0])
  const [, method, target, major, minor] = match
  if (!TOKEN.test(method)) return new BadMessage(400, 'the method is not a token')
  if (major !== '1') return new BadMessage(505, `HTTP/${major}.${minor} is not spoken here, HTTP/1.1 is`)
  if (target.length > MAX_TARGET) return new BadMessage(414, `the target is longer than ${MAX_TARGET} bytes`)

  const fields = new HeadFields()
  const { list } = fields
  let host: string | undefined
  let expects = false
  let hostAt = -1
  let cookie = -1
  const special = (name: string, value: string): BadMessage | boolean => {
    if (name === 'host') {
      if (host !== undefined) return new BadMessage(400, 'there is more than one Host field')
      host = value
      hostAt = list.length
    } else if (name === 'expect') {
      for (const expected of value.toLowerCase().split(',')) {
        if (expected.trim() === '') continue
        if (expected.trim() !== '100-continue') return new BadMessage(417, 'only 100-continue may be expected')
        expects = true
      }
    } else if (name === 'cookie') {
      // Not with a comma, as lists are: a cookie may contain one (RFC 6265bis section 5.8.3, RFC 9113 section 8.2.3).
      if (cookie >= 0) {
        list[cookie] = [name, `${list[cookie][1]}; ${value}`]
        return true
      }
      cookie = list.length
    }
    return false
  }
  const wrong = fields.read(lines, special)
  if (wrong !== undefined) return wrong

  const isHttp11 = minor !== '0'
  if (host === undefined ? isHttp11 : !isHost(host)) return new BadMessage(400, 'the Host field is missing or not a host')
  const length = fields.bodyLength(isHttp11, 0)
  if (typeof length !== 'number') return length
  // RFC 9112 section 3.3: without an authority it is the server's own.
  const url = targetUrl(method, target, host || authorityOf(socket.local))
  if (typeof url !== 'string') return url
  // RFC 9112 section 3.2.2: where the target has an authority, that of the Host field is to be ignored, by programs too.
  const authority = authorityIn(target)
  if (authority !== undefined && hostAt >= 0) list[hostAt] = ['host', authority]
  const keepAlive = fields.keepsAlive(isHttp11)
  return { method, url, isLocal: !host, fields: list, isHttp11, keepAlive, length, expectsContinue: expects && isHttp11 }
}

function badLine(line: string): BadMessage {
  const isOtherVersion = / HTTP\/\d+(\.\d+)?$/.test(line) && !/ HTTP\/\d\.\d$/.test(line)
  if (isOtherVersion) return new BadMessage(505, 'that version of HTTP is not spoken here, HTTP/1.1 is')
  return new BadMessage(400, 'the request line is not of the form METHOD target HTTP/1.1')
}

function authorityOf({ address, port }: Endpoint): string {
  const host = address.includes(':') ? `[${address}]` : address
  return port === 80 ? host : `${host}:${port}`
}
