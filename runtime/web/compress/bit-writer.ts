/** Bits, the lowest first (RFC 1951 section 3.1.1). */
import type { Codes } from './code-lengths.ts'
import { DISTANCE_BITS, DISTANCES, LENGTH_BITS, LENGTHS } from './tables.ts'

type Bytes = Uint8Array<ArrayBuffer>

export class BitWriter {
  #bytes: Bytes = new Uint8Array(0)
  #at = 0
  /** Less than 16 bits that are no whole word yet. */
  #hold = 0
  #held = 0

  /** Room for so many bytes; what was written before was taken. */
  reserve(length: number): void {
    this.#bytes = new Uint8Array(length)
    this.#at = 0
  }

  /** At most 16. */
  bits(value: number, count: number): void {
    this.#hold |= value << this.#held
    this.#held += count
    if (this.#held >= 16) this.#word()
  }

  #word(): void {
    this.#bytes[this.#at++] = this.#hold
    this.#bytes[this.#at++] = this.#hold >>> 8
    this.#hold >>>= 16
    this.#held -= 16
  }

  /** Up to the next whole byte. */
  align(): void {
    for (; this.#held > 0; this.#held -= 8) {
      this.#bytes[this.#at++] = this.#hold
      this.#hold >>>= 8
    }
    this.#held = 0
    this.#hold = 0
  }

  /** Section 3.2.4 */
  stored(bytes: Uint8Array): void {
    this.align()
    this.bits(bytes.length, 16)
    this.bits(~bytes.length & 0xffff, 16)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /**
   * Symbols, and the end of the block: section 3.2.5
   * @param symbols literals as they are; matches as distance << 9 | length, with the highest bit
   */
  symbols(
    symbols: Int32Array,
    count: number,
    literals: Codes,
    distances: Codes,
    lengthSymbols: Uint8Array,
    distanceSymbols: Uint8Array,
  ): void {
    const bytes = this.#bytes
    const { codes, lengths } = literals
    const { codes: distanceCodes, lengths: distanceLengths } = distances
    let at = this.#at
    let hold = this.#hold
    let held = this.#held
    for (let i = 0; i < count; i++) {
      const symbol = symbols[i]
      if (symbol >= 0) {
        hold |= codes[symbol] << held
        held += lengths[symbol]
      } else {
        const length = symbol & 511
        const distance = (symbol >>> 9) & 0xffff
        const first = lengthSymbols[length]
        hold |= codes[257 + first] << held
        held += lengths[257 + first]
        if (held >= 16) {
          bytes[at++] = hold
          bytes[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        hold |= (length - LENGTHS[first]) << held
        held += LENGTH_BITS[first]
        if (held >= 16) {
          bytes[at++] = hold
          bytes[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        const second = distanceSymbols[distance <= 256 ? distance - 1 : 256 + ((distance - 1) >> 7)]
        hold |= distanceCodes[second] << held
        held += distanceLengths[second]
        if (held >= 16) {
          bytes[at++] = hold
          bytes[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        hold |= (distance - DISTANCES[second]) << held
        held += DISTANCE_BITS[second]
      }
      if (held >= 16) {
        bytes[at++] = hold
        bytes[at++] = hold >>> 8
        hold >>>= 16
        held -= 16
      }
    }
    this.#at = at
    this.#hold = hold
    this.#held = held
    this.bits(codes[256], lengths[256])
  }

  take(): Bytes {
    return this.#bytes.slice(0, this.#at)
  }
}
