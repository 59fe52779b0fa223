/**
 * An open WebSocket without its events (RFC 6455): messages, the closing handshake, signs of life, of a server and of a client. There are no
 * extensions (no permessage-deflate).
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { DOMException, decodeUtf8 } from '@xen-ts/runtime/web'
import type { LimitedLog } from '../../limited.ts'
import type { ByteSocket } from '../../socket.ts'
import type { Upgraded, UpgradeMachine } from '../server/upgrade.ts'
import {
  ABNORMAL,
  BINARY,
  CLOSE,
  closePayload,
  frame,
  GOING_AWAY,
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
  /** Longest message of the peer, in bytes; of a longer one the connection is closed with 1009. Default 1 MiB. */
  readonly maxMessage: number
  /** Bytes that may wait for the peer when one more message is sent; beyond it the connection is broken off. Default 1 MiB. */
  readonly maxBuffered: number
  /** Seconds without a sign of life after which the connection is broken off; the peer is asked after half of them. Default 60. */
  readonly idleTimeout: number
}

export const defaultWebSocketLimits: WebSocketLimits = { maxMessage: 1024 * 1024, maxBuffered: 1024 * 1024, idleTimeout: 60 }

/** Seconds for the peer to answer our Close, or to take it and close the connection. */
const CLOSE_TIMEOUT = 5

/** A code and a reason as a Close has them, checked for what a program may say. */
export interface Close {
  readonly code: number | undefined
  readonly reason: Uint8Array
}

/** @throws DOMException SyntaxError for a longer reason than a Close holds */
export function closeOf(code: number | undefined, reason: string): Close {
  const bytes = new TextEncoder().encode(String(reason))
  if (bytes.length > MAX_REASON)
    throw new DOMException(`close: the reason is ${bytes.length} bytes of UTF-8; it may have ${MAX_REASON}`, 'SyntaxError')
  return { code, reason: bytes }
}

/** What a session needs of a connection. */
export type SessionSocket = Pick<ByteSocket, 'room' | 'queue' | 'flush' | 'end' | 'abort'>

/** What a program is told; by the WebSocket that it has. */
export interface Events {
  opened(): void
  message(data: string | ArrayBuffer): void
  failed(reason: string): void
  closed(code: number, reason: string, wasClean: boolean): void
}

export type WebSocketData = string | ArrayBuffer | ArrayBufferView
export type ReadyState = 0 | 1 | 2 | 3

const EMPTY = new Uint8Array(0)

export class Session implements Upgraded, FrameSink {
  readyState: ReadyState = 0
  readonly #events: Events
  readonly #url: string
  readonly #peer: 'client' | 'server'
  readonly #limits: WebSocketLimits
  #socket: SessionSocket | undefined = undefined
  #abi!: HostFunctions
  #log!: LimitedLog
  #reader!: FrameReader
  /** `room` when nothing waits for the peer, and when it was looked at last. */
  #allRoom = 0
  #lastRoom = 0
  /** Seconds without a byte of the peer, without it taking one, and since our Close. */
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

  /** @param peer who is at the other end */
  constructor(events: Events, url: string, peer: 'client' | 'server', limits: WebSocketLimits) {
    this.#events = events
    this.#url = url
    this.#peer = peer
    this.#limits = limits
  }

  /** Bytes that were sent and that the peer has not acknowledged. */
  get bufferedAmount(): number {
    return this.#socket === undefined ? 0 : Math.max(this.#allRoom - this.#socket.room, 0)
  }

  /** The handshake is done. */
  begin(socket: SessionSocket, { abi, log, gathering, room }: UpgradeMachine): this {
    this.#socket = socket
    this.#allRoom = this.#lastRoom = room
    this.#abi = abi
    this.#log = log
    this.#reader = new FrameReader(abi, this.#peer, this.#limits.maxMessage, gathering, this)
    this.readyState = 1
    return this
  }

  opened(): void {
    this.#events.opened()
  }

  /** There is no connection to have. */
  fail(reason: string): void {
    if (this.readyState === 0) this.#over(reason)
  }

  /**
   * Sends a message: text, or bytes, which are copied. Ignored when the connection is closing or closed.
   * @throws DOMException InvalidStateError before the connection is open
   */
  send(data: WebSocketData): void {
    if (this.readyState === 0) throw new DOMException('send: the WebSocket is not open yet; wait for its event open', 'InvalidStateError')
    if (this.readyState !== 1) return
    if (data instanceof ArrayBuffer) this.#send(BINARY, new Uint8Array(data))
    else if (ArrayBuffer.isView(data)) this.#send(BINARY, new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength))
    else this.#send(TEXT, new TextEncoder().encode(String(data)))
  }

  /** Begins the closing handshake of an open connection; what was sent before is sent. */
  close({ code, reason }: Close): void {
    if (this.readyState !== 1) return
    this.readyState = 2
    this.#queue(CLOSE, code === undefined && reason.length === 0 ? EMPTY : closePayload(code ?? 1000, reason))
  }

  // ---- what the connection says

