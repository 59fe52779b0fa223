/**
 * Bytes from the first unacknowledged one on, as references to the writers' arrays: nothing is copied but into frames. Small writes
 * are gathered in an array of our own, so that a writer of single bytes costs a byte each and not an object.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'

/** Writes below SMALL bytes are copied into arrays of GATHER bytes. */
const SMALL = 256
const GATHER = 2048

interface Chunk {
  bytes: Uint8Array
  offset: number
  length: number
  /** Free bytes behind the chunk that it may grow into; 0 for arrays that are not ours. */
  room: number
  next: Chunk | undefined
}

const NOTHING = new Uint8Array(0)

export class SendQueue {
  /** Bytes held. */
  declare bytes: number
  /** See `find`. */
  declare found: number
  declare private readonly abi: HostFunctions
  declare private first: Chunk | undefined
  declare private last: Chunk | undefined
  /** Where the last copy stopped: sending goes on from there nearly always. `at` is the position of the cursor's first byte. */
  declare private cursor: Chunk | undefined
  declare private at: number
  /** A chunk that is not in use: most queues have one at a time, again and again, and to make it costs more than all else of a small answer. */
  declare private spare: Chunk | undefined

  constructor(abi: HostFunctions) {
    this.bytes = 0
    this.found = 0
    this.first = undefined
    this.last = undefined
    this.cursor = undefined
    this.at = 0
    this.spare = undefined
    this.abi = abi
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    if (length === 0) return
    this.bytes += length
    const last = this.last
    if (length < SMALL && last !== undefined) {
      if (length > last.room) {
        // Only when there is a queue already: a single small write is a whole answer and goes out as it is.
        this.append({ bytes: new Uint8Array(GATHER), offset: 0, length: 0, room: GATHER, next: undefined })
      }
      const tail = this.last!
      this.abi.copy(tail.bytes, tail.offset + tail.length, bytes, offset, length)
      tail.length += length
      tail.room -= length
      return
    }
    const spare = this.spare
    if (spare === undefined || last !== undefined) return this.append({ bytes, offset, length, room: 0, next: undefined })
    spare.bytes = bytes
    spare.offset = offset
    spare.length = length
    spare.room = 0
    this.first = this.last = spare
  }

  private append(chunk: Chunk): void {
    if (this.last === undefined) this.first = chunk
    else this.last.next = chunk
    this.last = chunk
  }

  /** Drops the first `length` bytes: they were acknowledged. */
  drop(length: number): void {
    this.bytes -= length
    if (this.bytes === 0) {
      const first = this.first
      if (first !== undefined && first === this.last) {
        first.bytes = NOTHING // the writer's array is not kept
        this.spare = first
      }
      this.first = this.last = this.cursor = undefined
      this.at = 0
      return
    }
    this.at -= length
    let chunk = this.first!
    while (length >= chunk.length) {
      length -= chunk.length
      chunk = chunk.next!
    }
    chunk.offset += length
    chunk.length -= length
    this.first = chunk
    if (this.at <= 0) {
      this.cursor = chunk
      this.at = 0
    }
  }

  /**
   * Where the `length` bytes, which must be there, from position `at` on are in one array: its number of the first is in `found`. undefined
   * when they are in several.
   */
  find(at: number, length: number): Uint8Array | undefined {
    let chunk = this.cursor
    let start = this.at
    if (chunk === undefined || at < start) {
      chunk = this.first
      start = 0
    }
    while (at - start >= chunk!.length) {
      start += chunk!.length
      chunk = chunk!.next
    }
    this.cursor = chunk
    this.at = start
    const skip = at - start
    if (skip + length > chunk!.length) return undefined
    this.found = chunk!.offset + skip
    return chunk!.bytes
  }

  /** Copies `length` bytes, which must be there, from position `at` on to `into`. */
  copy(at: number, length: number, into: Uint8Array, intoOffset: number): void {
    let chunk = this.cursor
    let start = this.at
    if (chunk === undefined || at < start) {
      chunk = this.first
      start = 0
    }
    for (;;) {
      const skip = at - start
      if (skip < chunk!.length) {
        const size = chunk!.length - skip < length ? chunk!.length - skip : length
        this.abi.copy(into, intoOffset, chunk!.bytes, chunk!.offset + skip, size)
        length -= size
        if (length === 0) break
        at += size
        intoOffset += size
      }
      start += chunk!.length
      chunk = chunk!.next
    }
    this.cursor = chunk
    this.at = start
  }

  clear(): void {
    this.bytes = 0
    this.first = this.last = this.cursor = undefined
    this.at = 0
  }
}
