/** The buffers that netfront sends from: usual ones, and runs of pages for frames that the backend cuts into segments. */
import type { Frame } from '@xen-ts/runtime/machine'
import { PAGE_SIZE } from '../grant-table.ts'
import type { Transmitter } from './tx.ts'

/** A longer frame is not one for netback: it is more than the size of a request can say. */
export const MAX_FRAME = 65_535

export const FREE = 0
export const RESERVED = 1
export const SENT = 2

export class TxFrame implements Frame {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  checked?: boolean
  /** The connection it belongs to. */
  readonly sender: Transmitter
  readonly id: number
  /** Number of its first page. */
  readonly page: number
  /** Of the frame in that page, in bytes. */
  readonly offset: number
  readonly isLarge: boolean
  state = FREE
  /** Bytes that it may have: the views of a large one reach into the next. */
  room: number
  /** Slots that the backend has not answered. */
  slots = 0
  /** Pages that become free with it, when it is a large one. */
  pages = 0
  /** Of the usual ones: the next that is free. Of the large ones: the next that was given out. */
  next: TxFrame | undefined = undefined

  constructor(sender: Transmitter, id: number, page: number, u8: Uint8Array, isLarge: boolean) {
    this.sender = sender
    this.id = id
    this.page = page
    this.offset = u8.byteOffset % PAGE_SIZE
    this.isLarge = isLarge
    this.u8 = u8
    this.room = u8.length
    this.u16 = new Uint16Array(u8.buffer, u8.byteOffset, u8.length >>> 1)
  }
}

/**
 * Large frames: each has as many pages as it needs, next to each other, so that it is built in one piece. They are given out round and
 * round; what is given back out of order becomes free with what was given out before.
 */
export class LargeFrames {
  /** One for each page that a frame can begin at, with what follows it. */
  readonly #frames: readonly TxFrame[]
  #head = 0
  #used = 0
  #oldest: TxFrame | undefined
  #newest: TxFrame | undefined

  constructor(frames: readonly TxFrame[]) {
    this.#frames = frames
  }

  get isUnused(): boolean {
    return this.#used === 0
  }

  /** Bytes of the largest frame that can be had now. */
  get largest(): number {
    const bytes = Math.max(this.#behindHead(), this.#atBegin()) * PAGE_SIZE
    return bytes < MAX_FRAME ? bytes : MAX_FRAME
  }

  /** A frame of `length` bytes, or undefined when there is no room for it. */
  take(length: number): TxFrame | undefined {
    const pages = Math.ceil(length / PAGE_SIZE)
    let skipped = 0
    if (pages > this.#behindHead()) {
      if (pages > this.#atBegin()) return undefined
      skipped = this.#frames.length - this.#head
      this.#head = 0
    }
    const frame = this.#frames[this.#head]
    this.#head = (this.#head + pages) % this.#frames.length
    this.#used += skipped + pages
    frame.pages = skipped + pages
    frame.room = Math.min(pages * PAGE_SIZE, MAX_FRAME)
    frame.next = undefined
    if (this.#oldest === undefined) this.#oldest = frame
    else this.#newest!.next = frame
    this.#newest = frame
    return frame
  }

  /** A frame is FREE again. */
  release(): void {
    while (this.#oldest !== undefined && this.#oldest.state === FREE) {
      this.#used -= this.#oldest.pages
      this.#oldest = this.#oldest.next
    }
    if (this.#used === 0) this.#head = 0
  }

  #behindHead(): number {
    return Math.min(this.#frames.length - this.#head, this.#frames.length - this.#used)
  }

  /** Pages at the beginning, for which those at the end would have to be skipped. */
  #atBegin(): number {
    return this.#head - this.#used
  }
}
