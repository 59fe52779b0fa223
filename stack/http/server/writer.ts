/** Writes responses to a socket: whole ones in as few pieces as possible, streams as they come. */
import { DOMException } from '@xen-ts/runtime/web'
import { SOURCE, USED } from '@xen-ts/runtime/web/slots'
import type { ByteSocket } from '../../socket.ts'
import { answerWithText, CHUNKED, encodeText, headText, isBodiless, NO_BODY, type Slotted, UNTIL_CLOSE } from './answer.ts'
import type { RequestHead } from './head.ts'
import type { Patience } from './patience.ts'
import { responseStream } from './request.ts'
import type { Service } from './service.ts'
import { pumpBody } from './stream-body.ts'

/** Bodies up to so many bytes are copied behind their head, which is cheaper than two pieces; larger ones stay where they are. */
const TOGETHER = 4096

export class ResponseWriter {
  /** The socket is gone: what is still written goes nowhere. */
  declare isClosed: boolean
  /** A response is being sent whose body comes as a stream. */
  declare isStreaming: boolean
  /** A stream has said something; the owner sets it to false. */
  declare hasMoved: boolean
  declare private readonly service: Service
  declare private readonly socket: ByteSocket
  declare private writable: (() => void) | undefined
  declare private left: ((reason: unknown) => void) | undefined

  constructor(service: Service, socket: ByteSocket) {
    this.service = service
    this.socket = socket
  }

  static {
    // What few change is none's own until then.
    Object.assign(ResponseWriter.prototype, { isClosed: false, isStreaming: false, hasMoved: false, writable: undefined, left: undefined })
  }

  continue(): void {
    this.say('HTTP/1.1 100 Continue\r\n\r\n')
  }

  /** The last words in HTTP. */
  upgraded(response: Response, protocol: string): void {
    this.say(headText(101, response, NO_BODY, this.service.date, `upgrade: ${protocol}\r\nconnection: Upgrade\r\n`))
  }

  /** A response whose body is known. */
  whole(head: RequestHead, response: Response, body: Uint8Array, keepAlive: boolean): void {
    const status = response.status
    const bodiless = isBodiless(status)
    const toHead = head.method === 'HEAD'
    const length = bodiless ? NO_BODY : toHead && body.length === 0 ? declaredLength(response.headers) : body.length
    const text = headText(status, response, length, this.service.date, connectionLine(head, keepAlive))
    if (bodiless || toHead || body.length === 0) {
      this.say(text)
    } else if (body.length <= TOGETHER) {
      this.write(encodeText(this.service.abi, text, body))
    } else {
      this.say(text)
      this.write(body)
    }
  }

  /** A response of the runtime whose body is text and counts as used then. False when it has to go the long way. */
  text(head: RequestHead, response: Slotted, body: string, keepAlive: boolean, taker: Patience): boolean {
    const service = this.service
    const line = keepAlive && head.isHttp11 ? '' : connectionLine(head, keepAlive)
    const size = answerWithText(service, response, body, line, taker)
    if (size === 0) return false
    response[SOURCE] = USED
    this.socket.queue(service.answer.bytes, 0, size)
    if (size > TOGETHER) service.answer.forget()
    return true
  }

  /** An answer of the server's own: one line of text. `head` is undefined when the request could not be understood. */
  plain(head: RequestHead | undefined, status: number, reason: string, keepAlive: boolean): void {
    const text = `${status}: ${reason}\n`
    const allow = status === 405 ? 'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : ''
    const fields = `content-type: text/plain; charset=utf-8\r\n${allow}${this.service.date}`
    const top = headText(status, undefined, text.length, fields, head === undefined ? CLOSE : connectionLine(head, keepAlive))
    this.say(head?.method === 'HEAD' ? top : top + text)
  }

  /**
   * A response whose body comes as a stream. Throws when there cannot be such a response, and nothing was sent then. Resolves when all of it
   * was queued; rejects with what the stream fails with: then the head is out, and the only way to tell the client is to break the
   * connection.
   */
  stream(head: RequestHead, response: Response, keepAlive: boolean): Promise<void> {
    const { status } = response
    const body = responseStream(response)
    const length = isBodiless(status) ? NO_BODY : head.isHttp11 ? CHUNKED : UNTIL_CLOSE
    this.say(headText(status, response, length, this.service.date, connectionLine(head, keepAlive)))
    if (length !== NO_BODY && head.method !== 'HEAD') return this.pump(body, length === CHUNKED)
    // Not awaited: the next request does not wait for what a program does at the end of its stream.
    body.cancel(new DOMException('a response to HEAD, or with this status, has no body', 'AbortError')).catch(() => {})
    return Promise.resolve()
  }

  private async pump(body: ReadableStream<Uint8Array>, chunked: boolean): Promise<void> {
    this.isStreaming = true
    await pumpBody(this.service.abi, body, chunked, this)
    this.isStreaming = false
    this.left = undefined
  }

  write(bytes: Uint8Array): void {
    this.socket.queue(bytes, 0, bytes.length)
  }

  /** Sends what was written; a promise when there is no more room, until there is. */
  flush(): Promise<void> | undefined {
    this.hasMoved = true
    this.socket.flush()
    if (this.socket.room > 0 || this.isClosed) return undefined
    return new Promise(resolve => {
      this.writable = resolve
    })
  }

  whenClosed(left: (reason: unknown) => void): void {
    this.left = left
  }

  /** The client is gone; `c` says why when somebody is to be told, who is there only while a stream is. */
  close(c: { whyGone(): unknown }): void {
    this.isClosed = true
    if (this.left !== undefined) {
      this.left(c.whyGone())
      this.left = undefined
    }
    this.wake()
  }

  /** There is room again, or the socket is gone. False when no stream waited for that. */
  wake(): boolean {
    const writable = this.writable
    if (writable === undefined) return false
    this.writable = undefined
    writable()
    return true
  }

  private say(text: string): void {
    this.write(encodeText(this.service.abi, text))
  }
}

const CLOSE = 'connection: close\r\n'

function connectionLine(head: RequestHead, keepAlive: boolean): string {
  return !keepAlive ? CLOSE : head.isHttp11 ? '' : 'connection: keep-alive\r\n'
}

/** What a handler says the body of a GET would be long, in its answer to a HEAD. */
function declaredLength(headers: Headers): number {
  const value = headers.get('content-length')
  return value !== null && /^\d{1,15}$/.test(value) ? +value : 0
}
