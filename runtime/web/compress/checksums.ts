/** What gzip and zlib put behind their data. */

/** RFC 1952 section 8: for four bytes at once, each in the place that it has among them. */
let tables: readonly Int32Array[] | undefined

function makeTables(): readonly Int32Array[] {
  const made = Array.from({ length: 4 }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    made[0][byte] = value
  }
  for (let place = 1; place < 4; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const value = made[place - 1][byte]
      made[place][byte] = (value >>> 8) ^ made[0][value & 0xff]
    }
  }
  return made
}

/** @param before that of the bytes before these, 0 at the begin; @returns as an int32 */
export function crc32(before: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = (tables ??= makeTables())
  let crc = ~before
  let at = 0
  if (bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    const count = words.length
    for (let i = 0; i < count; i++) {
      crc ^= words[i]
      crc = t3[crc & 0xff] ^ t2[(crc >>> 8) & 0xff] ^ t1[(crc >>> 16) & 0xff] ^ t0[crc >>> 24]
    }
    at = count * 4
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]) & 0xff]
  return ~crc
}

/** The sums stay below 2^31 for so many bytes. */
const ADLER_RUN = 3800

/** RFC 1950 section 8.2. @param before that of the bytes before these, 1 at the begin; @returns as an int32 */
export function adler32(before: number, bytes: Uint8Array): number {
  let a = before & 0xffff
  let b = before >>> 16
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + ADLER_RUN, bytes.length)
    for (; at < end; at++) {
      a += bytes[at]
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return (b << 16) | a
}
