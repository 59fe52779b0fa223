/**
 * DEFLATE, the other way (RFC 1951): takes input as it comes and gives output in pieces of at most PIECE bytes, so that no input, however
 * small and whatever it becomes, takes more memory than this.
 */
import { FAST_BITS, type Huffman, huffman, slowCode } from './huffman.ts'
import { DISTANCE_BITS, DISTANCES, fixedDistanceLengths, fixedLiteralLengths, LENGTH_BITS, LENGTHS, ORDER, WINDOW } from './tables.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The longest match. */
const LONGEST = 258
export const PIECE = 64 * 1024
/** Where a piece is full, behind the window. */
const FULL = WINDOW + PIECE - LONGEST

const BLOCK = 0
const STORED = 1
const CODES = 2
const DONE = 3

export const corrupt = (what: string): TypeError => new TypeError(`DecompressionStream: the compressed data is wrong: ${what}`)

export class Inflate {
  /** Input, and how much of it is used but for `#bits` bits that stand in `#hold`. */
  #input: Bytes = new Uint8Array(0)
  #at = 0
  #hold = 0
  #bits = 0
  /** The window, then what was not given yet, from `#start` up to `#end`. */
  readonly #output: Bytes = new Uint8Array(WINDOW + PIECE)
  #start = WINDOW
  #end = WINDOW
  /** Where the first byte of all stands, as long as it is there. */
  #origin = WINDOW
  #state = BLOCK
  #isLast = false
  /** Bytes of a stored block that are still to come. */
  #stored = 0
  #literals: Huffman = NONE
  #distances: Huffman = NONE

  /** The last block is at its end. */
  get isDone(): boolean {
    return this.#state === DONE
  }

  /** @param input its own from now on */
  push(input: Bytes): void {
    const rest = this.#input.length - this.#at
    if (rest === 0) {
      this.#input = input
    } else {
      const joined = new Uint8Array(rest + input.length)
      joined.set(this.#input.subarray(this.#at))
      joined.set(input, rest)
      this.#input = joined
    }
    this.#at = 0
  }

  /** What came behind the last block. */
  takeRest(): Bytes {
    // Whole bytes that were read ahead.
    const at = this.#at - (this.#bits >> 3)
    this.#at = this.#input.length
    this.#bits = 0
    return this.#input.slice(at)
  }

  /** The next piece of output; undefined when more input is needed, or none is. @throws TypeError for input that is wrong */
  pull(): Bytes | undefined {
    while (this.#state !== DONE && this.#end < FULL && this.#step());
    if (this.#end === this.#start) return undefined
    const piece = this.#output.slice(this.#start, this.#end)
    if (this.#end >= FULL) {
      this.#output.copyWithin(0, this.#end - WINDOW, this.#end)
      this.#end = WINDOW
      this.#origin = 0
    }
    this.#start = this.#end
    return piece
  }

  /** False when more input is needed first. */
  #step(): boolean {
    const goesOn = this.#read()
    // Zeros that were read beyond the end are taken back.
    const beyond = this.#at - this.#input.length
    if (beyond > 0) {
      this.#at -= beyond
      this.#bits -= 8 * beyond
    }
    return goesOn
  }

  #read(): boolean {
    switch (this.#state) {
      case BLOCK:
        return this.#whole(() => this.#block())
      case STORED:
        return this.#copyStored()
      default:
        return this.#decode()
    }
  }

  /** What is to be read as a whole: where the input ends before it, all of it is read again when more has come. */
  #whole(read: () => void): boolean {
    const at = this.#at
    const hold = this.#hold
    const bits = this.#bits
    let failure: unknown
    try {
      read()
    } catch (error) {
      failure = error
    }
    // Beyond the end there are zeros, and what they say does not count.
    if (this.#isBeyond()) {
      this.#at = at
      this.#hold = hold
      this.#bits = bits
      this.#state = BLOCK
      return false
    }
    if (failure !== undefined) throw failure
    return true
  }

