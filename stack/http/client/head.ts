/**
 * The head of a response (RFC 9112 sections 4 to 6), as strictly as the server reads requests: what two programs could understand
 * differently is refused, since behind a response that is taken for longer or shorter than it is stands one that nobody gave.
 */
import { fieldColon, NOT_TEXT, trimmed } from '../server/field.ts'
import { MAX_FIELDS } from '../server/head.ts'
import { CHUNKED, UNTIL_CLOSE } from './body.ts'

export interface ResponseHead {
  readonly status: number
  readonly phrase: string
  /** Names in lower case, in the order of the response. */
  readonly fields: [name: string, value: string][]
  /** Bytes of the body, CHUNKED or UNTIL_CLOSE. */
  readonly length: number
  /** The connection may be used again after the body. */
  readonly keepAlive: boolean
  /** Seconds after which the server closes an idle connection, if it says so. */
  readonly idle: number
  readonly location: string | undefined
}

/** The phrase may be empty; its space is forgiven then, since many servers leave it out and nothing hangs on it (RFC 9112 section 4). */
const STATUS_LINE = /^HTTP\/1\.(\d) ([1-5]\d\d)(?: ([^\r\n]*))?$/

/**
 * Reads a head.
 * @param text what comes before the empty line, one character a byte, without its line end
 * @param method of the request: a response to HEAD has no body
 * @returns what is wrong with it, as the end of a sentence
 */
export function parseResponseHead(text: string, method: string): ResponseHead | string {
  if (NOT_TEXT.test(text)) return 'the head contains control characters'
  const lines = text.split('\r\n')
  const match = STATUS_LINE.exec(lines[0])
  if (match === null) return 'the status line is not of the form HTTP/1.1 200 phrase'
  if (lines.length - 1 > MAX_FIELDS) return `there are more than ${MAX_FIELDS} header fields`
  const isHttp11 = match[1] !== '0'
  const status = +match[2]

  const fields: [string, string][] = []
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let location: string | undefined
  let idle = Infinity
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]
    const colon = fieldColon(line)
    if (colon < 0) return `header line ${i} is not of the form name: value`
    if (line.includes('\r') || line.includes('\n')) return `header line ${i} contains half a line end`
    const name = line.slice(0, colon).toLowerCase()
    const value = trimmed(line, colon + 1)
    switch (name) {
      case 'content-length':
        if (length !== undefined) return 'there is more than one Content-Length field'
        length = value
        break
      case 'transfer-encoding':
        coding = coding === undefined ? value : `${coding}, ${value}`
        break
      case 'connection':
        connection += `${value.toLowerCase()},`
        break
      case 'keep-alive':
        idle = keepAliveTimeout(value)
        break
      case 'location':
        if (location !== undefined && location !== value) return 'there are two Location fields'
        location = value
        break
    }
    fields.push([name, value])
  }

  const size = bodyLength(length, coding, isHttp11)
  if (typeof size !== 'number') return size
  const isBodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  // RFC 9110 sections 8.6 and 9112 6.1: 1xx and 204 have no such fields. Who sends them may also send the body.
  const isOdd = isBodiless && method !== 'HEAD' && status !== 304 && (coding !== undefined || (length !== undefined && size !== 0))
  const keepAlive = keepsAlive(connection, isHttp11) && !isOdd && (isBodiless || size !== UNTIL_CLOSE)
  return { status, phrase: match[3] ?? '', fields, length: isBodiless ? 0 : size, keepAlive, idle, location }
}

/** RFC 9112 section 6.3. */
function bodyLength(length: string | undefined, coding: string | undefined, isHttp11: boolean): number | string {
  if (coding !== undefined) {
    if (length !== undefined) return 'there are both Content-Length and Transfer-Encoding'
    if (!isHttp11) return 'HTTP/1.0 has no Transfer-Encoding'
    if (coding.toLowerCase() !== 'chunked') return 'the only transfer coding here is chunked'
    return CHUNKED
  }
  if (length === undefined) return UNTIL_CLOSE
  return /^\d{1,15}$/.test(length) ? +length : 'Content-Length is not a number'
}

function keepsAlive(connection: string, isHttp11: boolean): boolean {
  if (connection === '') return isHttp11
  const tokens = connection.split(',').map(token => token.trim())
  return isHttp11 ? !tokens.includes('close') : tokens.includes('keep-alive') && !tokens.includes('close')
}

/** `timeout=5, max=100`: a habit of servers, not a standard's field. */
function keepAliveTimeout(value: string): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})(?:$|[,\s])/i.exec(value)?.[1]
  return seconds === undefined ? Infinity : +seconds
}
