/**
 * Segments that arrived before their turn, sorted by sequence number. Bounded by the receive window, by a number of segments, and
 * by the memory that all connections share; what does not fit is dropped, and the peer sends it again.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'

/** Bytes of received data that a stack may hold. One for all connections. */
export class MemoryBudget {
  used = 0
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false
    this.used += bytes
    return true
  }

  give(bytes: number): void {
    this.used -= bytes
  }
}

/** Segments a connection may hold, and what one costs beside its bytes. */
const MOST = 256
const OVERHEAD = 128
/** So many segments are acknowledged one by one after one came out of turn: a sender that was just slowed down sends one at a time. */
const EAGER = 16

interface Piece {
  sequence: number
  bytes: Uint8Array
  fin: boolean
}

export class Reassembly {
  readonly #abi: HostFunctions
  readonly #budget: MemoryBudget
  readonly #pieces: Piece[] = []
  /** Sequence number of the piece that came last: RFC 2018 wants its block first. */
  #latest = 0
  /** What arrived although it was there, until it is told: first and next sequence number. */
  #twice: readonly number[] = []
  #eager = 0

  constructor(abi: HostFunctions, budget: MemoryBudget) {
    this.#abi = abi
    this.#budget = budget
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0
  }

  /** Whether an acknowledgment has something to say beside its number. */
  get hasBlocks(): boolean {
    return this.#pieces.length > 0 || this.#twice.length > 0
  }

  /** `length` bytes arrived that were there. The sender learns from it that it was too quick to send them again (RFC 2883). */
  arrivedTwice(sequence: number, length: number): void {
    this.#twice = [sequence, (sequence + length) | 0]
    this.#eager = EAGER
  }

  /** Whether one more segment is to be acknowledged at once. */
  takesEagerly(): boolean {
    return this.#eager > 0 && this.#eager-- > 0
  }

  /** Keeps a copy. False when there was no room. */
  add(sequence: number, from: Uint8Array, offset: number, length: number, fin: boolean): boolean {
    this.#latest = sequence
    this.#eager = EAGER
    // Mostly in ascending order: look for the place from the end.
    let at = this.#pieces.length
    while (at > 0 && ((this.#pieces[at - 1].sequence - sequence) | 0) > 0) at--
    if (at > 0) {
      const before = this.#pieces[at - 1]
      const covered = (before.sequence + before.bytes.length - sequence) | 0
      if (covered >= length && (before.fin || !fin)) {
        if (length > 0) this.#twice = [sequence, (sequence + length) | 0]
        return true
      }
    }
    if (this.#pieces.length >= MOST || !this.#budget.take(length + OVERHEAD)) return false
    const bytes = new Uint8Array(length)
    this.#abi.copy(bytes, 0, from, offset, length)
    this.#pieces.splice(at, 0, { sequence, bytes, fin })
    return true
  }

  /** Takes the piece that reaches `next` or beyond, when there is one; older ones are dropped. */
  take(next: number): Piece | undefined {
    while (this.#pieces.length > 0) {
      const piece = this.#pieces[0]
      if (((piece.sequence - next) | 0) > 0) return undefined
      this.#pieces.shift()
      this.#budget.give(piece.bytes.length + OVERHEAD)
      const rest = (piece.sequence + piece.bytes.length - next) | 0
      if (rest > 0 || (rest === 0 && piece.fin)) return piece
    }
    return undefined
  }

  /**
   * What is held, as pairs of first and next sequence number, for a SACK option: at most `most` blocks. Before them, once, what arrived twice
   * (RFC 2883 section 4).
   */
  blocks(most: number): number[] {
    const blocks: number[] = []
    let latest = 0
    for (const { sequence, bytes, fin } of this.#pieces) {
      const end = (sequence + bytes.length + (fin ? 1 : 0)) | 0
      if (((sequence - this.#latest) | 0) <= 0) latest = blocks.length
      const last = blocks.length - 1
      if (last > 0 && ((sequence - blocks[last]) | 0) <= 0) {
        if (((end - blocks[last]) | 0) > 0) blocks[last] = end
        if (((sequence - this.#latest) | 0) <= 0) latest = last - 1
      } else {
        blocks.push(sequence, end)
      }
    }
    const twice = this.#twice
    this.#twice = []
    return [...twice, ...blocks.splice(latest, 2), ...blocks].slice(0, 2 * most)
  }

  clear(): void {
    this.#twice = []
    for (const piece of this.#pieces.splice(0)) this.#budget.give(piece.bytes.length + OVERHEAD)
  }
}
