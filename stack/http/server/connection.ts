/**
 * One connection of an HTTP/1.1 server: reads requests, one at a time, and answers them in order. Pipelined requests wait in the
 * receive buffer, so that a client that sends faster than it reads is held back by TCP.
 */
import { describeError } from '@xen-ts/runtime/machine'
import type { ByteSocket, SocketHandler } from '../../socket.ts'
import { BadRequest, MAX_HEAD, type RequestHead } from './head.ts'
import { LINGER } from './options.ts'
import { PendingBytes } from './pending.ts'
import { RequestReader } from './reader.ts'
import { makeRequest, responseBytes } from './request.ts'
import type { Service } from './service.ts'
import { ResponseWriter } from './writer.ts'

/** Waiting for a request or reading it; the handler runs; the response waits for room; only the client's end is missing. */
const READING = 0
const HANDLING = 1
const WRITING = 2
const CLOSING = 3
const CLOSED = 4

export class HttpConnection implements SocketHandler {
  readonly #service: Service
  readonly #socket: ByteSocket
  readonly #reader: RequestReader
  readonly #writer: ResponseWriter
  /** Bytes that could not be dealt with yet. */
  readonly #pending: PendingBytes
  #state = READING
  #clientEnded = false
  /** Seconds in the present state without progress, and how many there may be. */
  #idle = 0
  #patience: number
  #lastRoom = 0

  constructor(service: Service, socket: ByteSocket) {
    this.#service = service
    this.#socket = socket
    this.#reader = new RequestReader(service.abi, service.heads, service.limits.body)
    this.#writer = new ResponseWriter(service, socket)
    this.#pending = new PendingBytes(service.abi)
    this.#patience = service.limits.idleTimeout
  }

  // ---- what the socket says

  onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#state >= CLOSING) return 0
    const pending = this.#pending
    if (this.#state !== READING || pending.length > 0) {
      const before = pending.length
      pending.append(bytes, offset, length)
      // A head that comes in drops is looked at again when a line has ended, not for each drop. Drops do not buy time either.
      if (this.#state === READING && (bytes.indexOf(10, offset) >= 0 || pending.length > MAX_HEAD)) this.#readPending()
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
    if (this.#state === READING) this.#close() // nothing more can be asked
  }

  onWritable(): void {
    if (!this.#writer.wake() && this.#state === WRITING) this.#ready()
  }

  onClosed(): void {
    this.#state = CLOSED
    this.#service.connections.delete(this)
    this.#service.closed()
    this.#writer.isClosed = true
    this.#writer.wake()
  }

  // ---- what the server says

  /** Called once a second. */
  tick(): void {
    if (this.#state === HANDLING && !this.#writer.isWaiting) return
    if (this.#socket.room !== this.#lastRoom) {
      this.#lastRoom = this.#socket.room
      this.#idle = 0
      return
    }
    if (++this.#idle < this.#patience) return
    if (this.#state !== READING) this.abort()
    else if (this.#reader.isInBody || this.#pending.length > 0) this.#refuse(new BadRequest(408, 'the request took too long'))
    else this.#close()
  }

  /** An idle connection ends now, a busy one after its answer. */
  drain(): void {
    if (this.#state === READING && this.#pending.length === 0 && !this.#reader.isInBody) this.#close()
  }

  abort(): void {
    this.#socket.abort()
  }

  // ---- reading

  /** Deals with as much as can be dealt with now; returns where it stopped. */
  #process(bytes: Uint8Array, at: number, end: number): number {
    const reader = this.#reader
    while (at < end && this.#state === READING) {
      const from = at
      at = reader.read(bytes, at, end)
      if (reader.refusal !== undefined) {
        this.#refuse(reader.refusal)
      } else if (reader.isComplete) {
        reader.isComplete = false
        this.#handle(reader.head!, reader.body)
      } else {
        this.#expectMore()
        if (at === from) break
      }
    }
    return at
  }

  #expectMore(): void {
    const { headTimeout, bodyTimeout } = this.#service.limits
    const patience = this.#reader.isInBody ? bodyTimeout : headTimeout
    if (this.#patience !== patience) this.#idle = 0
    this.#patience = patience
    if (!this.#reader.wantsContinue) return
    this.#reader.wantsContinue = false
    this.#writer.continue()
  }

  #readPending(): void {
    const pending = this.#pending
    const at = this.#process(pending.bytes, pending.start, pending.start + pending.length)
    pending.drop(this.#state >= CLOSING ? pending.length : at - pending.start)
    if (this.#state !== CLOSED) this.#socket.flush()
  }

  /** Sends what was answered later than at once, and goes on with what has waited meanwhile. */
  #resume(): void {
    if (this.#state === CLOSED) return
    this.#socket.flush()
    const before = this.#pending.length
    if (before === 0 || this.#state !== READING) return
    this.#readPending()
    if (before > this.#pending.length) this.#socket.consumed(before - this.#pending.length)
  }

  // ---- answering

  #handle(head: RequestHead, body: Uint8Array | undefined): void {
    const request = makeRequest(head, body)
    if (request === undefined) {
      this.#refuse(new BadRequest(400, 'the target and the Host field do not make a valid URL'))
      return
    }
    this.#state = HANDLING
    let result: Response | Promise<Response>
    try {
      result = this.#service.handler(request)
    } catch (error) {
      this.#failed(head, error)
      return
    }
    if (typeof (result as Promise<Response> | undefined)?.then !== 'function') {
      this.#answer(head, result as Response)
      return
    }
    ;(result as Promise<Response>).then(
      response => {
        this.#answer(head, response)
        this.#resume()
      },
      error => {
        this.#failed(head, error)
        this.#resume()
      },
    )
  }

  #answer(head: RequestHead, response: Response): void {
    if (this.#state !== HANDLING) return // the client is gone
    try {
      const status = response?.status
      if (typeof status !== 'number') throw new TypeError(`the handler returned ${String(response)}: return new Response(...)`)
      if (status < 200 || status > 599) throw new RangeError(`the handler's response has status ${status}: use 200 to 599`)
      const bytes = responseBytes(response)
      if (bytes === undefined) {
        this.#stream(head, response)
      } else {
        const keepAlive = this.#keepsAlive(head)
        this.#writer.whole(head, status, response.headers, bytes, keepAlive)
        this.#next(keepAlive)
      }
    } catch (error) {
      this.#failed(head, error)
    }
  }

  #stream(head: RequestHead, response: Response): void {
    const keepAlive = this.#keepsAlive(head) && head.isHttp11
    this.#patience = this.#service.limits.writeTimeout
    this.#writer.stream(head, response, keepAlive).then(
      () => {
        this.#next(keepAlive)
        this.#resume()
      },
      error => {
        this.#service.log.error(`${head.method} ${head.url} failed in the middle of its body: ${describeError(error)}`)
        this.abort()
      },
    )
  }

  #failed(head: RequestHead, error: unknown): void {
    this.#service.log.error(`${head.method} ${head.url} failed: ${describeError(error)}`)
    if (this.#state !== HANDLING) return
    const keepAlive = this.#keepsAlive(head)
    this.#writer.plain(head, 500, 'the program failed to answer; its log says why', keepAlive)
    this.#next(keepAlive)
  }

  #keepsAlive(head: RequestHead): boolean {
    return head.keepAlive && !this.#service.stopping && !this.#clientEnded
  }

  /** The response is queued: closes, waits for room, or is ready for the next request. */
  #next(keepAlive: boolean): void {
    if (this.#state >= CLOSING) return
    if (!keepAlive || this.#service.stopping || this.#clientEnded) {
      this.#close()
    } else if (this.#socket.room <= 0) {
      this.#state = WRITING
      this.#patience = this.#service.limits.writeTimeout
    } else {
      this.#state = READING
      this.#patience = this.#service.limits.idleTimeout
    }
  }

  /** The client has taken enough of the last response. */
  #ready(): void {
    this.#next(true)
    this.#resume()
  }

  /** Answers what is no request, and closes: nobody knows where the next one would begin. */
  #refuse({ status, reason }: BadRequest): void {
    this.#writer.plain(undefined, status, reason, false)
    this.#close()
    this.#socket.flush()
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
