/**
 * Takes messages out of the bytes of a peer (RFC 6455 section 5): bytes in, messages and control frames out. It does no I/O. What breaks
 * a rule ends the reading, with the code that the peer is told.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Gathering } from '../server/gathering.ts'
import { BINARY, CLOSE, CONTINUATION, MAX_CONTROL, PONG, PROTOCOL_ERROR, TEXT, TOO_LARGE, TRY_AGAIN } from './frame.ts'

export interface FrameSink {
  /** TEXT or BINARY, CLOSE, PING or PONG; the bytes are the sink's. False when it wants no more. */
  frame(opcode: number, payload: Uint8Array<ArrayBuffer>): boolean
  /** Nothing behind this can be read. */
  violation(code: number, reason: string): void
}

/** Longest head: two bytes, eight of length, four of mask. */
const MAX_HEAD = 14

export class FrameReader {
  readonly #abi: Pick<HostFunctions, 'copy'>
  readonly #sink: FrameSink
  readonly #limit: number
  /** Of a mask: four bytes of a client, none of a server. */
  readonly #maskLength: 4 | 0
  readonly #gathering: Gathering
  readonly #head = new Uint8Array(MAX_HEAD)
  #headLength = 0
  /** Of the frame whose payload comes in; -1 when its head does. */
  #remaining = -1
  #opcode = 0
  #isFinal = false
  /** Its mask, the byte that is next in the lowest bits. */
  #mask = 0
  /** Of the message that comes in, over all its fragments; 0 when there is none. */
  #messageOpcode = 0
  readonly #message = new Unmasked()
  readonly #control = new Unmasked()
  #isOver = false

  /**
   * @param peer masks its frames, if it is a client
   * @param limit longest message in bytes
   * @param gathering counts what the messages of all sockets hold as long as they are not whole
   */
  constructor(abi: Pick<HostFunctions, 'copy'>, peer: 'client' | 'server', limit: number, gathering: Gathering, sink: FrameSink) {
    this.#abi = abi
    this.#limit = limit
    this.#gathering = gathering
    this.#sink = sink
    this.#maskLength = peer === 'client' ? 4 : 0
  }

