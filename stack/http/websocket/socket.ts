/**
 * The server's end of a WebSocket (RFC 6455), as https://websockets.spec.whatwg.org has the client's: messages, the closing handshake, signs
 * of life. There are no extensions (no permessage-deflate), and binary messages are ArrayBuffers: there is no Blob.
 */
import { describeError, type HostFunctions } from '@xen-ts/runtime/machine'
import { DOMException, decodeUtf8, Event, EventTarget } from '@xen-ts/runtime/web'
import type { LimitedLog } from '../../limited.ts'
import type { ByteSocket } from '../../socket.ts'
import type { Upgraded, UpgradeMachine } from '../server/upgrade.ts'
import { CloseEvent, MessageEvent, WebSocketErrorEvent } from './events.ts'
import {
  ABNORMAL,
  BINARY,
  CLOSE,
  closePayload,
  frame,
  GOING_AWAY,
  INTERNAL_ERROR,
  isSendable,
  MAX_REASON,
  NO_STATUS,
  NOT_UTF8,
  PING,
  PONG,
  PROTOCOL_ERROR,
  TEXT,
} from './frame.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'

export interface WebSocketLimits {
  /** Longest message of the client, in bytes; of a longer one the connection is closed with 1009. Default 1 MiB. */
  readonly maxMessage: number
  /** Bytes that may wait for the client when one more message is sent; beyond it the connection is broken off. Default 1 MiB. */
  readonly maxBuffered: number
  /** Seconds without a sign of life after which the connection is broken off; the client is asked after half of them. Default 60. */
  readonly idleTimeout: number
}

export const defaultWebSocketLimits: WebSocketLimits = { maxMessage: 1024 * 1024, maxBuffered: 1024 * 1024, idleTimeout: 60 }

/** Seconds for the client to answer our Close, or to take it and close the connection. */
const CLOSE_TIMEOUT = 5

type Handler<E extends Event> = ((this: ServerWebSocket, event: E) => unknown) | null
export type WebSocketData = string | ArrayBuffer | ArrayBufferView

const EMPTY = new Uint8Array(0)

export class ServerWebSocket extends EventTarget implements Upgraded, FrameSink {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readonly url: string
  /** The subprotocol that was agreed on; empty when there is none. */
  readonly protocol: string
  readonly extensions = ''
  readonly binaryType = 'arraybuffer'
  onopen: Handler<Event> = null
  onmessage: Handler<MessageEvent> = null
  onerror: Handler<WebSocketErrorEvent> = null
  onclose: Handler<CloseEvent> = null
  readonly #limits: WebSocketLimits
  #readyState: 0 | 1 | 2 | 3 = 0
  #socket: ByteSocket | undefined = undefined
  #abi!: HostFunctions
  #log!: LimitedLog
  #reader!: FrameReader
  /** `room` when nothing waits for the client, and when it was looked at last. */
  #allRoom = 0
  #lastRoom = 0
  /** Seconds without a byte of the client, without it taking one, and since our Close. */
  #silent = 0
  #stuck = 0
  #closing = 0
  /** The Close frame that came or that ours said, when there is one. */
  #end: { code: number; reason: string } | undefined = undefined
  #wasClean = false
  /** Why we broke it off. */
  #fault: string | undefined = undefined
  /** Nothing of what comes is read any more. */
  #isDeaf = false

