/**
 * One connection of an HTTP/1.1 server: reads requests, one at a time, and answers them in order. Pipelined requests wait in the
 * receive buffer, and so does the body that a handler does not read, so that a client that sends too fast is held back by TCP.
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
import { abortRequest, discardResponse, makeRequest, mayHaveBody, notResponse, responseBytes } from './request.ts'
import { type BodyOwner, bodyError, incomplete, RequestBody } from './request-body.ts'
import type { Service } from './service.ts'
import { HandshakeError, type Upgraded, upgradeOf } from './upgrade.ts'
import { ResponseWriter } from './writer.ts'

/**
 * Waiting for a request or reading it; the handler runs, or its stream; the response waits for room; it is sent, and what the handler has not
 * read of the request still comes; only the client's end is missing.
 */
const READING = 0
const HANDLING = 1
const WRITING = 2
const DRAINING = 3
const CLOSING = 4
const CLOSED = 5
/** The connection is another protocol's: `#successor` has it. */
const UPGRADED = 6

export class HttpConnection implements SocketHandler, BodyOwner {
  readonly #service: Service
  readonly #socket: ByteSocket
  readonly #reader: RequestReader
  readonly #writer: ResponseWriter
  /** Bytes that could not be dealt with yet. */
  readonly #pending: PendingBytes
  #state = READING
  /** What is being answered, while that takes its time. */
  #request: Request | undefined = undefined
  /** Its body, when the handler was called before all of it had come, and until it has. */
  #body: RequestBody | undefined = undefined
  #successor: Upgraded | undefined = undefined
  /** Received bytes that the socket counts as kept, when they are not all of what is held. */
  #charged = 0
  #clientEnded = false
  /** Why the socket has closed, and what those are told who wait: made for them only, since an error takes longer than a connection. */
  #closeError: Error | undefined = undefined
  #gone: DOMException | undefined = undefined
  /** The body was refused: what its readers are told, and the handler's signal. */
  #bodyError: unknown = undefined
  readonly #patience: Patience

  constructor(service: Service, socket: ByteSocket) {
    this.#service = service
    this.#socket = socket
    this.#reader = new RequestReader(service.abi, service.heads, service.limits, socket)
    this.#writer = new ResponseWriter(service, socket)
    this.#pending = new PendingBytes(service.abi)
    this.#patience = new Patience(socket, service.limits)
  }

  // ---- what the socket says

  onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#state !== READING || this.#pending.length > 0) return this.#onMore(bytes, offset, offset + length)
    this.#patience.idle = 0
    const end = offset + length
    const at = this.#process(bytes, offset, end)
    this.#socket.flush()
    if (at === end && this.#body === undefined) return 0
    return this.#keep(bytes, at, end)
  }

  /** Bytes that are no begin of a request, or not the first of it. */
  #onMore(bytes: Uint8Array, offset: number, end: number): number {
    const pending = this.#pending
    if (this.#state >= CLOSING) return this.#successor?.onData(bytes, offset, end - offset) ?? 0
    if (this.#body !== undefined && pending.length === 0) {
      const at = this.#feedBody(this.#body, bytes, offset, end)
      if (this.#state === READING) {
        this.#uncharge()
        return this.onData(bytes, at, end - at)
      }
      return this.#keep(bytes, at, end)
    }
    pending.append(bytes, offset, end - offset)
    // A head that comes in drops is looked at again when a line has ended, not for each drop. Drops do not buy time either.
    if (this.#state === READING && (bytes.indexOf(10, offset) >= 0 || pending.length > MAX_HEAD)) this.#readPending()
    return this.#charge()
  }

  /** What was not dealt with from `at` on. */
  #keep(bytes: Uint8Array, at: number, end: number): number {
    if (this.#state >= CLOSING) return at < end ? (this.#successor?.onData(bytes, at, end - at) ?? 0) : 0
    if (at < end) this.#pending.append(bytes, at, end - at)
    return this.#charge()
  }

  /** How many bytes more are held than before, for `onData`; the socket is told when there are less. */
  #charge(): number {
    const more = this.#held - this.#charged
    if (more >= 0) {
      this.#charged += more
      return more
    }
    this.#uncharge()
    return 0
  }

  #uncharge(): void {
    const less = this.#charged - this.#held
    if (less <= 0) return
    this.#charged -= less
    if (this.#state !== CLOSED) this.#socket.consumed(less)
  }

