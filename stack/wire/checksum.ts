/** The checksum of the Internet (RFC 1071), of words as a little-endian machine reads them. */
/** Folds a sum of words to 16 bits. */
export function fold(sum: number): number {
  sum = (sum & 0xffff) + (sum >>> 16)
  return (sum & 0xffff) + (sum >>> 16)
}
