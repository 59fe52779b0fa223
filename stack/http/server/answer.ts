/** The head of a response as bytes (RFC 9112 section 4, RFC 9110). */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { HEAD, HEADERS, type HeaderList, LIST, type ResponseHead, type SOURCE } from '@xen-ts/runtime/web/slots'
import type { Patience } from './patience.ts'
import type { Service } from './service.ts'
import { reasonPhrase, statusPhrase } from './status.ts'

/** How the end of a body is told: by its length, by chunks, or by the end of the connection (to clients of HTTP/1.0). */
export const CHUNKED = -1
export const UNTIL_CLOSE = -2
/** No body and no length: 204, 304 and their like. */
export const NO_BODY = -3

/** Fields that describe the connection: the server decides them, not the handler. */
const ours = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'proxy-connection', 'te', 'trailer'])

/** How most responses begin. */
const OK = 'HTTP/1.1 200 OK\r\n'

/** What a head says of a handler's response; undefined for an answer of the server's own. */
type Said = Pick<Response, 'status' | 'statusText' | 'headers'>

/** `length` in bytes, or one of the constants above; `date` and `connection` are whole lines with line end, or empty. */
export function headText(status: number, response: Said | undefined, length: number, date: string, connection: string): string {
  const phrase = response === undefined ? reasonPhrase(status) : statusPhrase(status, response.statusText)
  // Sums and not templates, which in the engine are calls of concat(): 2 % of a request.
  let text = status === 200 && phrase === 'OK' ? OK : `HTTP/1.1 ${status} ${phrase}\r\n`
  let dateLine = date
  if (response !== undefined) {
    response.headers.forEach((value, name) => {
      if (ours.has(name)) {
        // RFC 9110 section 15.5.22: this status says what to upgrade to.
        if (status === 426 && name === 'upgrade') text += `upgrade: ${value}\r\nconnection: upgrade\r\n`
        return
      }
      if (name === 'date') dateLine = ''
      text = text + name + ': ' + value + '\r\n'
    })
  }
  if (length >= 0) text = text + 'content-length: ' + length + '\r\n'
  else if (length === CHUNKED) text += 'transfer-encoding: chunked\r\n'
  return text + dateLine + connection + '\r\n'
}

/**
 * The head for a response of the runtime, whose inside is known: what differs from answer to answer is added to the rest. A program that says
 * the same again and again, in as many bytes, gets the last once more.
 */
class Written {
  readonly top: string
  /** The program says the date. */
  readonly isDated: boolean
  /** The last head, and what it was made of. */
  text = ''
  length = -1
  second = -1
  connection = ''

  constructor(head: ResponseHead, list: HeaderList) {
    const { status, statusText } = head
    const { pairs } = list
    let top = status === 200 && statusText === '' ? OK : `HTTP/1.1 ${status} ${statusPhrase(status, statusText)}\r\n`
    for (const [name, value] of pairs) if (!ours.has(name)) top = top + name + ': ' + value + '\r\n'
    this.top = `${top}content-length: `
    this.isDated = list.has('date')
  }
}

/** The array of the last small answer, with what is in it: written over when its client has taken all, which it mostly has when anybody asks again. */
export class Answer {
  bytes = EMPTY
  taker: Pick<Patience, 'isAllTaken'> | undefined = undefined
  /** Whose text is at its begin. */
  head: Written | undefined = undefined

  /** It is too large to be kept. */
  forget(): void {
    this.bytes = EMPTY
    this.head = undefined
  }
}
const EMPTY = new Uint8Array(0)

/**
 * The whole answer with a body of text, so many bytes of `service.answer`; 0 when the body is not one byte a character. `connection` as above.
 * @param taker knows when the client has taken it
 */
export function answerWithText(
  service: Service,
  response: Slotted,
  body: string,
  connection: string,
  taker: Pick<Patience, 'isAllTaken'>,
): number {
  const head = response[HEAD]
  const headers = response[HEADERS]
  const list = headers === undefined ? head.list : headers[LIST]
  const isLasting = list === head.list && list.isShared
  let written = isLasting ? (head.written as Written | undefined) : undefined
  if (written === undefined) {
    written = new Written(head, list)
    if (isLasting) head.written = written
  }
  const answer = service.answer
  const length = body.length
  // Numbers first: the engine compares texts to their end.
  if (written.length !== length || written.second !== service.second || written.connection !== connection) {
    written.text = written.top + length + (written.isDated ? '\r\n' : '\r\n' + service.date) + connection + '\r\n'
    written.length = length
    written.second = service.second
    written.connection = connection
    if (answer.head === written) answer.head = undefined
  }
  const text = written.text
  const at = text.length
  const size = at + length
  if (size > answer.bytes.length || !answer.taker!.isAllTaken) {
    answer.bytes = new Uint8Array(size)
    answer.head = undefined
  }
  answer.taker = taker
  const abi = service.abi
  if (length > 0 && abi.utf8Encode(body, answer.bytes, at) !== length) return 0
  if (answer.head !== written) {
    writeText(abi, text, answer.bytes)
    answer.head = written
  }
  return size
}

/** What a response of the runtime has inside; Node's has none of it. */
export interface Slotted {
  readonly [HEAD]: ResponseHead
  readonly [HEADERS]?: { readonly [LIST]: HeaderList }
  [SOURCE]?: unknown
}

/** One byte a character, as HTTP wants it; and a body behind it. */
export function encodeText(abi: HostFunctions, text: string, body?: Uint8Array): Uint8Array {
  const length = text.length
  const bytes = new Uint8Array(body === undefined ? length : length + body.length)
  writeText(abi, text, bytes)
  if (body !== undefined) abi.copy(bytes, length, body, 0, body.length)
  return bytes
}

function writeText(abi: HostFunctions, text: string, bytes: Uint8Array): void {
  const length = text.length
  if (abi.utf8Encode(text, bytes, 0) === length) return
  // Characters above 127: header values are byte strings (Fetch), so each is one byte.
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i)
}

/** The Date line (RFC 9110 section 6.6.1), made once a second by the server. */
export const dateLine = (wall: number): string => `date: ${new Date(wall).toUTCString()}\r\n`

/** Whether responses with this status have no body whatever the handler says (RFC 9110 section 6.4.1). */
export const isBodiless = (status: number): boolean => status === 204 || status === 304 || status < 200
