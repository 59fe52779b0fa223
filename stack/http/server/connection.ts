/**
 * One connection of an HTTP/1.1 server: requests are read one at a time, and answered in order. Pipelined requests wait in the receive
 * buffer, and so does the body that a handler does not read, so that a client that sends too fast is held back by TCP.
 *
 * This is its state, what the socket tells it and what the server asks of it. What is done about that are plain functions over this object,
 * because every access counts on the way of a request: reading.ts, answering.ts, body-streaming.ts, upgrading.ts, expiry.ts.
 */
import { DOMException } from '@xen-ts/runtime/web'
import type { ByteSocket, SocketHandler } from '../../socket.ts'
import type { BadMessage } from '../message/bad-message.ts'
import { MAX_HEAD } from '../message/head.ts'
import { close, type Later, tellOfStop, wentReady } from './answering.ts'
import { feedBody, forgetBody, refuseBody, wantBody } from './body-streaming.ts'
import { abandon, secondPasses } from './expiry.ts'
import { STREAM_ALONE } from './options.ts'
import { Patience } from './patience.ts'
import { NONE, PendingBytes } from './pending.ts'
import { CLOSED, CLOSING, DRAINING, HANDLING, READING, WRITING } from './phase.ts'
import { RequestReader } from './reader.ts'
import { isBegun, process, readPending } from './reading.ts'
import { abortRequest } from './request.ts'
import { type BodyOwner, incomplete, type RequestBody } from './request-body.ts'
import type { Service } from './service.ts'
import type { Upgraded } from './upgrade.ts'
import { ResponseWriter } from './writer.ts'

export class HttpConnection implements SocketHandler, BodyOwner {
  declare readonly service: Service
  declare readonly socket: ByteSocket
  declare readonly reader: RequestReader
  declare readonly writer: ResponseWriter
  /** Bytes that could not be dealt with yet. */
  declare pending: PendingBytes
  declare phase: number
  /** What is being answered, while that takes its time. */
  declare request: Request | undefined
  /** Its body, when the handler was called before all of it had come, and until it has. */
  declare body: RequestBody | undefined
  /** Once a handler was waited for, what its promise calls. */
  declare later: Later | undefined
  declare successor: Upgraded | undefined
  declare clientEnded: boolean
  /** The body was refused: what its readers are told, and the handler's signal. */
  declare bodyError: unknown
  /** What those are told who wait, when the socket has closed: made for them only, since an error takes longer than a connection. */
  declare gone: DOMException | undefined
  declare readonly patience: Patience
  /** Why the socket has closed. */
  declare private closeError: Error | undefined
  /** Received bytes that the socket counts as kept, when they are not all of what is held. */
  declare private charged: number

  constructor(service: Service, socket: ByteSocket) {
    this.phase = READING
    this.service = service
    this.socket = socket
    this.reader = new RequestReader(service, socket)
    this.writer = new ResponseWriter(service, socket)
    this.patience = new Patience(socket, service.limits)
  }

  static {
    // What few change is none's own until then.
    Object.assign(HttpConnection.prototype, {
      pending: NONE,
      request: undefined,
      body: undefined,
      later: undefined,
      successor: undefined,
      clientEnded: false,
      bodyError: undefined,
      gone: undefined,
      closeError: undefined,
      charged: 0,
    })
  }

  // ---- what the socket says

  onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.phase !== READING || this.pending.length > 0) return this.onMore(bytes, offset, offset + length)
    this.patience.idle = 0
    const end = offset + length
    const at = process(this, bytes, offset, end)
    this.socket.flush()
    if (at === end && this.body === undefined) return 0
    return this.keep(bytes, at, end)
  }

  /** Bytes that are no begin of a request, or not the first of it. */
  private onMore(bytes: Uint8Array, offset: number, end: number): number {
    if (this.phase >= CLOSING) return this.successor?.onData(bytes, offset, end - offset) ?? 0
    if (this.body !== undefined && this.pending.length === 0) {
      const at = feedBody(this, this.body, bytes, offset, end)
      if (this.phase === READING) {
        this.uncharge()
        return this.onData(bytes, at, end - at)
      }
      return this.keep(bytes, at, end)
    }
    this.hold(bytes, offset, end - offset)
    // A head that comes in drops is looked at again when a line has ended, or can be none (NUL), not for each drop. Drops do not buy time either.
    if (this.phase === READING && (has(bytes, offset, end, LF) || has(bytes, offset, end, 0) || this.pending.length > MAX_HEAD))
      readPending(this)
    return this.charge()
  }

  private hold(bytes: Uint8Array, offset: number, length: number): void {
    if (this.pending === NONE) this.pending = new PendingBytes(this.service.abi)
    this.pending.append(bytes, offset, length)
  }

  /** What was not dealt with from `at` on. */
  private keep(bytes: Uint8Array, at: number, end: number): number {
    if (this.phase >= CLOSING) return at < end ? (this.successor?.onData(bytes, at, end - at) ?? 0) : 0
    if (at < end) this.hold(bytes, at, end - at)
    return this.charge()
  }

  /** How many bytes more are held than before, for `onData`; the socket is told when there are less. */
  private charge(): number {
    const more = this.held - this.charged
    if (more >= 0) {
      this.charged += more
      return more
    }
    this.uncharge()
    return 0
  }

  /** Tells the socket when fewer bytes are held than it knows of. */
  uncharge(): void {
    const less = this.charged - this.held
    if (less <= 0) return
    this.charged -= less
    if (this.phase !== CLOSED) this.socket.consumed(less)
  }

  private get held(): number {
    return this.pending.length + (this.body === undefined ? 0 : this.body.held)
  }

  onEnd(): void {
    this.clientEnded = true
    if (this.successor !== undefined) return this.successor.onEnd()
    if (this.body !== undefined && this.pending.length === 0) this.bodyRefused(incomplete())
    if (this.phase === READING) {
      close(this) // nothing more can be asked
    } else if (this.phase === HANDLING) {
      const hasWaited = this.writer.isStreaming && this.patience.idle >= STREAM_ALONE
      if (hasWaited && this.patience.isAllTaken) abandon(this)
      this.patience.idle = 0
    }
  }

  onWritable(): void {
    if (this.successor !== undefined) this.successor.onWritable()
    else if (!this.writer.wake() && this.phase === WRITING) wentReady(this)
  }

  onClosed(error: Error | undefined): void {
    this.phase = CLOSED
    this.service.connections.delete(this)
    this.service.closed()
    // Only what there is: to write a member that is the prototype's makes one, which costs as much as ten reads.
    if (error !== undefined) this.closeError = error
    const { successor, request, body } = this
    if (successor !== undefined) {
      successor.onClosed(error)
      this.successor = undefined
    }
    if (this.later !== undefined) this.later = undefined // it has the connection, which has it
    this.writer.close(this)
    if (request !== undefined) {
      abortRequest(request, this.whyGone())
      this.request = undefined
    }
    if (body !== undefined) {
      body.fail(this.whyGone())
      this.body = undefined
    }
  }

  whyGone(): DOMException {
    return (this.gone ??= new DOMException('the client has gone', { name: 'AbortError', cause: this.closeError }))
  }

  // ---- what the body of a request says

  bodyWanted(): void {
    wantBody(this)
  }

  bodyTaken(): void {
    this.patience.idle = 0 // from now on it is the client that is waited for
    this.uncharge()
    forgetBody(this)
  }

  bodyRefused(refusal: BadMessage): void {
    refuseBody(this, refusal)
  }

  // ---- what the server says

  /** A handler runs; and, a response is on its way. Neither when only the client's end is missing. */
  get isHandling(): boolean {
    return this.phase === HANDLING && !this.writer.isStreaming
  }
  get isSending(): boolean {
    return this.phase === WRITING || this.writer.isStreaming || (this.phase === CLOSING && !this.patience.isAllTaken)
  }

  /** It is another protocol's. */
  get isUpgraded(): boolean {
    return this.successor !== undefined
  }

  /** Called once a second. */
  tick(): void {
    if (this.successor !== undefined) this.successor.tick()
    else secondPasses(this)
  }

  /** An idle connection ends now, a busy one after its answer. Streams, which may be without end, are told. */
  drain(): void {
    if (this.successor !== undefined) this.successor.drain()
    else if (this.phase === DRAINING || (this.phase === READING && !isBegun(this))) close(this)
    else if (this.writer.isStreaming) tellOfStop(this)
  }

  abort(): void {
    this.socket.abort()
  }
}

const LF = 10

function has(bytes: Uint8Array, from: number, end: number, byte: number): boolean {
  const at = bytes.indexOf(byte, from)
  return at >= 0 && at < end
}
