/**
 * memory.ts for the compiler (AssemblyScript, not TypeScript: build.ts puts it in its place): an array is an address in linear memory.
 * Whoever calls a compiled function has checked that what it may touch lies inside of its arrays.
 */
export type Bytes = usize
// @ts-ignore: decorator
@inline export function get8(bytes: Bytes, at: i32): i32 { return load<u8>(bytes + at) }
// @ts-ignore: decorator
@inline export function get16(bytes: Bytes, at: i32): i32 { return load<u16>(bytes + at) }
// @ts-ignore: decorator
@inline export function get32(bytes: Bytes, at: i32): i32 { return load<i32>(bytes + at) }
// @ts-ignore: decorator
@inline export function set8(bytes: Bytes, at: i32, value: i32): void { store<u8>(bytes + at, value) }
// @ts-ignore: decorator
@inline export function set16(bytes: Bytes, at: i32, value: i32): void { store<u16>(bytes + at, value) }
// @ts-ignore: decorator
@inline export function set32(bytes: Bytes, at: i32, value: i32): void { store<i32>(bytes + at, value) }
// @ts-ignore: decorator
@inline export function copy(into: Bytes, intoAt: i32, from: Bytes, fromAt: i32, length: i32): void { memory.copy(into + intoAt, from + fromAt, length) }

/** In words of 32 bits, which is the same sum (RFC 1071 section 2): of lengths below 4 GiB it does not overflow 64. */
export function sum(bytes: Bytes, at: i32, length: i32, initial: i32): i32 {
  let total: u64 = <u64>initial
  let from = bytes + at
  while (length >= 16) {
    total += <u64>load<u32>(from) + <u64>load<u32>(from, 4) + <u64>load<u32>(from, 8) + <u64>load<u32>(from, 12)
    from += 16
    length -= 16
  }
  while (length >= 2) {
    total += <u64>load<u16>(from)
    from += 2
    length -= 2
  }
  if (length > 0) total += <u64>load<u8>(from)
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16)
  return <i32>total
}
