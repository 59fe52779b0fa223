/**
 * The head of a response (RFC 9112 sections 4 to 6), as strictly as the server reads requests: behind a response that is taken for longer
 * or shorter than it is stands one that nobody gave.
 */
import { BadMessage } from '../message/bad-message.ts'
import { type Field, HeadFields, headLines, UNTIL_CLOSE } from '../message/head.ts'

export interface ResponseHead {
  readonly status: number
  readonly phrase: string
  /** Names in lower case, in the order of the response. */
  readonly fields: readonly Field[]
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
  const lines = headLines(text)
  if (lines instanceof BadMessage) return lines.reason
  const match = STATUS_LINE.exec(lines[0])
  if (match === null) return 'the status line is not of the form HTTP/1.1 200 phrase'
  const isHttp11 = match[1] !== '0'
  const status = +match[2]

  const fields = new HeadFields()
  let location: string | undefined
  let idle = Infinity
  const wrong = fields.read(lines, (name, value) => {
    if (name === 'keep-alive') {
      idle = keepAliveTimeout(value)
    } else if (name === 'location') {
      if (location !== undefined && location !== value) return new BadMessage(400, 'there are two Location fields')
      location = value
    }
    return false
  })
  if (wrong !== undefined) return wrong.reason

  const size = fields.bodyLength(isHttp11, UNTIL_CLOSE)
  if (typeof size !== 'number') return size.reason
  const isBodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  // RFC 9110 sections 8.6 and 9112 6.1: 1xx and 204 have no such fields. Who sends them may also send the body.
  const isOdd = isBodiless && method !== 'HEAD' && status !== 304 && fields.isFramed && size !== 0
  const keepAlive = fields.keepsAlive(isHttp11) && !isOdd && (isBodiless || size !== UNTIL_CLOSE)
  return { status, phrase: match[3] ?? '', fields: fields.list, length: isBodiless ? 0 : size, keepAlive, idle, location }
}

/** `timeout=5, max=100`: a habit of servers, not a standard's field. */
function keepAliveTimeout(value: string): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})(?:$|[,\s])/i.exec(value)?.[1]
  return seconds === undefined ? Infinity : +seconds
}
