/** A request as it goes out (RFC 9112 section 3): where to, its head as bytes, and what programs may not say in it. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { encodeText } from '../server/answer.ts'
import { isHost } from '../server/target.ts'
import { HttpError } from './error.ts'

export interface Outgoing {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly place: Place
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Bytes can be sent again, a stream cannot. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined
}

/** What a URL says. */
export interface Place {
  /** As the Host field has it, which for http is the origin too. */
  readonly authority: string
  /** For DNS, or an address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Path and query. */
  readonly target: string
}

/**
 * Fields that describe the connection or the length of the message: the client decides them (https://fetch.spec.whatwg.org/#forbidden-request-header).
 * Of the standard's other forbidden names, which protect users of browsers, programs may use all.
 */
const ours = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const URL_PARTS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*)([^#]*))?/
const AUTHORITY = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/
/** Visible ASCII: what a URL's serializer leaves, and nothing that ends the request line. */
const TARGET = /^\/[!-~]*$/
/** As in NOT_TEXT of field.ts, and no line end either. */
const NOT_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** @throws HttpError, TypeError for what is not http */
export function placeOf(url: string): Place {
  const [, scheme, authority, target] = URL_PARTS.exec(url) ?? []
  if (scheme === 'https') {
    const what = 'https is not there yet, since xen-ts has no TLS so far'
    throw new HttpError('EPROTONOSUPPORT', `${what}: use http, or ask a proxy in another qube that speaks TLS to the server`)
  }
  if (scheme !== 'http') throw new TypeError(`only http URLs can be fetched, not ${scheme ?? 'this'}:`)
  const [, host, port] = AUTHORITY.exec(authority) ?? []
  if (host === undefined || host === '' || !isHost(authority)) throw new TypeError(`'${authority}' is not a host`)
  if (!TARGET.test(target)) throw new TypeError('the path contains characters that must be percent-encoded')
  const number = port === undefined ? 80 : +port
  if (number < 1 || number > 65535) throw new TypeError(`port ${port} does not exist: use 1 to 65535`)
  return { authority, host: host[0] === '[' ? host.slice(1, -1) : host, port: number, target }
}

/** The fields of a program's headers that are sent. @throws TypeError for one that no server would take */
export function fieldsOf(headers: Headers): [string, string][] {
  const fields: [string, string][] = []
  headers.forEach((value, name) => {
    if (ours.has(name)) return
    if (NOT_VALUE.test(value)) throw new TypeError(`the value of header ${name} contains control characters`)
    fields.push([name, value])
  })
  return fields
}

/** Bodies up to so many bytes are copied behind their head, which is cheaper than two pieces. */
const TOGETHER = 4096

/** The head, and behind it a short body. Whether that is the whole request tells `isWhole`. */
export function encodeRequest(abi: HostFunctions, { method, place, fields, body }: Outgoing): { bytes: Uint8Array; isWhole: boolean } {
  let text = `${method} ${place.target} HTTP/1.1\r\nhost: ${place.authority}\r\n`
  let agent = USER_AGENT
  let accept = ACCEPT
  for (const [name, value] of fields) {
    if (name === 'user-agent') agent = ''
    else if (name === 'accept') accept = ''
    text += `${name}: ${value}\r\n`
  }
  // RFC 9110 section 8.6: a method that is made for bodies says so when there is none.
  if (body === undefined) text += method === 'POST' || method === 'PUT' ? 'content-length: 0\r\n' : ''
  else text += body instanceof Uint8Array ? `content-length: ${body.length}\r\n` : 'transfer-encoding: chunked\r\n'
  text += `${accept}${agent}\r\n`
  const isShort = body instanceof Uint8Array && body.length <= TOGETHER
  return { bytes: encodeText(abi, text, isShort ? body : undefined), isWhole: body === undefined || isShort }
}

const USER_AGENT = 'user-agent: xen-ts\r\n'
const ACCEPT = 'accept: */*\r\n'
