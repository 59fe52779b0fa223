/**
 * DEFLATE (RFC 1951): a block for each 32 KiB of input, in codes of its own, in the fixed ones or stored, whichever is the shortest. Made for
 * an interpreter: few steps for each byte, and none for most of those within a match.
 */
import { BitWriter } from './bit-writer.ts'
import { type Codes, codesOf, lengthsOf } from './code-lengths.ts'
import { DISTANCE_BITS, DISTANCES, fixedDistanceLengths, fixedLiteralLengths, LENGTH_BITS, LENGTHS, ORDER, WINDOW } from './tables.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A stored block may be no longer than 65,535 bytes; and an interpreter works on so many for some 50 ms. */
const BLOCK = 32 * 1024
const MASK = WINDOW - 1
const LONGEST = 258
/** So many earlier places with the same three bytes are looked at; a match that is so long is good enough. */
const DEPTH = 6
const GOOD = 32
/** Of a match that is longer only the begin can be found again. */
const INSERTED = 16
/** Places are counted from the begin of the data; before they leave what an int32 holds, all is forgotten. */
const FARTHEST = 0x3fff_ffff
const NOWHERE = -0x4000_0000

interface Tables {
  /** Symbol of a length, and of a distance, which is looked up in two steps. */
  readonly lengthSymbols: Uint8Array
  readonly distanceSymbols: Uint8Array
  readonly fixedLiterals: Codes
  readonly fixedDistances: Codes
}
let tables: Tables | undefined

function makeTables(): Tables {
  const lengthSymbols = new Uint8Array(LONGEST + 1)
  for (const [symbol, length] of LENGTHS.entries()) lengthSymbols.fill(symbol, length)
  const distanceSymbols = new Uint8Array(512)
  for (const [symbol, distance] of DISTANCES.entries()) {
    if (distance <= 256) distanceSymbols.fill(symbol, distance - 1, 256)
    distanceSymbols.fill(symbol, 256 + ((distance - 1) >> 7))
  }
  return { lengthSymbols, distanceSymbols, fixedLiterals: codesOf(fixedLiteralLengths()), fixedDistances: codesOf(fixedDistanceLengths()) }
}

export class Deflate {
  /** The window, and behind it what is to become the next block. */
  readonly #bytes: Bytes = new Uint8Array(WINDOW + BLOCK)
  #length = 0
  /** The place that stands first in that. */
  #base = -WINDOW
  /** By hash, the last place with it; by place, the one before it. */
  readonly #heads = new Int32Array(WINDOW).fill(NOWHERE)
  readonly #before = new Int32Array(WINDOW)
  readonly #symbols = new Int32Array(BLOCK)
  readonly #literalCounts = new Int32Array(286)
  readonly #distanceCounts = new Int32Array(30)
  readonly #writer = new BitWriter()

