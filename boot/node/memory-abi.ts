/** The functions of the ABI that touch memory only, on any Uint8Array. The same checks as in the kernel. */
import type { Abi } from '../abi/abi.ts'

type MemoryAbi = Pick<Abi, 'or8' | 'and8' | 'exchange32' | 'compareExchange16' | 'fence' | 'copy' | 'checksum' | 'utf8Encode' | 'utf8Decode' | 'latin1Decode'>

/** Throws unless [offset, offset + length) lies inside of `bytes`. */
function checkRange(name: string, bytes: Uint8Array, offset: number, length: number): void {
  if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0 || offset + length > bytes.length)
    throw new RangeError(`${name}: offset ${offset}, length ${length} is outside of an array of ${bytes.length} bytes`)
}

function checkAligned(name: string, bytes: Uint8Array, offset: number, size: number): void {
  checkRange(name, bytes, offset, size)
  if ((bytes.byteOffset + offset) % size !== 0) throw new RangeError(`${name}: offset ${offset} is not aligned to ${size} bytes`)
}

const upToNul = (bytes: Uint8Array) => {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export const memoryAbi: MemoryAbi = {
  or8(bytes, offset, value) {
    checkRange('or8', bytes, offset, 1)
    return Atomics.or(bytes, offset, value)
  },
  and8(bytes, offset, value) {
    checkRange('and8', bytes, offset, 1)
    return Atomics.and(bytes, offset, value)
  },
  exchange32(bytes, offset, value) {
    checkAligned('exchange32', bytes, offset, 4)
    return Atomics.exchange(new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 1), 0, value)
  },
  compareExchange16(bytes, offset, expected, desired) {
    checkAligned('compareExchange16', bytes, offset, 2)
    return Atomics.compareExchange(new Uint16Array(bytes.buffer, bytes.byteOffset + offset, 1), 0, expected, desired)
  },
  fence() {},
  copy(into, intoOffset, from, fromOffset, length) {
    checkRange('copy', into, intoOffset, length)
    checkRange('copy', from, fromOffset, length)
    into.set(from.subarray(fromOffset, fromOffset + length), intoOffset)
  },
  checksum(bytes, offset, length, initial) {
    checkRange('checksum', bytes, offset, length)
    let sum = initial
    const even = offset + (length & ~1)
    for (let i = offset; i < even; i += 2) sum += bytes[i] | bytes[i + 1] << 8
    if (length & 1) sum += bytes[even]
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
    return sum
  },
  utf8Encode(text, into, offset) {
    checkRange('utf8Encode', into, offset, 0)
    const encoded = utf8.encode(text)
    if (offset + encoded.length > into.length) return -encoded.length
    into.set(encoded, offset)
    return encoded.length
  },
  utf8Decode(bytes, offset, length) {
    checkRange('utf8Decode', bytes, offset, length)
    return fromUtf8.decode(upToNul(bytes.subarray(offset, offset + length)))
  },
  latin1Decode(bytes, offset, length) {
    checkRange('latin1Decode', bytes, offset, length)
    return Buffer.from(upToNul(bytes.subarray(offset, offset + length))).toString('latin1')
  },
}
