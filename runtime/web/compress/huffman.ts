/** The codes of DEFLATE (RFC 1951 section 3.2.2), made for reading from the low end of a word. */

/** Codes up to so many bits are looked up at once; longer ones are rare. A large table would take longer to fill than its block. */
export const FAST_BITS = 9
const FAST = 1 << FAST_BITS

export interface Huffman {
  /** By the next bits: symbol << 4 | length; 0 for a longer code, or for none. */
  readonly fast: Uint16Array
  /** How many codes of each length there are, and their symbols, shortest first. */
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

/** FAST_BITS bits the other way round. */
let reversed: Uint16Array | undefined

function makeReversed(): Uint16Array {
  const table = new Uint16Array(FAST)
  for (let i = 1; i < FAST; i++) table[i] = (table[i >> 1] >> 1) | ((i & 1) << (FAST_BITS - 1))
  return table
}

/**
 * @param lengths of each symbol's code, in bits; 0 for a symbol that does not occur
 * @param mayBeOne a single code of one bit will do, and none at all, though they do not use all that can be said
 * @returns undefined when there cannot be such codes
 */
export function huffman(lengths: Uint8Array, mayBeOne: boolean): Huffman | undefined {
  const reverse = (reversed ??= makeReversed())
  const counts = new Uint16Array(16)
  for (const length of lengths) counts[length]++
  counts[0] = 0
  const next = new Uint16Array(16)
  const firstCode = new Uint16Array(16)
  let left = 1
  let longest = 0
  for (let length = 1, code = 0, index = 0; length < 16; length++) {
    left = left * 2 - counts[length]
    if (left < 0) return undefined
    if (counts[length] > 0) longest = length
    code = (code + counts[length - 1]) << 1
    firstCode[length] = code
    next[length] = index
    index += counts[length]
  }
  if (left > 0 && !(mayBeOne && longest <= 1)) return undefined
  const symbols = new Uint16Array(lengths.length)
  const fast = new Uint16Array(FAST)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]
    if (length === 0) continue
    symbols[next[length]++] = symbol
    const code = firstCode[length]++
    if (length > FAST_BITS) continue
    const entry = (symbol << 4) | length
    const step = 1 << length
    for (let at = reverse[code] >> (FAST_BITS - length); at < FAST; at += step) fast[at] = entry
  }
  return { fast, counts, symbols }
}

/** The code that the low bits of `hold` begin with, one bit after the other: symbol << 4 | length; -1 for none. */
export function slowCode({ counts, symbols }: Huffman, hold: number): number {
  let code = 0
  let first = 0
  let index = 0
  for (let length = 1; length < 16; length++) {
    code |= hold & 1
    hold >>>= 1
    const count = counts[length]
    if (code - count < first) return (symbols[index + code - first] << 4) | length
    index += count
    first = (first + count) << 1
    code <<= 1
  }
  return -1
}