  /** What comes of it so far. */
  push(input: Bytes): Bytes[] {
    const all: Bytes[] = []
    for (let at = 0; at < input.length; ) {
      const size = Math.min(input.length - at, BLOCK - this.#length)
      this.#bytes.set(input.subarray(at, at + size), WINDOW + this.#length)
      this.#length += size
      at += size
      if (this.#length === BLOCK) all.push(this.#block(false))
    }
    return all
  }

  /** The rest. */
  end(): Bytes {
    return this.#block(true)
  }

  #block(isLast: boolean): Bytes {
    const { lengthSymbols, distanceSymbols, fixedLiterals, fixedDistances } = (tables ??= makeTables())
    const [literalCounts, distanceCounts] = [this.#literalCounts.fill(0), this.#distanceCounts.fill(0)]
    const count = this.#match(lengthSymbols, distanceSymbols)
    literalCounts[256] = 1
    const literals = codesOf(lengthsOf(literalCounts, 15))
    const distances = codesOf(lengthsOf(distanceCounts, 15))
    const head = headOf(literals.lengths, distances.lengths)
    const own = head.bits + cost(literalCounts, literals) + cost(distanceCounts, distances)
    const fixed = cost(literalCounts, fixedLiterals) + cost(distanceCounts, fixedDistances)
    // The same in both: further bits of lengths and distances.
    let further = 0
    for (let i = 0; i < LENGTH_BITS.length; i++) further += literalCounts[257 + i] * LENGTH_BITS[i]
    for (let i = 0; i < DISTANCE_BITS.length; i++) further += distanceCounts[i] * DISTANCE_BITS[i]

    const writer = this.#writer
    writer.reserve(this.#length + 512)
    writer.bits(isLast ? 1 : 0, 1)
    if (this.#length * 8 + 40 < further + Math.min(own, fixed)) {
      writer.bits(0, 2)
      writer.stored(this.#bytes.subarray(WINDOW, WINDOW + this.#length))
    } else if (own < fixed) {
      writer.bits(2, 2)
      for (const [value, bits] of head.parts) writer.bits(value, bits)
      writer.symbols(this.#symbols, count, literals, distances, lengthSymbols, distanceSymbols)
    } else {
      writer.bits(1, 2)
      writer.symbols(this.#symbols, count, fixedLiterals, fixedDistances, lengthSymbols, distanceSymbols)
    }
    if (isLast) writer.align()
    this.#bytes.copyWithin(0, this.#length, this.#length + WINDOW)
    this.#base += this.#length
    this.#length = 0
    if (this.#base > FARTHEST) {
      this.#base = -WINDOW
      this.#heads.fill(NOWHERE)
    }
    return writer.take()
  }

  /** Finds what was there before, and counts; returns the number of symbols. */
  #match(lengthSymbols: Uint8Array, distanceSymbols: Uint8Array): number {
    const bytes = this.#bytes
    const heads = this.#heads
    const before = this.#before
    const symbols = this.#symbols
    const literalCounts = this.#literalCounts
    const distanceCounts = this.#distanceCounts
    const base = this.#base
    const end = WINDOW + this.#length
    let count = 0
    let at = WINDOW
    // Three bytes make a hash.
    const last = end - 2
    while (at < last) {
      const place = base + at
      const hash = ((bytes[at] << 10) ^ (bytes[at + 1] << 5) ^ bytes[at + 2]) & MASK
      let earlier = heads[hash]
      heads[hash] = place
      before[place & MASK] = earlier
      let best = 2
      let distance = 0
      const most = end - at < LONGEST ? end - at : LONGEST
      for (let depth = DEPTH; depth > 0 && place - earlier <= WINDOW; depth--) {
        const from = earlier - base
        if (bytes[from + best] === bytes[at + best] && bytes[from] === bytes[at] && bytes[from + 1] === bytes[at + 1]) {
          let length = 2
          while (length < most && bytes[from + length] === bytes[at + length]) length++
          if (length > best) {
            best = length
            distance = place - earlier
            if (length >= GOOD || length === most) break
          }
        }
        const next = before[earlier & MASK]
        // An entry that was written over since is of a later place.
        if (next >= earlier) break
        earlier = next
      }
      if (distance === 0) {
        const literal = bytes[at++]
        symbols[count++] = literal
        literalCounts[literal]++
        continue
      }
      symbols[count++] = -0x8000_0000 | (distance << 9) | best
      literalCounts[257 + lengthSymbols[best]]++
      distanceCounts[distanceSymbols[distance <= 256 ? distance - 1 : 256 + ((distance - 1) >> 7)]]++
      const stop = at + best
      let insert = at + (best < INSERTED ? best : INSERTED)
      if (insert > last) insert = last
      for (at++; at < insert; at++) {
        const each = ((bytes[at] << 10) ^ (bytes[at + 1] << 5) ^ bytes[at + 2]) & MASK
        before[(base + at) & MASK] = heads[each]
        heads[each] = base + at
      }
      at = stop
    }
    for (; at < end; at++) {
      symbols[count++] = bytes[at]
      literalCounts[bytes[at]]++
    }
    return count
  }
}

function cost(counts: Int32Array, { lengths }: Codes): number {
  let bits = 0
  for (let symbol = 0; symbol < counts.length; symbol++) bits += counts[symbol] * lengths[symbol]
  return bits
}

type Part = readonly [value: number, bits: number]

/** The codes of a block, as it says them: section 3.2.7 */
function headOf(literals: Uint8Array, distances: Uint8Array): { bits: number; parts: Part[] } {
  const literalCount = usedOf(literals, 257)
  const distanceCount = usedOf(distances, 1)
  const all = new Uint8Array(literalCount + distanceCount)
  all.set(literals.subarray(0, literalCount))
  all.set(distances.subarray(0, distanceCount), literalCount)
  /** Symbols of 0 to 18, and what follows them. */
  const runs: (readonly [symbol: number, further: number])[] = []
  for (let i = 0; i < all.length; ) {
    const length = all[i]
    let times = 1
    while (i + times < all.length && all[i + times] === length) times++
    i += times
    if (length > 0) {
      runs.push([length, 0])
      times--
    }
    while (times >= 3) {
      const run = Math.min(times, length > 0 ? 6 : 138)
      runs.push(length > 0 ? [16, run - 3] : run <= 10 ? [17, run - 3] : [18, run - 11])
      times -= run
    }
    for (; times > 0; times--) runs.push([length, 0])
  }
  const counts = new Int32Array(19)
  for (const [symbol] of runs) counts[symbol]++
  const { lengths, codes } = codesOf(lengthsOf(counts, 7))
  let count = 19
  while (count > 4 && lengths[ORDER[count - 1]] === 0) count--
  const parts: Part[] = [
    [literalCount - 257, 5],
    [distanceCount - 1, 5],
    [count - 4, 4],
    ...ORDER.slice(0, count).map((symbol): Part => [lengths[symbol], 3]),
  ]
  for (const [symbol, further] of runs) {
    parts.push([codes[symbol], lengths[symbol]])
    if (symbol >= 16) parts.push([further, symbol === 16 ? 2 : symbol === 17 ? 3 : 7])
  }
  return { bits: parts.reduce((sum, [, bits]) => sum + bits, 0), parts }
}

/** Up to the last that occurs. */
function usedOf(lengths: Uint8Array, least: number): number {
  let count = lengths.length
  while (count > least && lengths[count - 1] === 0) count--
  return count
}