  get #held(): number {
    return this.#pending.length + (this.#body === undefined ? 0 : this.#body.held)
  }

  onEnd(): void {
    this.#clientEnded = true
    if (this.#successor !== undefined) return this.#successor.onEnd()
    if (this.#body !== undefined && this.#pending.length === 0) this.bodyRefused(incomplete())
    if (this.#state === READING) {
      this.#close() // nothing more can be asked
    } else if (this.#state === HANDLING) {
      const hasWaited = this.#writer.isStreaming && this.#patience.idle >= STREAM_ALONE
      if (hasWaited && this.#patience.isAllTaken) this.#abandon()
      this.#patience.idle = 0
    }
  }

  onWritable(): void {
    if (this.#successor !== undefined) this.#successor.onWritable()
    else if (!this.#writer.wake() && this.#state === WRITING) this.#ready()
  }

  onClosed(error: Error | undefined): void {
    this.#state = CLOSED
    this.#service.connections.delete(this)
    this.#service.closed()
    this.#closeError = error
    this.#successor?.onClosed(error)
    this.#successor = undefined
    this.#writer.close(() => this.#whyGone())
    if (this.#request !== undefined) abortRequest(this.#request, this.#whyGone())
    this.#request = undefined
    this.#body?.fail(this.#whyGone())
    this.#body = undefined
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

  /** It is another protocol's. */
  get isUpgraded(): boolean {
    return this.#successor !== undefined
  }

  /** Called once a second. */
  tick(): void {
    if (this.#successor !== undefined) return this.#successor.tick()
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
    } else if (this.#waitsForBody) {
      if (patience.isRequestLate(this.#reader.head)) this.bodyRefused(new BadRequest(408, 'the request took too long'))
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
    if (this.#successor !== undefined) this.#successor.drain()
    else if (this.#state === DRAINING || (this.#state === READING && !this.#isBegun)) this.#close()
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
      } else if (this.#isStreamed && (at === end || reader.bodyReader!.isDone)) {
        this.#expectMore()
        this.#handleEarly(reader.head!)
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
    if (this.#reader.wantsContinue && !this.#isStreamed) this.#continue()
  }

  #continue(): void {
    this.#reader.wantsContinue = false
    this.#writer.continue()
  }

  // ---- the body of a request whose handler runs already

  /** Part of a body has come, the rest can come while its handler runs. */
  get #isStreamed(): boolean {
    return this.#reader.isInBody && mayHaveBody(this.#reader.head!.method)
  }

  /** The client is to send more of it: all that came was read, or is dropped, and it does not wait for us to say so. */
  get #waitsForBody(): boolean {
    const body = this.#body
    if (body === undefined || body.held > 0 || this.#reader.wantsContinue) return false
    return this.#state === DRAINING || (this.#state === HANDLING && body.error === undefined)
  }

  #handleEarly(head: RequestHead): void {
    const { bodyReader } = this.#reader
    this.#reader.bodyReader = undefined
    if (bodyReader!.isBegun) this.#reader.wantsContinue = false
    this.#body = new RequestBody(bodyReader!, this, this.#service.limits.body, this.#service.gathering)
    this.#handle(head, this.#body)
  }

  /** Returns where the body ended, or what is here of it. */
  #feedBody(body: RequestBody, bytes: Uint8Array, at: number, end: number): number {
    this.#patience.idle = 0
    const { reader } = body
    at = reader.feed(bytes, at, end)
    const { body: one, bodies } = this.#service.limits
    if (body.count() > Math.max(one, bodies)) {
      this.bodyRefused(new BadRequest(503, 'too many bodies are on their way to the server: try again later'))
      return end
    }
    if (reader.error !== undefined) {
      this.bodyRefused(reader.error)
      return end
    }
    if (!reader.isDone) {
      this.#patience.expect(this.#service.limits.bodyTimeout)
      body.moved()
      return end
    }
    this.#reader.wantsContinue = false
    body.moved()
    this.#forgetBody()
    return at
  }

  #forgetBody(): void {
    const body = this.#body
    if (body === undefined || !body.reader.isDone || body.held > 0) return
    this.#body = undefined
    if (this.#state === DRAINING) this.#next(this.#goesOn)
  }

  /** The rest of it is read to its end, by the program or by nobody: another request can come behind it. */
  get #bodyEnds(): boolean {
    const body = this.#body
    if (body === undefined) return true
    if (body.error !== undefined || this.#reader.wantsContinue) return false
    const { outstanding } = body.reader
    return body.isGathered || outstanding === Infinity || outstanding <= this.#service.limits.unreadBody
  }

  /** The answer is queued. What is read as one may come to its end, other readers are too late. False when no request can follow. */
  #endBody(body: RequestBody): boolean {
    const ends = this.#bodyEnds
    if (body.reader.isDone) this.#body = undefined
    else if (!body.isGathered) {
      body.fail(new TypeError('the body of the request was not read before the response was sent'))
      body.reader.drop(this.#service.limits.unreadBody)
    }
    this.#uncharge()
    return ends
  }

  bodyWanted(): void {
    if (!this.#reader.wantsContinue || this.#state !== HANDLING) return
    this.#patience.idle = 0
    this.#continue()
    this.#socket.flush()
  }

  bodyTaken(): void {
    this.#patience.idle = 0 // from now on it is the client that is waited for
    this.#uncharge()
    this.#forgetBody()
  }

  bodyRefused(refusal: BadRequest): void {
    const body = this.#body
    if (body === undefined || (body.reader.isDone && body.reader.error === undefined)) return
    this.#bodyError ??= bodyError(refusal)
    body.fail(this.#bodyError)
    if (this.#state === DRAINING) this.#close()
    if (this.#state !== HANDLING || this.#writer.isStreaming) return
    this.#refuse(refusal)
    if (this.#request !== undefined) abortRequest(this.#request, this.#bodyError)
    this.#request = undefined
  }

  #readPending(): void {
    const pending = this.#pending
    const at = this.#process(pending.bytes, pending.start, pending.start + pending.length)
    const isOver = this.#state >= CLOSING && this.#state !== UPGRADED
    pending.drop(isOver ? pending.length : at - pending.start)
    if (this.#state === UPGRADED) return this.#handOn()
    if (this.#state !== CLOSED) this.#socket.flush()
  }

  /** Sends what was answered later than at once, and goes on with what has waited meanwhile. */
  #resume(): void {
    if (this.#state === CLOSED) return
    if (this.#state === UPGRADED) return this.#handOn()
    this.#socket.flush()
    if (this.#pending.length === 0 || this.#state !== READING) return
    this.#readPending()
    this.#uncharge()
    if (this.#clientEnded && this.#state === READING) this.#close() // the rest of the request will not come
  }

  // ---- answering

  #handle(head: RequestHead, body: Uint8Array | RequestBody | undefined): void {
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
      this.#failed(head, request, error)
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
        this.#failed(head, request, error)
        this.#resume()
      },
    )
  }

  #answer(head: RequestHead, request: Request, response: Response): void {
    if (this.#state !== HANDLING) return discardResponse(response, this.#whyGone())
    try {
      const status = response?.status
      if (typeof status !== 'number') throw notResponse(response)
      if (status === 101) return this.#upgrade(head, response)
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
      this.#failed(head, request, error)
    }
  }

  /** RFC 9110 section 7.8. What the client has sent already belongs to the other protocol. */
  #upgrade(head: RequestHead, response: Response): void {
    const upgrade = upgradeOf(response)
    if (upgrade === undefined) throw new RangeError('only upgradeWebSocket makes a response with status 101, once')
    if (this.#body !== undefined || !this.#keepsAlive(head) || !head.isHttp11) {
      discardResponse(response, 'the connection is to be closed')
      this.#writer.plain(head, 503, 'this connection cannot be upgraded: it is to be closed', false)
      return this.#next(false)
    }
    this.#writer.upgraded(response, upgrade.protocol)
    this.#request = undefined
    this.#state = UPGRADED
    const { abi, log } = this.#service
    if (this.#patience.isChanged) this.#patience.answered()
    const successor = upgrade.begin(this.#socket, { abi, log, room: this.#patience.allRoom })
    this.#successor = successor
    this.#socket.flush()
    successor.opened()
  }

  /** Hands on what was received before the connection was upgraded. */
  #handOn(): void {
    const pending = this.#pending
    const { bytes, start, length } = pending
    if (length === 0) return
    pending.drop(length)
    this.#successor?.onData(bytes, start, length)
    this.#uncharge()
  }

  #stream(head: RequestHead, response: Response): void {
    const keepAlive = head.keepAlive && this.#goesOn && head.isHttp11
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

  #failed(head: RequestHead, request: Request, error: unknown): void {
    if (error instanceof HandshakeError) return this.#answer(head, request, error.response())
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
    const isTold = error !== undefined && (error === this.#gone || error === this.#bodyError || error === this.#service.stopReason)
    if (isTold) this.#service.log.debug(line)
    else this.#service.log.error(line)
  }

  #keepsAlive(head: RequestHead): boolean {
    return head.keepAlive && this.#goesOn && (this.#body === undefined || this.#bodyEnds)
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
    if (this.#body !== undefined && !this.#endBody(this.#body)) keepAlive = false
    if (!keepAlive) {
      this.#close()
    } else if (this.#socket.room <= 0) {
      this.#state = WRITING
    } else if (this.#body !== undefined) {
      this.#state = DRAINING
      this.#patience.expect(this.#service.limits.bodyTimeout)
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
    if (this.#body !== undefined) {
      this.#body.fail((this.#bodyError ??= bodyError(incomplete())))
      this.#body = undefined
      this.#uncharge()
    }
    this.#socket.end()
  }
}
