/**
 * Sequence numbers (RFC 9293 section 3.4) are int32: `(a + n) | 0` moves one, `(a - b) | 0` is the signed distance between two that
 * are less than 2^31 apart. The engine keeps int32 numbers unboxed, which uint32 above 2^31 would not be. Hot code writes the
 * distances out; the rest reads better with these.
 */
export const distance = (from: number, to: number): number => (to - from) | 0
export const isAfter = (a: number, b: number): boolean => ((a - b) | 0) > 0
export const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0