  constructor(url: string, protocol: string, limits: WebSocketLimits) {
    super()
    this.url = url
    this.protocol = protocol
    this.#limits = limits
    for (const type of ['open', 'message', 'error', 'close'] as const)
      super.addEventListener(type, event => this.#call(this[`on${type}`] as Handler<Event>, event))
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  /** Bytes that were sent and that the client has not acknowledged: who sends much should wait while there are many. */
  get bufferedAmount(): number {
    return this.#socket === undefined ? 0 : Math.max(this.#allRoom - this.#socket.room, 0)
  }

  /**
   * Sends a message: text, or bytes, which are copied. Ignored when the connection is closing or closed.
   * @throws DOMException InvalidStateError before the connection is open
   */
  send(data: WebSocketData): void {
    if (this.#readyState === 0) throw new DOMException('send: the WebSocket is not open yet; wait for its event open', 'InvalidStateError')
    if (this.#readyState !== 1) return
    if (data instanceof ArrayBuffer) this.#send(BINARY, new Uint8Array(data))
    else if (ArrayBuffer.isView(data)) this.#send(BINARY, new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength))
    else this.#send(TEXT, new TextEncoder().encode(String(data)))
  }

  /**
   * Begins the closing handshake; what was sent before is sent.
   * @param code one that RFC 6455 section 7.4 lets an endpoint send, or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException InvalidAccessError for another code, SyntaxError for a longer reason
   */
  close(code?: number, reason = ''): void {
    if (code !== undefined && !isSendable(code))
      throw new DOMException(`close: ${code} is not a code to send; use 1000, or 3000 to 4999`, 'InvalidAccessError')
    const bytes = new TextEncoder().encode(String(reason))
    if (bytes.length > MAX_REASON)
      throw new DOMException(`close: the reason is ${bytes.length} bytes of UTF-8; it may have ${MAX_REASON}`, 'SyntaxError')
    if (this.#readyState === 0) this.fail('it was closed before it was open')
    if (this.#readyState !== 1) return
    this.#readyState = 2
    this.#queue(CLOSE, code === undefined && bytes.length === 0 ? EMPTY : closePayload(code ?? 1000, bytes))
  }

  // ---- what the server says

  /** @internal The handshake is queued. */
  begin(socket: ByteSocket, { abi, log, gathering, room }: UpgradeMachine): Upgraded {
    this.#socket = socket
    this.#allRoom = this.#lastRoom = room
    this.#abi = abi
    this.#log = log
    this.#reader = new FrameReader(abi, this.#limits.maxMessage, gathering, this)
    this.#readyState = 1
    return this
  }

  /** @internal */
  opened(): void {
    this.dispatchEvent(new Event('open'))
  }

  /** @internal There is no connection to have. */
  fail(reason: string): void {
    if (this.#readyState !== 0) return
    this.#over(reason)
  }

  /** @internal */
  onData(bytes: Uint8Array, offset: number, length: number): number {
    this.#silent = 0
    if (!this.#isDeaf) this.#reader.read(bytes, offset, offset + length)
    return 0
  }

  /** @internal */
  onEnd(): void {
    // RFC 6455 section 7.1.1: without a Close from both sides it is broken, and nobody can answer any more.
    this.#deafen()
    if (this.#readyState === 1) this.#readyState = 2
    this.#socket!.end()
  }

  /** @internal */
  onWritable(): void {}

  /** @internal */
  onClosed(error: Error | undefined): void {
    this.#deafen()
    if (this.#readyState === 3) return
    const fault = this.#fault ?? error?.message ?? 'the client ended the connection without a Close'
    this.#over(this.#end === undefined ? fault : undefined)
  }

  /** @internal */
  drain(): void {
    this.close(GOING_AWAY, 'the server is to stop')
  }

  /** @internal */
  tick(): void {
    const socket = this.#socket!
    const { room } = socket
    const moved = room !== this.#lastRoom
    this.#stuck = moved || room === this.#allRoom ? 0 : this.#stuck + 1
    this.#closing = moved || this.#readyState < 2 ? 0 : this.#closing + 1
    this.#lastRoom = room
    this.#silent++
    const { idleTimeout } = this.#limits
    if (this.#closing > CLOSE_TIMEOUT) return this.#abort('the client did not close in time')
    if (this.#silent >= idleTimeout) return this.#abort('the client has given no sign of life')
    if (this.#stuck >= idleTimeout) return this.#abort('the client takes nothing')
    if (this.#readyState === 1 && this.#silent === Math.ceil(idleTimeout / 2)) this.#queue(PING, EMPTY)
  }

  // ---- what the client says

  /** @internal */
  frame(opcode: number, payload: Uint8Array<ArrayBuffer>): boolean {
    if (opcode === PING) this.#queue(PONG, payload)
    else if (opcode === CLOSE) this.#closed(payload)
    else if (opcode !== PONG && this.#readyState === 1) this.#message(opcode, payload)
    return !this.#isDeaf
  }

  /** @internal RFC 6455 section 7.1.7: the client is told why, and what it still sends is not looked at. */
  violation(code: number, reason: string): void {
    this.#deafen()
    this.#log.write('debug', () => `WebSocket ${this.url}: ${reason}`)
    const wasOpen = this.#readyState === 1
    if (wasOpen) {
      this.#queue(CLOSE, closePayload(code, new TextEncoder().encode(reason)))
      this.#end = { code, reason }
    }
    this.#socket!.end()
    this.#readyState = 2
    this.dispatchEvent(new WebSocketErrorEvent(reason))
    if (wasOpen) this.#over(undefined)
  }

  #message(opcode: number, payload: Uint8Array<ArrayBuffer>): void {
    if (opcode === BINARY) {
      const { buffer } = payload.length === payload.buffer.byteLength ? payload : payload.slice()
      this.dispatchEvent(new MessageEvent(buffer))
      return
    }
    let text: string
    try {
      text = decodeUtf8(this.#abi, payload, true)
    } catch {
      return this.violation(NOT_UTF8, 'a text is not UTF-8')
    }
    this.dispatchEvent(new MessageEvent(text))
  }

  /** RFC 6455 section 5.5.1: a code, if anything, and a reason behind it. It is answered with the same code, unless it is the answer. */
  #closed(payload: Uint8Array): void {
    const code = payload.length >= 2 ? (payload[0] << 8) | payload[1] : NO_STATUS
    if (payload.length === 1 || (payload.length > 0 && !isSendable(code)))
      return this.violation(PROTOCOL_ERROR, payload.length === 1 ? 'a Close has half a code' : `${code} is no code of a Close`)
    let reason: string
    try {
      reason = decodeUtf8(this.#abi, payload.subarray(2), true)
    } catch {
      return this.violation(NOT_UTF8, 'the reason of a Close is not UTF-8')
    }
    if (this.#readyState === 1) this.#queue(CLOSE, payload.slice(0, 2))
    if (this.#readyState === 3) return
    this.#deafen()
    this.#readyState = 2
    this.#end = { code, reason }
    this.#wasClean = true
    this.#socket!.end()
    this.#over(undefined)
  }

  // ---- sending

  #send(opcode: number, payload: Uint8Array): void {
    if (this.bufferedAmount > this.#limits.maxBuffered)
      return this.#abort(`more than ${this.#limits.maxBuffered} bytes wait for the client`, true)
    this.#queue(opcode, payload)
  }

  #queue(opcode: number, payload: Uint8Array): void {
    const socket = this.#socket!
    // A client that asks and takes no answer.
    if (opcode === PONG && this.bufferedAmount > this.#limits.maxBuffered) return this.#abort('the client takes nothing')
    const bytes = frame(this.#abi, opcode, payload)
    socket.queue(bytes, 0, bytes.length)
    socket.flush()
  }

  #abort(reason: string, isProgram = false): void {
    if (isProgram) this.#log.write('warn', () => `WebSocket ${this.url}: ${reason}: it is broken off`)
    this.#deafen()
    this.#fault ??= reason
    this.#socket!.abort()
    if (this.#readyState !== 3) this.#over(this.#fault)
  }

  #deafen(): void {
    this.#isDeaf = true
    this.#reader.drop()
  }

  /** The program is told that it is over, once; and why, when that is a fault. */
  #over(fault: string | undefined): void {
    this.#readyState = 3
    if (fault !== undefined) this.dispatchEvent(new WebSocketErrorEvent(fault))
    const { code, reason } = this.#end ?? { code: ABNORMAL, reason: '' }
    this.dispatchEvent(new CloseEvent(code, reason, this.#wasClean))
  }

  /** What a handler throws, or rejects with, is logged, and its connection closed with 1011: no other one has to do with it. */
  #call(handler: Handler<Event>, event: Event): void {
    if (typeof handler !== 'function') return
    try {
      const result = handler.call(this, event)
      if (typeof (result as Promise<unknown> | undefined)?.then === 'function')
        (result as Promise<unknown>).then(undefined, error => this.#failed(event, error))
    } catch (error) {
      this.#failed(event, error)
    }
  }

  #failed(event: Event, error: unknown): void {
    this.#log?.write('error', () => `WebSocket ${this.url}: its handler of ${event.type} failed: ${describeError(error)}`)
    this.close(INTERNAL_ERROR, 'the program failed; its log says why')
  }
}
