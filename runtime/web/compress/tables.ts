/** Numbers of DEFLATE: RFC 1951 */

/** Section 2: how far back a match may reach. */
export const WINDOW = 32 * 1024
/** Section 3.2.5: from symbol 257 on, and of distances. */
export const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
export const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
export const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]
export const DISTANCES = DISTANCE_BITS.map((bits, symbol) => (symbol < 2 ? symbol + 1 : 1 + ((2 + (symbol & 1)) << bits)))
/** Section 3.2.7: in which order the lengths of the codes for lengths come. */
export const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Section 3.2.6: lengths of the fixed codes. */
export const fixedLiteralLengths = (): Uint8Array => new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280)
export const fixedDistanceLengths = (): Uint8Array => new Uint8Array(32).fill(5)
