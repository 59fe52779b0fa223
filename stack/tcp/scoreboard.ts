/**
 * What the peer has selectively acknowledged (the scoreboard of RFC 6675), as ranges of sequence numbers above the first unacknowledged
 * one. There is one only while something is missing: a connection without loss has none. It is bounded, and information that finds no
 * room is forgotten, which costs a retransmission at most.
 */
import { LEAST_MSS } from '../wire/tcp.ts'

/** Ranges that are kept. Work for a segment grows with them, and a peer decides on their number. */
const MOST = 64
/** Discontiguous ranges above a hole that make it lost (RFC 6675 section 4: DupThresh). */
const THRESHOLD = 3

export class Scoreboard {
  /** First and next sequence number of each range, ascending, disjoint and not adjacent. */
  readonly #edges: number[] = []
  /** Next sequence number after what was retransmitted in this recovery (HighRxt + 1). */
  retransmitted: number
  /** Everything below it that is not acknowledged is lost: a timeout has said so. */
  timedOutBelow: number
  /** The last segment was sent once more to get an acknowledgment (the rescue of section 4, NextSeg rule 4). */
  rescued = false

  constructor(una: number) {
    this.retransmitted = una
    this.timedOutBelow = una
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0
  }

  /** Where the first range begins, and where the last one ends; there must be one. */
  get lowest(): number {
    return this.#edges[0]
  }
  get highest(): number {
    return this.#edges[this.#edges.length - 1]
  }

  /** Takes a block, which lies between the first unacknowledged and the last sent number. False when it says nothing new. */
  add(begin: number, end: number): boolean {
    const edges = this.#edges
    // Mostly the highest range grows: look for the place from the end.
    let to = edges.length
    while (to > 0 && ((edges[to - 2] - end) | 0) > 0) to -= 2
    let from = to
    while (from > 0 && ((edges[from - 1] - begin) | 0) >= 0) from -= 2
    if (from < to) {
      if (to - from === 2 && ((edges[from] - begin) | 0) <= 0 && ((edges[from + 1] - end) | 0) >= 0) return false
      if (((edges[from] - begin) | 0) < 0) begin = edges[from]
      if (((edges[to - 1] - end) | 0) > 0) end = edges[to - 1]
    } else if (edges.length >= 2 * MOST) {
      return false
    }
    edges.splice(from, to - from, begin, end)
    return true
  }

  /** All before `una` was acknowledged in the usual way. False: the range at `una` was as well, so the peer has taken that back. */
  advance(una: number): boolean {
    const edges = this.#edges
    let gone = 0
    while (gone < edges.length && ((edges[gone + 1] - una) | 0) <= 0) gone += 2
    if (gone > 0) edges.splice(0, gone)
    if (((this.retransmitted - una) | 0) < 0) this.retransmitted = una
    if (((this.timedOutBelow - una) | 0) < 0) this.timedOutBelow = una
    return edges.length === 0 || ((edges[0] - una) | 0) > 0
  }

  /** A recovery begins at `una`; `timedOutBelow` is `una` unless a timeout began it. */
  recover(una: number, timedOutBelow: number): void {
    this.retransmitted = una
    this.timedOutBelow = timedOutBelow
    this.rescued = false
  }

  /** What is not acknowledged below this number is lost (IsLost): three ranges, or more than two segments' bytes, are above it. */
  lostBelow(mss: number): number {
    const edges = this.#edges
    const enough = (THRESHOLD - 1) * (mss < LEAST_MSS ? LEAST_MSS : mss)
    let bytes = 0
    for (let i = edges.length - 2, ranges = 1; i >= 0; i -= 2, ranges++) {
      bytes += (edges[i + 1] - edges[i]) | 0
      if (ranges >= THRESHOLD || bytes > enough) return ((edges[i] - this.timedOutBelow) | 0) > 0 ? edges[i] : this.timedOutBelow
    }
    return this.timedOutBelow
  }

  /** Bytes that are in the network by all we know (SetPipe): those from `una` to `max` that were neither acknowledged nor lost, and retransmissions. */
  pipe(una: number, max: number, lostBelow: number): number {
    // Of each part of the sequence numbers only what is not acknowledged counts.
    return this.#missing(lostBelow, max, una) + this.#missing(una, this.retransmitted, una)
  }

  /** Bytes from `from` to `to` that were not acknowledged. */
  #missing(from: number, to: number, una: number): number {
    if (((from - una) | 0) < 0) from = una
    let bytes = (to - from) | 0
    if (bytes <= 0) return 0
    const edges = this.#edges
    for (let i = 0; i < edges.length; i += 2) {
      const begin = ((edges[i] - from) | 0) > 0 ? edges[i] : from
      const end = ((edges[i + 1] - to) | 0) < 0 ? edges[i + 1] : to
      const covered = (end - begin) | 0
      if (covered > 0) bytes -= covered
    }
    return bytes
  }

  /** The first number from `from` on that was not acknowledged. */
  holeFrom(from: number): number {
    const edges = this.#edges
    for (let i = 0; i < edges.length && ((edges[i] - from) | 0) <= 0; i += 2) {
      if (((edges[i + 1] - from) | 0) > 0) return edges[i + 1]
    }
    return from
  }

  /** Where the hole ends that begins at or includes `at`: at the next range, or at `limit`. */
  holeEnd(at: number, limit: number): number {
    const edges = this.#edges
    for (let i = 0; i < edges.length; i += 2) {
      if (((edges[i] - at) | 0) > 0) return ((edges[i] - limit) | 0) < 0 ? edges[i] : limit
    }
    return limit
  }
}
