/**
 * The two ends of a vchan ring: free-running u32 indices over a power of two of bytes. Indices of the peer are believed only
 * as far as they are possible; our own live here and are never read back from the shared page. No events, no waiting.
 *
 * There are no barriers here: x86 keeps stores in order, those of a string operation before later ones, and a load before a later store
 * (Intel SDM volume 3, memory ordering). So the bytes are in the ring before the index that shows them, and out of it before the index
 * that gives their room away. Who then asks whether the peer sleeps needs a full barrier: the caller's or8 and and8 are.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'

/** The peer's index is more than the ring's length away from ours: nothing it says can be used any more. */
export const CORRUPT = -1

type Memory = Pick<HostFunctions, 'copy'>

/** Bytes between two indices, or CORRUPT when they are further apart than the ring is long. */
export const distance = (producer: number, consumer: number, size: number): number => {
  const bytes = (producer - consumer) >>> 0
  return bytes > size ? CORRUPT : bytes
}

/** What both ends are: a position in the ring, and where in the control page it and the peer's stand. */
class RingEnd {
  /** Bytes. */
  readonly size: number
  protected readonly memory: Memory
  protected readonly data: Uint8Array
  protected readonly words: Uint32Array
  protected readonly own: number
  protected readonly peer: number
  protected position: number

  /** @param own, peer which of `words` are this end's index and the other's */
  constructor(memory: Memory, data: Uint8Array, words: Uint32Array, own: number, peer: number) {
    this.size = data.length
    this.memory = memory
    this.data = data
    this.words = words
    this.own = own
    this.peer = peer
    this.position = words[own]
  }
}

/** The end that takes bytes out. */
export class RingReader extends RingEnd {
  /** @param producer, consumer positions of the indices in `words` */
  constructor(memory: Memory, data: Uint8Array, words: Uint32Array, producer: number, consumer: number) {
    super(memory, data, words, consumer, producer)
  }

  /** Bytes that can be taken, or CORRUPT. */
  available(): number {
    return distance(this.words[this.peer], this.position, this.size)
  }

  /** Copies `length` bytes out, at most what `available` said, and gives their room back to the peer. */
  take(into: Uint8Array, offset: number, length: number): void {
    const start = this.position & (this.size - 1)
    const first = this.size - start
    if (length <= first) {
      this.memory.copy(into, offset, this.data, start, length)
    } else {
      this.memory.copy(into, offset, this.data, start, first)
      this.memory.copy(into, offset + first, this.data, 0, length - first)
    }
    this.words[this.own] = this.position = (this.position + length) >>> 0
  }
}

/** The end that puts bytes in. */
export class RingWriter extends RingEnd {
  /** @param producer, consumer positions of the indices in `words` */
  constructor(memory: Memory, data: Uint8Array, words: Uint32Array, producer: number, consumer: number) {
    super(memory, data, words, producer, consumer)
  }

  /** Bytes there is room for, or CORRUPT. */
  space(): number {
    const used = distance(this.position, this.words[this.peer], this.size)
    return used === CORRUPT ? CORRUPT : this.size - used
  }

  /** Puts all of it in when there is room for all, and nothing otherwise. Gives the room that there was, or CORRUPT. */
  offer(from: Uint8Array, length: number): number {
    const { position, size } = this
    const used = (position - this.words[this.peer]) >>> 0
    if (used > size) return CORRUPT
    const room = size - used
    if (length > room) return room
    const start = position & (size - 1)
    if (start + length > size) {
      this.put(from, 0, length)
      return room
    }
    this.memory.copy(this.data, start, from, 0, length)
    this.words[this.own] = this.position = (position + length) >>> 0
    return room
  }

  /** Copies `length` bytes in, at most what `space` said, and shows them to the peer. */
  put(from: Uint8Array, offset: number, length: number): void {
    const start = this.position & (this.size - 1)
    const first = this.size - start
    if (length <= first) {
      this.memory.copy(this.data, start, from, offset, length)
    } else {
      this.memory.copy(this.data, start, from, offset, first)
      this.memory.copy(this.data, 0, from, offset + first, length - first)
    }
    this.words[this.own] = this.position = (this.position + length) >>> 0
  }
}