  onData(bytes: Uint8Array, offset: number, length: number): number {
    this.#silent = 0
    if (!this.#isDeaf) this.#reader.read(bytes, offset, offset + length)
    return 0
  }

  onEnd(): void {
    // RFC 6455 section 7.1.1: without a Close from both sides it is broken, and nobody can answer any more.
    this.#deafen()
    if (this.readyState === 1) this.readyState = 2
    this.#socket!.end()
  }

  onWritable(): void {}

  onClosed(error: Error | undefined): void {
    this.#deafen()
    if (this.readyState === 3) return
    const fault = this.#fault ?? error?.message ?? `the ${this.#peer} ended the connection without a Close`
    this.#over(this.#end === undefined ? fault : undefined)
  }

  drain(): void {
    this.close({ code: GOING_AWAY, reason: new TextEncoder().encode(`the ${this.#peer === 'client' ? 'server' : 'client'} is to stop`) })
  }

  tick(): void {
    const { room } = this.#socket!
    const moved = room !== this.#lastRoom
    this.#stuck = moved || room === this.#allRoom ? 0 : this.#stuck + 1
    this.#closing = moved || this.readyState < 2 ? 0 : this.#closing + 1
    this.#lastRoom = room
    this.#silent++
    const { idleTimeout } = this.#limits
    if (this.#closing > CLOSE_TIMEOUT) return this.#abort(`the ${this.#peer} did not close in time`)
    if (this.#silent >= idleTimeout) return this.#abort(`the ${this.#peer} has given no sign of life`)
    if (this.#stuck >= idleTimeout) return this.#abort(`the ${this.#peer} takes nothing`)
    if (this.readyState === 1 && this.#silent === Math.ceil(idleTimeout / 2)) this.#queue(PING, EMPTY)
  }

  // ---- what the peer says

  frame(opcode: number, payload: Uint8Array<ArrayBuffer>): boolean {
    if (opcode === PING) this.#queue(PONG, payload)
    else if (opcode === CLOSE) this.#closed(payload)
    else if (opcode !== PONG && this.readyState === 1) this.#message(opcode, payload)
    return !this.#isDeaf
  }

  /** RFC 6455 section 7.1.7: the peer is told why, and what it still sends is not looked at. */
  violation(code: number, reason: string): void {
    this.#deafen()
    this.#log.write('debug', () => `WebSocket ${this.#url}: ${reason}`)
    const wasOpen = this.readyState === 1
    if (wasOpen) {
      this.#queue(CLOSE, closePayload(code, new TextEncoder().encode(reason)))
      // A client has no code to tell its program when none came (https://websockets.spec.whatwg.org/#eventdef-websocket-close).
      if (this.#peer === 'client') this.#end = { code, reason }
    }
    this.#socket!.end()
    this.readyState = 2
    this.#events.failed(reason)
    if (wasOpen) this.#over(undefined)
  }

  #message(opcode: number, payload: Uint8Array<ArrayBuffer>): void {
    if (opcode === BINARY) {
      const { buffer } = payload.length === payload.buffer.byteLength ? payload : payload.slice()
      this.#events.message(buffer)
      return
    }
    let text: string
    try {
      text = decodeUtf8(this.#abi, payload, true)
    } catch {
      return this.violation(NOT_UTF8, 'a text is not UTF-8')
    }
    this.#events.message(text)
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
    if (this.readyState === 1) this.#queue(CLOSE, payload.slice(0, 2))
    if (this.readyState === 3) return
    this.#deafen()
    this.readyState = 2
    this.#end = { code, reason }
    this.#wasClean = true
    this.#socket!.end()
    this.#over(undefined)
  }

  // ---- sending

  #send(opcode: number, payload: Uint8Array): void {
    if (this.bufferedAmount > this.#limits.maxBuffered)
      return this.#abort(`more than ${this.#limits.maxBuffered} bytes wait for the ${this.#peer}`, true)
    this.#queue(opcode, payload)
  }

  #queue(opcode: number, payload: Uint8Array): void {
    const socket = this.#socket!
    // A peer that asks and takes no answer.
    if (opcode === PONG && this.bufferedAmount > this.#limits.maxBuffered) return this.#abort(`the ${this.#peer} takes nothing`)
    const bytes = frame(this.#abi, opcode, payload, this.#peer === 'server' ? this.#mask() : undefined)
    socket.queue(bytes, 0, bytes.length)
    socket.flush()
  }

  /** Section 5.3: of a strong source of randomness, another one for each frame. */
  #mask(): Uint8Array {
    const mask = new Uint8Array(4)
    this.#abi.random(mask)
    return mask
  }

  #abort(reason: string, isProgram = false): void {
    if (isProgram) this.#log.write('warn', () => `WebSocket ${this.#url}: ${reason}: it is broken off`)
    this.#deafen()
    this.#fault ??= reason
    this.#socket!.abort()
    if ((this.readyState as ReadyState) !== 3) this.#over(this.#fault)
  }

  #deafen(): void {
    this.#isDeaf = true
    this.#reader.drop()
  }

  /** The program is told that it is over, once; and why, when that is a fault. */
  #over(fault: string | undefined): void {
    this.readyState = 3
    if (fault !== undefined) this.#events.failed(fault)
    const { code, reason } = this.#end ?? { code: ABNORMAL, reason: '' }
    this.#events.closed(code, reason, this.#wasClean)
  }
}
