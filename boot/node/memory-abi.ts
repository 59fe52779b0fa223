/** The functions of the ABI that touch memory only, on any Uint8Array. The checks and error texts are the kernel's (boot/kernel/abi.c). */
import type { Abi } from '../abi/abi.ts'
import { checkRange, checkWhole, u32Max } from './checks.ts'

export { type CompiledAbi, compiledAbi } from '../compiled/host.ts'
export { type CompiledFunction, compiledTable } from '../compiled/table.ts'

type MemoryAbi = Pick<
  Abi,
  | 'or8'
  | 'and8'
  | 'exchange32'
  | 'compareExchange16'
  | 'fence'
  | 'copy'
  | 'copyRows'
  | 'checksum'
  | 'utf8Encode'
  | 'utf8Decode'
  | 'latin1Decode'
>

const upToNul = (bytes: Uint8Array) => {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

// Made when they are used: the engine alone, in which drivers are tested, has none.
let encoder: InstanceType<typeof TextEncoder> | undefined
let decoder: InstanceType<typeof TextDecoder> | undefined
const fromUtf8 = () => (decoder ??= new TextDecoder('utf-8', { ignoreBOM: true }))

export const memoryAbi: MemoryAbi = {
  or8(bytes, offset, value) {
    checkRange('or8', bytes, offset, 1)
    checkWhole('or8', 'value', value, 0xff)
    return Atomics.or(bytes, offset, value)
  },
  and8(bytes, offset, value) {
    checkRange('and8', bytes, offset, 1)
    checkWhole('and8', 'value', value, 0xff)
    return Atomics.and(bytes, offset, value)
  },
  exchange32(bytes, offset, value) {
    checkRange('exchange32', bytes, offset, 4, 4)
    checkWhole('exchange32', 'value', value, u32Max)
    return Atomics.exchange(new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 1), 0, value)
  },
  compareExchange16(bytes, offset, expected, desired) {
    checkRange('compareExchange16', bytes, offset, 2, 2)
    checkWhole('compareExchange16', 'expected', expected, 0xffff)
    checkWhole('compareExchange16', 'desired', desired, 0xffff)
    return Atomics.compareExchange(new Uint16Array(bytes.buffer, bytes.byteOffset + offset, 1), 0, expected, desired)
  },
  fence() {},
  copy(into, intoOffset, from, fromOffset, length) {
    checkWhole('copy', 'length', length, u32Max)
    checkRange('copy', into, intoOffset, length)
    checkRange('copy', from, fromOffset, length)
    into.set(from.subarray(fromOffset, fromOffset + length), intoOffset)
  },
  copyRows(into, intoOffset, intoStride, from, fromOffset, fromStride, length, rows) {
    checkWhole('copyRows', 'intoStride', intoStride, u32Max)
    checkWhole('copyRows', 'fromStride', fromStride, u32Max)
    checkWhole('copyRows', 'length', length, u32Max)
    checkWhole('copyRows', 'rows', rows, u32Max)
    if (intoStride < length) throw new RangeError(`copyRows: intoStride is ${intoStride}; it must be at least the length, ${length}`)
    const count = length === 0 ? 0 : rows
    checkRange('copyRows', into, intoOffset, count === 0 ? 0 : (count - 1) * intoStride + length)
    checkRange('copyRows', from, fromOffset, count === 0 ? 0 : (count - 1) * fromStride + length)
    for (let row = 0; row < count; row++) {
      const start = fromOffset + row * fromStride
      into.set(from.subarray(start, start + length), intoOffset + row * intoStride)
    }
  },
  checksum(bytes, offset, length, initial) {
    checkWhole('checksum', 'length', length, u32Max)
    checkWhole('checksum', 'initial', initial, 2 ** 48)
    checkRange('checksum', bytes, offset, length)
    let sum = initial
    const even = offset + length - (length % 2)
    for (let i = offset; i < even; i += 2) sum += bytes[i] | (bytes[i + 1] << 8)
    if (length % 2) sum += bytes[even]
    while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
    return sum
  },
  utf8Encode(text, into, offset) {
    checkRange('utf8Encode', into, offset, 0)
    const encoded = (encoder ??= new TextEncoder()).encode(text)
    if (offset + encoded.length > into.length) return -encoded.length
    into.set(encoded, offset)
    return encoded.length
  },
  utf8Decode(bytes, offset, length) {
    checkWhole('utf8Decode', 'length', length, u32Max)
    checkRange('utf8Decode', bytes, offset, length)
    return fromUtf8().decode(upToNul(bytes.subarray(offset, offset + length)))
  },
  latin1Decode(bytes, offset, length) {
    checkWhole('latin1Decode', 'length', length, u32Max)
    checkRange('latin1Decode', bytes, offset, length)
    return Buffer.from(upToNul(bytes.subarray(offset, offset + length))).toString('latin1')
  },
}
