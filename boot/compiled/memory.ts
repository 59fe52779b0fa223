/**
 * The memory that compiled functions work on, in plain TypeScript: typed arrays. memory.as has the same names for the compiler, where an
 * array is the address of its first byte. Whatever runs on these runs on both.
 */
export type Bytes = Uint8Array
export type i32 = number

export function get8(bytes: Bytes, at: i32): i32 {
  return bytes[at]
}

/** Little-endian, as all of these. */
export function get16(bytes: Bytes, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8)
}

/** With its sign: an int32. */
export function get32(bytes: Bytes, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}

export function set8(bytes: Bytes, at: i32, value: i32): void {
  bytes[at] = value
}

export function set16(bytes: Bytes, at: i32, value: i32): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
}

export function set32(bytes: Bytes, at: i32, value: i32): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

export function copy(into: Bytes, intoAt: i32, from: Bytes, fromAt: i32, length: i32): void {
  into.set(from.subarray(fromAt, fromAt + length), intoAt)
}

/** One's complement sum (RFC 1071) of little-endian words, folded to 16 bits: the ABI's `checksum`. `initial` is below 2^31. */
export function sum(bytes: Bytes, at: i32, length: i32, initial: i32): i32 {
  let total = initial
  const even = at + length - (length & 1)
  for (let i = at; i < even; i += 2) total += bytes[i] | (bytes[i + 1] << 8)
  if ((length & 1) !== 0) total += bytes[even]
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000)
  return total
}
