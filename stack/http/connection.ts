/**
 * One connection of an HTTP/1.1 server: reads requests, one at a time, and writes their responses in order. Pipelined requests wait in
 * the receive buffer, so that a client that sends faster than it reads is held back by TCP.
 */
import { describeError } from '@xen-ts/runtime/format.ts'
import type { ByteSocket, SocketHandler } from '../socket.ts'
import { CHUNKED, encodeText, headText, isBodiless, NO_BODY, UNTIL_CLOSE } from './answer.ts'
import { BodyReader } from './body.ts'
import { BadRequest, MAX_HEAD, type RequestHead } from './head.ts'
import { LINGER } from './options.ts'
import { PendingBytes } from './pending.ts'
import { makeRequest, responseBytes } from './request.ts'
import type { Service } from './service.ts'
import { pumpBody } from './stream-body.ts'

/** Waiting for or reading a head; reading a body; the handler runs; the response waits for room; only the client's end is missing. */
const HEAD = 0
const BODY = 1
const HANDLING = 2
const WRITING = 3
const CLOSING = 4
const CLOSED = 5

/** Bodies up to so many bytes are copied behind their head, which is cheaper than to queue two pieces; larger ones are sent from where they are. */
const TOGETHER = 4096

export class HttpConnection implements SocketHandler {
  readonly #service: Service
  readonly #socket: ByteSocket
  #state = HEAD
  /** Bytes that could not be dealt with yet. */
  readonly #pending: PendingBytes
  #head: RequestHead | undefined = undefined
  #body: BodyReader | undefined = undefined
  #keepAlive = true
  #clientEnded = false
  /** Seconds in the present state without progress, and how many there may be. */
  #idle = 0
  #patience: number
  #lastRoom = 0
  #writable: (() => void) | undefined = undefined

  constructor(service: Service, socket: ByteSocket) {
    this.#service = service
    this.#socket = socket
    this.#pending = new PendingBytes(service.abi)
    this.#patience = service.limits.idleTimeout
  }

  // ---- what the socket says

  onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#state >= CLOSING) return 0
    const pending = this.#pending
    if (this.#state > BODY || pending.length > 0) {
      const before = pending.length
      pending.append(bytes, offset, length)
      // A head that comes in drops is looked at again when a line has ended, not for each drop. Drops do not buy time either.
      if (this.#state <= BODY && (bytes.indexOf(10, offset) >= 0 || pending.length > MAX_HEAD)) this.#readPending()
      const kept = pending.length - before
      if (kept < 0) this.#socket.consumed(-kept)
      return kept > 0 ? kept : 0
    }
    this.#idle = 0
    const end = offset + length
    const at = this.#process(bytes, offset, end)
    this.#socket.flush()
    if (at === end || this.#state >= CLOSING) return 0
    pending.append(bytes, at, end - at)
    return end - at
  }

  onEnd(): void {
    this.#clientEnded = true
    if (this.#state <= BODY) this.#close() // nothing more can be asked
  }

  onWritable(): void {
    const writable = this.#writable
    this.#writable = undefined
    if (writable !== undefined) writable()
    else if (this.#state === WRITING) this.#next()
  }

  onClosed(): void {
    this.#state = CLOSED
    this.#service.connections.delete(this)
    this.#service.closed()
    this.#writable?.()
  }

  // ---- what the server says

  /** Called once a second. */
  tick(): void {
    if (this.#state === HANDLING && this.#writable === undefined) return
    if (this.#socket.room !== this.#lastRoom) {
      this.#lastRoom = this.#socket.room
      this.#idle = 0
      return
    }
    if (++this.#idle < this.#patience) return
    if (this.#state === BODY || (this.#state === HEAD && this.#pending.length > 0)) this.#refuse(new BadRequest(408, 'the request took too long'))
    else if (this.#state === HEAD) this.#close()
    else this.abort()
  }

  /** Takes no further request; an idle connection ends now. */
  drain(): void {
    this.#keepAlive = false
    if (this.#state === HEAD && this.#pending.length === 0) this.#close()
  }

  abort(): void {
    this.#socket.abort()
  }

  // ---- reading

  /** Deals with as much as can be dealt with now; returns where it stopped. */
  #process(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && this.#state <= BODY) {
      if (this.#state === BODY) {
        at = this.#readBody(bytes, at, end)
        continue
      }
      const size = end - at < MAX_HEAD ? end - at : MAX_HEAD
      const text = this.#service.abi.latin1Decode(bytes, at, size)
      const stop = text.indexOf('\r\n\r\n') + 4
      if (stop < 4) {
        this.#incomplete(text, size)
        return at
      }
      if (text.startsWith('\r\n')) {
        at += 2 // RFC 9112 section 2.2: an empty line before a request is forgiven
        continue
      }
      at += stop
      const head = this.#service.heads.parse(stop === text.length ? text : text.slice(0, stop))
      if (head instanceof BadRequest) this.#refuse(head)
      else this.#begin(head)
    }
    return at
  }

  #incomplete(text: string, size: number): void {
    if (size === MAX_HEAD) this.#refuse(new BadRequest(431, `the request head is longer than ${MAX_HEAD} bytes`))
    else if (text.length < size) this.#refuse(new BadRequest(400, 'the request head contains control characters'))
    else if (text.includes('\n\n')) this.#refuse(new BadRequest(400, 'lines must end with CR LF'))
    else if (this.#patience !== this.#service.limits.headTimeout) {
      this.#patience = this.#service.limits.headTimeout
      this.#idle = 0
    }
  }

  #begin(head: RequestHead): void {
    this.#head = head
    if (head.length === 0) {
      this.#handle(undefined)
      return
    }
    const body = new BodyReader(this.#service.abi, head.length, this.#service.limits.body)
    if (body.error !== undefined) {
      this.#refuse(body.error)
      return
    }
    this.#state = BODY
    this.#body = body
    this.#patience = this.#service.limits.bodyTimeout
    this.#idle = 0
    if (head.expectsContinue) this.#write(encodeText(this.#service.abi, 'HTTP/1.1 100 Continue\r\n\r\n'))
  }

  #readBody(bytes: Uint8Array, at: number, end: number): number {
    const body = this.#body!
    at = body.feed(bytes, at, end)
    if (body.error !== undefined) {
      this.#refuse(body.error)
    } else if (body.isDone) {
      this.#body = undefined
      this.#handle(body.result())
    }
    return at
  }

  #readPending(): void {
    const pending = this.#pending
    const at = this.#process(pending.bytes, pending.start, pending.start + pending.length)
    pending.drop(this.#state >= CLOSING ? pending.length : at - pending.start)
    if (this.#state !== CLOSED) this.#socket.flush()
  }

  /** Goes on with what has waited. */
  #resume(): void {
    const before = this.#pending.length
    if (before === 0) return
    this.#readPending()
    if (before > this.#pending.length) this.#socket.consumed(before - this.#pending.length)
  }

  // ---- answering

  #handle(body: Uint8Array | undefined): void {
    const request = makeRequest(this.#head!, body)
    if (request === undefined) {
      this.#refuse(new BadRequest(400, 'the target and the Host field do not make a valid URL'))
      return
    }
    this.#state = HANDLING
    let result: Response | Promise<Response>
    try {
      result = this.#service.handler(request)
    } catch (error) {
      this.#failed(error)
      return
    }
    if (typeof (result as Promise<Response> | undefined)?.then === 'function') {
      ;(result as Promise<Response>).then((response) => this.#answerLater(response), (error) => {
        this.#failed(error)
        this.#continue()
      })
    } else {
      this.#answer(result as Response)
    }
  }

  #answerLater(response: Response): void {
    this.#answer(response)
    this.#continue()
  }

  /** After an answer that did not come at once: sends it and goes on with what has waited meanwhile. */
  #continue(): void {
    if (this.#state === CLOSED) return
    this.#socket.flush()
    if (this.#state === HEAD) this.#resume()
  }

  #failed(error: unknown): void {
    const head = this.#head!
    this.#service.log.error(`${head.method} ${head.url} failed: ${describeError(error)}`)
    if (this.#state !== HANDLING) return
    this.#plain(500, 'the program failed to answer; its log says why')
  }

  #answer(response: Response): void {
    if (this.#state !== HANDLING) return // the connection is gone
    try {
      const status = response?.status
      if (typeof status !== 'number') throw new TypeError(`the handler returned ${String(response)}, not a Response: return new Response(...)`)
      if (status < 200 || status > 599) throw new RangeError(`the handler's response has status ${status}: use 200 to 599`)
      const bytes = responseBytes(response)
      if (bytes === undefined) this.#stream(response)
      else this.#whole(status, response.headers, bytes)
    } catch (error) {
      this.#failed(error)
    }
  }

  #whole(status: number, headers: Headers | undefined, body: Uint8Array): void {
    const bodiless = isBodiless(status)
    const toHead = this.#head!.method === 'HEAD'
    const length = bodiless ? NO_BODY : toHead && body.length === 0 ? declaredLength(headers) : body.length
    const text = headText(status, headers, length, this.#service.date, this.#connectionLine())
    if (bodiless || toHead || body.length === 0) {
      this.#write(encodeText(this.#service.abi, text))
    } else if (body.length <= TOGETHER) {
      this.#write(encodeText(this.#service.abi, text, body))
    } else {
      this.#write(encodeText(this.#service.abi, text))
      this.#write(body)
    }
    this.#next()
  }

  #stream(response: Response): void {
    const head = this.#head!
    const bodiless = isBodiless(response.status)
    if (!head.isHttp11) this.#keepAlive = false
    const length = bodiless ? NO_BODY : head.isHttp11 ? CHUNKED : UNTIL_CLOSE
    this.#write(encodeText(this.#service.abi, headText(response.status, response.headers, length, this.#service.date, this.#connectionLine())))
    if (bodiless || head.method === 'HEAD') {
      void response.body!.cancel().catch(() => {})
      this.#next()
      return
    }
    this.#patience = this.#service.limits.writeTimeout
    const sink = {
      write: (bytes: Uint8Array) => this.#write(bytes),
      flush: () => this.#flushAndWait(),
      get isClosed() { return connection.#state === CLOSED },
    }
    const connection = this
    pumpBody(this.#service.abi, response.body!, length === CHUNKED, sink).then(() => {
      this.#next()
      this.#continue()
    }, (error) => {
      // The head is out: the only way to tell the client is to break the connection.
      this.#service.log.error(`${head.method} ${head.url} failed in the middle of its body: ${describeError(error)}`)
      this.abort()
    })
  }

  #flushAndWait(): Promise<void> | undefined {
    this.#socket.flush()
    if (this.#socket.room > 0 || this.#state === CLOSED) return undefined
    return new Promise((resolve) => { this.#writable = resolve })
  }

  /** The response is queued: closes, waits for room, or is ready for the next request. */
  #next(): void {
    if (this.#state >= CLOSING) return
    if (!this.#keepsAlive() || this.#clientEnded) {
      this.#close()
    } else if (this.#socket.room <= 0) {
      this.#state = WRITING
      this.#patience = this.#service.limits.writeTimeout
    } else {
      const waited = this.#state === WRITING
      this.#state = HEAD
      this.#patience = this.#service.limits.idleTimeout
      if (waited) this.#resume()
    }
  }

  #keepsAlive(): boolean {
    return this.#keepAlive && this.#head!.keepAlive && !this.#service.stopping
  }

  #connectionLine(): string {
    if (!this.#keepsAlive()) return 'connection: close\r\n'
    return this.#head!.isHttp11 ? '' : 'connection: keep-alive\r\n'
  }

  /** Answers a request that does not reach the handler, and closes. */
  #refuse(bad: BadRequest): void {
    this.#keepAlive = false
    this.#plain(bad.status, bad.reason)
    this.#socket.flush()
  }

  #plain(status: number, reason: string): void {
    const { abi, date } = this.#service
    const text = `${status}: ${reason}\n`
    const extra = status === 405 ? 'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : ''
    const keep = this.#state === HANDLING && this.#keepsAlive()
    const toHead = this.#state === HANDLING && this.#head!.method === 'HEAD'
    const fields = `content-type: text/plain; charset=utf-8\r\n${extra}${date}${keep ? this.#connectionLine() : 'connection: close\r\n'}`
    this.#write(encodeText(abi, headText(status, undefined, text.length, fields, '') + (toHead ? '' : text)))
    if (keep) this.#next()
    else this.#close()
  }

  #write(bytes: Uint8Array): void {
    this.#socket.queue(bytes, 0, bytes.length)
  }

  /**
   * Ends our side and lets the client take the response (RFC 9112 section 9.6): what it still sends is thrown away, since a reset on
   * unread data could destroy the answer on its way.
   */
  #close(): void {
    if (this.#state >= CLOSING) return
    this.#state = CLOSING
    this.#patience = LINGER
    this.#idle = 0
    this.#socket.end()
  }
}

/** What a handler says the body of a GET would be long, in its answer to a HEAD. */
function declaredLength(headers: Headers | undefined): number {
  const value = headers?.get('content-length')
  return value != null && /^\d{1,15}$/.test(value) ? +value : 0
}