  read(bytes: Uint8Array, at: number, end: number): void {
    while (at < end && !this.#isOver) {
      if (this.#remaining < 0) {
        this.#head[this.#headLength++] = bytes[at++]
        this.#readHead()
        continue
      }
      const size = Math.min(end - at, this.#remaining)
      const isControl = this.#opcode >= CLOSE
      this.#mask = (isControl ? this.#control : this.#message).push(this.#abi, bytes, at, size, this.#mask)
      at += size
      this.#remaining -= size
      if (!isControl) this.#gathering.bytes += size
      if (this.#remaining === 0) this.#endFrame()
      // What is whole by now was handed on.
      if (!isControl && this.#message.length > 0 && this.#gathering.isTooMuch(this.#limit))
        this.#fail(TRY_AGAIN, `too many messages are on their way to the ${this.#maskLength > 0 ? 'server' : 'client'}: try again later`)
    }
  }

  /** Nothing more is read: lets go of a message that is not whole. */
  drop(): void {
    this.#isOver = true
    this.#gathering.bytes -= this.#message.length
    this.#message.clear()
  }

  /** Looks at a head each time that it has become longer, so that a wrong one is known by its first byte. */
  #readHead(): void {
    const head = this.#head
    if (this.#headLength === 1) return this.#checkFirst(head[0])
    const short = head[1] & 0x7f
    if (this.#headLength === 2) {
      if ((head[1] & 0x80) === 0 && this.#maskLength > 0) return this.#fail(PROTOCOL_ERROR, 'a frame is not masked')
      if ((head[1] & 0x80) !== 0 && this.#maskLength === 0) return this.#fail(PROTOCOL_ERROR, 'a frame of a server is masked')
      if (this.#opcode >= CLOSE && short > MAX_CONTROL) return this.#fail(PROTOCOL_ERROR, 'a control frame is longer than 125 bytes')
    }
    const lengthEnd = short === 127 ? 10 : short === 126 ? 4 : 2
    if (this.#headLength < lengthEnd) return
    if (this.#headLength === lengthEnd && !this.#checkLength(lengthEnd)) return
    if (this.#headLength < lengthEnd + this.#maskLength) return
    this.#remaining = this.#lengthOf(lengthEnd)
    if (this.#maskLength > 0)
      this.#mask = head[lengthEnd] | (head[lengthEnd + 1] << 8) | (head[lengthEnd + 2] << 16) | (head[lengthEnd + 3] << 24)
    this.#headLength = 0
    if (this.#remaining === 0) this.#endFrame()
  }

  #checkFirst(first: number): void {
    const opcode = first & 0x0f
    this.#opcode = opcode
    this.#isFinal = (first & 0x80) !== 0
    if ((first & 0x70) !== 0) return this.#fail(PROTOCOL_ERROR, 'a reserved bit is set, and no extension was agreed on')
    if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) return this.#fail(PROTOCOL_ERROR, `there is no opcode ${opcode}`)
    if (opcode >= CLOSE && !this.#isFinal) return this.#fail(PROTOCOL_ERROR, 'a control frame is fragmented')
    const isWithin = this.#messageOpcode !== 0
    if (opcode === CONTINUATION && !isWithin) return this.#fail(PROTOCOL_ERROR, 'a continuation continues nothing')
    if ((opcode === TEXT || opcode === BINARY) && isWithin) return this.#fail(PROTOCOL_ERROR, 'a message begins within another')
  }

  #lengthOf(lengthEnd: number): number {
    const head = this.#head
    if (lengthEnd === 2) return head[1] & 0x7f
    let length = 0
    for (let at = 2; at < lengthEnd; at++) length = length * 256 + head[at]
    return length
  }

  #checkLength(lengthEnd: number): boolean {
    const length = this.#lengthOf(lengthEnd)
    if (lengthEnd === 10 && this.#head[2] >= 0x80) this.#fail(PROTOCOL_ERROR, 'a length is negative')
    else if (lengthEnd > 2 && length < (lengthEnd === 4 ? 126 : 65_536))
      this.#fail(PROTOCOL_ERROR, 'a length is written in more bytes than it takes')
    else if (this.#opcode < CLOSE && length + this.#message.length > this.#limit)
      this.#fail(TOO_LARGE, `a message is longer than ${this.#limit} bytes`)
    return !this.#isOver
  }

  #endFrame(): void {
    this.#remaining = -1
    const opcode = this.#opcode
    if (opcode >= CLOSE) {
      if (!this.#sink.frame(opcode, this.#control.take())) this.#isOver = true
      return
    }
    if (opcode !== CONTINUATION) this.#messageOpcode = opcode
    if (!this.#isFinal) return
    const whole = this.#messageOpcode
    this.#messageOpcode = 0
    this.#gathering.bytes -= this.#message.length
    if (!this.#sink.frame(whole, this.#message.take())) this.#isOver = true
  }

  #fail(code: number, reason: string): void {
    this.drop()
    this.#sink.violation(code, reason)
  }
}

/** Payload of one or more frames, unmasked while it comes in (section 5.3). */
class Unmasked {
  #bytes = EMPTY
  length = 0

  /** Returns the mask for what comes next. */
  push(abi: Pick<HostFunctions, 'copy'>, from: Uint8Array, at: number, size: number, mask: number): number {
    const total = this.length + size
    if (total > this.#bytes.length) {
      // Whole words, for the loop below.
      const larger = new Uint8Array((Math.max(total, 2 * this.#bytes.length) + 3) & ~3)
      abi.copy(larger, 0, this.#bytes, 0, this.length)
      this.#bytes = larger
    }
    abi.copy(this.#bytes, this.length, from, at, size)
    const bytes = this.#bytes
    let i = this.length
    this.length = total
    for (; i < total && (i & 3) !== 0; i++) {
      bytes[i] ^= mask
      mask = (mask >>> 8) | (mask << 24)
    }
    const words = new Int32Array(bytes.buffer)
    const end = total >> 2
    let word = i >> 2
    if (mask !== 0) for (; word < end; word++) words[word] ^= mask
    for (i = Math.max(i, end << 2); i < total; i++) {
      bytes[i] ^= mask
      mask = (mask >>> 8) | (mask << 24)
    }
    return mask
  }

  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes
    const whole = bytes.length === this.length ? bytes : bytes.slice(0, this.length)
    this.clear()
    return whole
  }

  clear(): void {
    this.#bytes = EMPTY
    this.length = 0
  }
}

const EMPTY = new Uint8Array(0)
