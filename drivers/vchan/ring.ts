/**
 * The two ends of a vchan ring: free-running u32 indices over a power of two of bytes. Indices of the peer are believed only
 * as far as they are possible; our own live here and are never read back from the shared page. No events, no waiting.
 */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'

/** The peer's index is more than the ring's length away from ours: nothing it says can be used any more. */
export const CORRUPT = -1

type Memory = Pick<Abi, 'copy' | 'fence'>

/** Bytes between two indices, or CORRUPT when they are further apart than the ring is long. */
export const distance = (producer: number, consumer: number, size: number): number => {
  const bytes = (producer - consumer) >>> 0
  return bytes > size ? CORRUPT : bytes
}

/** The end that takes bytes out. */
export class RingReader {
  readonly size: number
  readonly #memory: Memory
  readonly #data: Uint8Array
  readonly #words: Uint32Array
  readonly #producer: number
  readonly #consumer: number
  #position: number

  /** @param producer, consumer positions of the indices in `words` */
  constructor(memory: Memory, data: Uint8Array, words: Uint32Array, producer: number, consumer: number) {
    this.size = data.length
    this.#memory = memory
    this.#data = data
    this.#words = words
    this.#producer = producer
    this.#consumer = consumer
    this.#position = words[consumer]
  }

  /** Bytes that can be taken, or CORRUPT. */
  available(): number {
    return distance(this.#words[this.#producer], this.#position, this.size)
  }

  /** Copies `length` bytes out, at most what `available` said, and gives their room back to the peer. */
  take(into: Uint8Array, offset: number, length: number): void {
    const start = this.#position & (this.size - 1)
    const first = Math.min(length, this.size - start)
    this.#memory.copy(into, offset, this.#data, start, first)
    if (length > first) this.#memory.copy(into, offset + first, this.#data, 0, length - first)
    this.#memory.fence() // all bytes are out before the peer may overwrite them
    this.#position = (this.#position + length) >>> 0
    this.#words[this.#consumer] = this.#position
  }
}

/** The end that puts bytes in. */
export class RingWriter {
  readonly size: number
  readonly #memory: Memory
  readonly #data: Uint8Array
  readonly #words: Uint32Array
  readonly #producer: number
  readonly #consumer: number
  #position: number

  /** @param producer, consumer positions of the indices in `words` */
  constructor(memory: Memory, data: Uint8Array, words: Uint32Array, producer: number, consumer: number) {
    this.size = data.length
    this.#memory = memory
    this.#data = data
    this.#words = words
    this.#producer = producer
    this.#consumer = consumer
    this.#position = words[producer]
  }

  /** Bytes there is room for, or CORRUPT. */
  space(): number {
    const used = distance(this.#position, this.#words[this.#consumer], this.size)
    return used === CORRUPT ? CORRUPT : this.size - used
  }

  /** Copies `length` bytes in, at most what `space` said, and shows them to the peer. */
  put(from: Uint8Array, offset: number, length: number): void {
    const start = this.#position & (this.size - 1)
    const first = Math.min(length, this.size - start)
    this.#memory.copy(this.#data, start, from, offset, first)
    if (length > first) this.#memory.copy(this.#data, 0, from, offset + first, length - first)
    this.#memory.fence() // all bytes are in before the peer may see that they are
    this.#position = (this.#position + length) >>> 0
    this.#words[this.#producer] = this.#position
  }
}
