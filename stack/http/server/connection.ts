/**
 * One connection of an HTTP/1.1 server: reads requests, one at a time, and answers them in order. Pipelined requests wait in the
 * receive buffer, so that a client that sends faster than it reads is held back by TCP.
 */
import { describeError } from '@xen-ts/runtime/machine'
import { DOMException } from '@xen-ts/runtime/web'
import type { ByteSocket, SocketHandler } from '../../socket.ts'
import { BadRequest } from './bad-request.ts'
import { MAX_HEAD, type RequestHead } from './head.ts'
import { HANDLER_ALONE, STREAM_ALONE } from './options.ts'
import { Patience } from './patience.ts'
import { PendingBytes } from './pending.ts'
import { RequestReader } from './reader.ts'
import { abortRequest, discardResponse, makeRequest, notResponse, responseBytes } from './request.ts'
import type { Service } from './service.ts'
import { ResponseWriter } from './writer.ts'

/** Waiting for a request or reading it; the handler runs, or its stream; the response waits for room; only the client's end is missing. */
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
  /** What is being answered, while that takes its time. */
  #request: Request | undefined = undefined
  #clientEnded = false
  /** Why nobody takes the answer any more. */
  /** Why the socket has closed, and what those are told who wait: made for them only, since an error takes longer than a connection. */
  #closeError: Error | undefined = undefined
  #gone: DOMException | undefined = undefined
  readonly #patience: Patience

  constructor(service: Service, socket: ByteSocket) {
    this.#service = service
    this.#socket = socket
    this.#reader = new RequestReader(service.abi, service.heads, service.limits.body, socket)
    this.#writer = new ResponseWriter(service, socket)
    this.#pending = new PendingBytes(service.abi)
    this.#patience = new Patience(socket, service.limits)
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
    this.#patience.idle = 0
    const end = offset + length
    const at = this.#process(bytes, offset, end)
    this.#socket.flush()
    if (at === end || this.#state >= CLOSING) return 0
    pending.append(bytes, at, end - at)
    return end - at
  }

  onEnd(): void {
    this.#clientEnded = true
    if (this.#state === READING) {
      this.#close() // nothing more can be asked
    } else if (this.#state === HANDLING) {
      const hasWaited = this.#writer.isStreaming && this.#patience.idle >= STREAM_ALONE
      if (hasWaited && this.#patience.isAllTaken) this.#abandon()
      this.#patience.idle = 0
    }
  }

  onWritable(): void {
    if (!this.#writer.wake() && this.#state === WRITING) this.#ready()
  }

  onClosed(error: Error | undefined): void {
    this.#state = CLOSED
    this.#service.connections.delete(this)
    this.#service.closed()
    this.#closeError = error
    this.#writer.close(() => this.#whyGone())
    if (this.#request !== undefined) abortRequest(this.#request, this.#whyGone())
    this.#request = undefined
  }

  #whyGone(): DOMException {
    return (this.#gone ??= new DOMException('the client has gone', { name: 'AbortError', cause: this.#closeError }))
  }

  // ---- what the server says

  /** A handler runs; and, a response is on its way. Neither when only the client's end is missing. */
  get isHandling(): boolean {
    return this.#state === HANDLING && !this.#writer.isStreaming
  }
  get isSending(): boolean {
    return this.#state === WRITING || this.#writer.isStreaming || (this.#state === CLOSING && !this.#patience.isAllTaken)
  }

  /** Called once a second. */
  tick(): void {
    const patience = this.#patience
    const isBegun = this.#state === READING && this.#isBegun
    const moved = patience.second() || this.#writer.hasMoved
    this.#writer.hasMoved = false
    // What the client takes of an old response buys no time for a new request.
    if (moved && !isBegun) patience.idle = 0
    if (this.#state === READING) {
      if (!patience.isRequestLate(this.#reader.isInBody ? this.#reader.head : undefined)) return
      if (isBegun) this.#refuse(new BadRequest(408, 'the request took too long'))
      else this.#close()
    } else if (this.#state === HANDLING && patience.isAllTaken) {
      if (patience.isProgramLate(this.#aloneAfter)) this.#abandon()
    } else if (patience.isClientLate(this.#state === CLOSING)) {
      if (patience.isAllTaken)
        this.abort() // nothing is lost: only the client's end is missing
      else this.#abandon()
    }
  }

  /** Seconds without a word of the program after which a client that has ended its side is taken for gone. */
  get #aloneAfter(): number {
    return !this.#clientEnded ? Infinity : this.#writer.isStreaming ? STREAM_ALONE : HANDLER_ALONE
  }

  /** An idle connection ends now, a busy one after its answer. Streams, which may be without end, are told. */
  drain(): void {
    if (this.#state === READING && !this.#isBegun) this.#close()
    else if (this.#writer.isStreaming) this.#tellOfStop()
  }

  abort(): void {
    this.#socket.abort()
  }

  #abandon(): void {
    this.#service.counters.abandoned++
    this.abort()
  }

  #tellOfStop(): void {
    if (this.#request !== undefined) abortRequest(this.#request, this.#service.stopReason)
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

  /** A request has begun to come in. */
  get #isBegun(): boolean {
    return this.#reader.isInBody || this.#pending.length > 0
  }

  #expectMore(): void {
    const { headTimeout, bodyTimeout } = this.#service.limits
    this.#patience.expect(this.#reader.isInBody ? bodyTimeout : headTimeout)
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
    if (this.#clientEnded && this.#state === READING) this.#close() // the rest of the request will not come
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
      this.#answer(head, request, result as Response)
      return
    }
    this.#request = request
    ;(result as Promise<Response>).then(
      response => {
        this.#answer(head, request, response)
        this.#resume()
      },
      error => {
        this.#failed(head, error)
        this.#resume()
      },
    )
  }

  #answer(head: RequestHead, request: Request, response: Response): void {
    if (this.#state !== HANDLING) return discardResponse(response, this.#whyGone())
    try {
      const status = response?.status
      if (typeof status !== 'number') throw notResponse(response)
      if (status < 200 || status > 599) throw new RangeError(`the handler's response has status ${status}: use 200 to 599`)
      const bytes = responseBytes(response)
      if (bytes === undefined) {
        this.#request = request
        this.#stream(head, response)
      } else {
        const keepAlive = this.#keepsAlive(head)
        this.#writer.whole(head, response, bytes, keepAlive)
        this.#next(keepAlive)
      }
    } catch (error) {
      discardResponse(response, error)
      this.#failed(head, error)
    }
  }

  #stream(head: RequestHead, response: Response): void {
    const keepAlive = this.#keepsAlive(head) && head.isHttp11
    this.#patience.idle = 0
    this.#writer.stream(head, response, keepAlive).then(
      () => {
        this.#next(keepAlive && this.#goesOn)
        this.#resume()
      },
      error => {
        this.#service.counters.failed++
        this.#complain(head, 'failed in the middle of its body', error)
        this.abort()
      },
    )
    if (this.#service.stopping) this.#tellOfStop()
  }

  #failed(head: RequestHead, error: unknown): void {
    this.#service.counters.failed++
    this.#complain(head, 'failed', error)
    if (this.#state !== HANDLING) return
    const keepAlive = this.#keepsAlive(head)
    this.#writer.plain(head, 500, 'the program failed to answer; its log says why', keepAlive)
    this.#next(keepAlive)
  }

  #complain(head: RequestHead, what: string, error: unknown): void {
    const line = `${head.method} ${head.url} ${what}: ${describeError(error)}`
    // To end one's work because the client has gone, or the server is to stop, is no fault.
    const isTold = error !== undefined && (error === this.#gone || error === this.#service.stopReason)
    if (isTold) this.#service.log.debug(line)
    else this.#service.log.error(line)
  }

  #keepsAlive(head: RequestHead): boolean {
    return head.keepAlive && this.#goesOn
  }

  /** More may be asked, and will be answered. */
  get #goesOn(): boolean {
    return !this.#service.stopping && (!this.#clientEnded || this.#pending.length > 0)
  }

  /** The response is queued: closes, waits for room, or is ready for the next request. */
  #next(keepAlive: boolean): void {
    if (this.#state >= CLOSING) return
    this.#request = undefined
    this.#patience.idle = 0
    if (this.#patience.isChanged) this.#patience.answered()
    if (!keepAlive) {
      this.#close()
    } else if (this.#socket.room <= 0) {
      this.#state = WRITING
    } else {
      this.#state = READING
    }
  }

  /** The client has taken enough of the last response. */
  #ready(): void {
    this.#next(this.#goesOn)
    this.#resume()
  }

  /** Answers what is no request, and closes: nobody knows where the next one would begin. */
  #refuse({ status, reason }: BadRequest): void {
    const { counters } = this.#service
    if (status === 408) counters.tooSlow++
    else if (status === 413 || status === 431) counters.tooLarge++
    else counters.refused++
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
    this.#patience.idle = 0
    this.#socket.end()
  }
}