  #isBeyond(): boolean {
    return this.#at > this.#input.length && this.#at * 8 - this.#bits > this.#input.length * 8
  }

  /** At most 16 bits. */
  #take(count: number): number {
    while (this.#bits < count) {
      this.#hold |= this.#input[this.#at++] << this.#bits
      this.#bits += 8
    }
    const value = this.#hold & ((1 << count) - 1)
    this.#hold >>>= count
    this.#bits -= count
    return value
  }

  /** Section 3.2.3 */
  #block(): void {
    this.#isLast = this.#take(1) === 1
    const kind = this.#take(2)
    if (kind === 0) {
      this.#take(this.#bits & 7)
      const length = this.#take(16)
      if (this.#take(16) !== (~length & 0xffff)) throw corrupt('the length of a stored block')
      this.#stored = length
      this.#state = STORED
    } else if (kind === 1) {
      fixed ??= makeFixed()
      ;[this.#literals, this.#distances] = fixed
      this.#state = CODES
    } else if (kind === 2) {
      this.#dynamicCodes()
      this.#state = CODES
    } else {
      throw corrupt('a block of a kind that does not exist')
    }
  }

  #dynamicCodes(): void {
    const literals = this.#take(5) + 257
    const distances = this.#take(5) + 1
    const count = this.#take(4) + 4
    if (literals > 286 || distances > 30) throw corrupt('too many codes')
    const lengths = new Uint8Array(19)
    for (let i = 0; i < count; i++) lengths[ORDER[i]] = this.#take(3)
    const codes = huffman(lengths, false)
    if (codes === undefined) throw corrupt('the codes for lengths of codes')
    const all = new Uint8Array(literals + distances)
    for (let i = 0; i < all.length; ) {
      if (this.#isBeyond()) return
      const symbol = this.#symbol(codes)
      if (symbol < 16) {
        all[i++] = symbol
        continue
      }
      if (symbol === 16 && i === 0) throw corrupt('a length to repeat that is not there')
      const repeated = symbol === 16 ? all[i - 1] : 0
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7)
      if (i + times > all.length) throw corrupt('more lengths than codes')
      all.fill(repeated, i, i + times)
      i += times
    }
    if (all[256] === 0) throw corrupt('a block without an end')
    const [first, second] = [huffman(all.subarray(0, literals), true), huffman(all.subarray(literals), true)]
    if (first === undefined || second === undefined) throw corrupt('a set of codes')
    this.#literals = first
    this.#distances = second
  }

  #symbol(codes: Huffman): number {
    while (this.#bits < 15) {
      this.#hold |= this.#input[this.#at++] << this.#bits
      this.#bits += 8
    }
    const entry = codes.fast[this.#hold & ((1 << FAST_BITS) - 1)] || slowCode(codes, this.#hold)
    if (entry < 0) throw corrupt('a code that stands for nothing')
    this.#hold >>>= entry & 15
    this.#bits -= entry & 15
    return entry >> 4
  }

  #copyStored(): boolean {
    // Bytes that were read ahead come first.
    while (this.#bits >= 8 && this.#stored > 0 && this.#end < FULL) {
      this.#output[this.#end++] = this.#take(8)
      this.#stored--
    }
    const size = Math.min(this.#stored, this.#input.length - this.#at, FULL - this.#end)
    if (size > 0) {
      this.#output.set(this.#input.subarray(this.#at, this.#at + size), this.#end)
      this.#at += size
      this.#end += size
      this.#stored -= size
    }
    if (this.#stored > 0) return this.#end >= FULL
    this.#state = this.#isLast ? DONE : BLOCK
    return true
  }

  /** Symbols until the piece is full, the block ends or the input does: nearly all of the time is spent here. */
  #decode(): boolean {
    const input = this.#input
    const inputEnd = input.length
    const output = this.#output
    const literals = this.#literals
    const { fast } = literals
    const distances = this.#distances
    const fastDistances = distances.fast
    const origin = this.#origin
    let at = this.#at
    let hold = this.#hold
    let bits = this.#bits
    let end = this.#end
    let isOver = false
    /** Where the symbol began, to which it goes back when the input ends within it. */
    let keptAt = at
    let keptHold = hold
    let keptBits = bits
    let wrong: string | undefined
    while (end < FULL) {
      keptAt = at
      keptHold = hold
      keptBits = bits
      while (bits < 15) {
        hold |= input[at++] << bits
        bits += 8
      }
      const entry = fast[hold & 511] || slowCode(literals, hold)
      hold >>>= entry & 15
      bits -= entry & 15
      const symbol = entry >> 4
      if (symbol < 256) {
        if (at > inputEnd && at * 8 - bits > inputEnd * 8) break
        if (entry < 0) {
          wrong = 'a code that stands for nothing'
          break
        }
        output[end++] = symbol
        continue
      }
      if (symbol === 256) {
        if (at > inputEnd && at * 8 - bits > inputEnd * 8) break
        isOver = true
        break
      }
      const extra = LENGTH_BITS[symbol - 257]
      if (extra === undefined) {
        wrong = 'a length that does not exist'
        break
      }
      let length = LENGTHS[symbol - 257]
      if (extra > 0) {
        if (bits < extra) {
          hold |= input[at++] << bits
          bits += 8
        }
        length += hold & ((1 << extra) - 1)
        hold >>>= extra
        bits -= extra
      }
      while (bits < 15) {
        hold |= input[at++] << bits
        bits += 8
      }
      const code = fastDistances[hold & 511] || slowCode(distances, hold)
      hold >>>= code & 15
      bits -= code & 15
      const more = code < 0 ? undefined : DISTANCE_BITS[code >> 4]
      if (more === undefined) {
        wrong = 'a distance that does not exist'
        break
      }
      while (bits < more) {
        hold |= input[at++] << bits
        bits += 8
      }
      const distance = DISTANCES[code >> 4] + (hold & ((1 << more) - 1))
      hold >>>= more
      bits -= more
      if (at > inputEnd && at * 8 - bits > inputEnd * 8) break
      if (distance > end - origin) {
        wrong = 'a distance that reaches before the begin'
        break
      }
      // A match that reaches into itself repeats, twice as much each time.
      const from = end - distance
      for (let have = distance, left = length, to = end; left > 0; have *= 2) {
        const size = have < left ? have : left
        output.copyWithin(to, from, from + size)
        to += size
        left -= size
      }
      end += length
    }
    const isBeyond = at > inputEnd && at * 8 - bits > inputEnd * 8
    if (wrong !== undefined && !isBeyond) throw corrupt(wrong)
    this.#at = isBeyond ? keptAt : at
    this.#hold = isBeyond ? keptHold : hold
    this.#bits = isBeyond ? keptBits : bits
    this.#end = end
    if (isOver && !isBeyond) this.#state = this.#isLast ? DONE : BLOCK
    return !isBeyond
  }
}

const NONE: Huffman = { fast: new Uint16Array(0), counts: new Uint16Array(0), symbols: new Uint16Array(0) }

/** Section 3.2.6 */
let fixed: [Huffman, Huffman] | undefined

function makeFixed(): [Huffman, Huffman] {
  return [huffman(fixedLiteralLengths(), false)!, huffman(fixedDistanceLengths(), false)!]
}
