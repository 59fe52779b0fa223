/**
 * The memory functions of the ABI, as a guest reaches them.
 */
import type { Abi } from '../abi/abi.ts'
import { cases } from './cases.ts'

const abi = (globalThis as unknown as { __abi: Abi }).__abi

export default cases({
  "checksum of RFC 1071's example, in little-endian words": t => {
    const bytes = new Uint8Array([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])
    t.is(abi.checksum(bytes, 0, 8, 0), 0xf2dd) // ddf2 in network order
    t.is(abi.checksum(bytes, 1, 3, 0), 0xf201 + 0x03)
    t.is(abi.checksum(bytes, 0, 0, 0xffff), 0xffff)
    t.is(abi.checksum(bytes, 0, 2, 0xffff), 0x0100)
  },
  'copy works between overlapping ranges': t => {
    const bytes = Uint8Array.from({ length: 10 }, (_, i) => i)
    abi.copy(bytes, 2, bytes, 0, 8)
    t.deepEqual([...bytes], [0, 1, 0, 1, 2, 3, 4, 5, 6, 7])
  },
  'copyRows copies rectangles, row after row': t => {
    const picture = Uint8Array.from({ length: 20 }, (_, i) => i) // 5 wide, 4 high
    const other = new Uint8Array(12) // 3 wide, 4 high
    abi.copyRows(other, 4, 3, picture, 6, 5, 2, 2)
    t.deepEqual([...other], [0, 0, 0, 0, 6, 7, 0, 11, 12, 0, 0, 0])
    abi.copyRows(picture, 5, 5, picture, 0, 0, 2, 3) // the same row
    t.deepEqual([...picture], [0, 1, 2, 3, 4, 0, 1, 7, 8, 9, 0, 1, 12, 13, 14, 0, 1, 17, 18, 19])
    abi.copyRows(picture, 1, 5, picture, 0, 5, 4, 2) // each with itself
    t.deepEqual([...picture.subarray(0, 10)], [0, 0, 1, 2, 3, 0, 0, 1, 7, 8])
    abi.copyRows(picture, 0, 0, picture, 5, 0, 0, 4294967295)
    abi.copyRows(picture, 20, 1, picture, 20, 1, 1, 0)
    t.deepEqual([...picture.subarray(0, 5)], [0, 0, 1, 2, 3], 'nothing to copy')
  },
  'ranges outside of an array are a RangeError, and nothing is written': t => {
    const small = new Uint8Array(4),
      big = new Uint8Array(100).fill(7)
    const calls: (() => unknown)[] = [
      () => abi.copy(small, 1, big, 0, 4),
      () => abi.copy(big, 0, small, 1, 4),
      () => abi.copy(small, -1, big, 0, 1),
      () => abi.copy(small, 0.5, big, 0, 1),
      () => abi.copy(small, 0, big, 0, NaN),
      () => abi.copy(small, 2 ** 32, big, 0, 1),
      () => abi.copy(small, 0, big, 2 ** 53, 2 ** 53),
      () => abi.copyRows(small, 0, 2, big, 0, 2, 2, 3),
      () => abi.copyRows(big, 0, 2, small, 0, 2, 2, 3),
      () => abi.copyRows(small, 3, 2, big, 0, 2, 2, 1),
      () => abi.copyRows(small, 0, 1, big, 0, 2, 2, 2),
      () => abi.copyRows(small, -1, 2, big, 0, 2, 1, 1),
      () => abi.copyRows(small, 0, 2, big, 0, -1, 1, 1),
      () => abi.copyRows(small, 0, 2, big, 0, 0.5, 1, 1),
      () => abi.copyRows(small, 0, 4294967295, big, 0, 0, 1, 4294967295),
      () => abi.copyRows(big, 0, 1, small, 0, 4294967295, 1, 4294967295),
      () => abi.copyRows(small, 0, 4, big, 0, 0, 4, 2 ** 32),
      () => abi.copyRows(small, 0, 2 ** 32, big, 0, 0, 4, 1),
      () => abi.copyRows(small, 5, 4, big, 0, 0, 0, 1),
      () => abi.checksum(small, 4, 1, 0),
      () => abi.utf8Decode(small, 0, 5),
      () => abi.latin1Decode(small, 5, 0),
      () => abi.utf8Encode('x', small, 5),
      () => abi.or8(small, 4, 1),
      () => abi.and8(small, -1, 1),
      () => abi.exchange32(small, 1, 1),
      () => abi.compareExchange16(small, 3, 0, 1),
      // Values that the memory has no room for.
      () => abi.or8(small, 0, 256),
      () => abi.and8(small, 0, -1),
      () => abi.exchange32(small, 0, 2 ** 32),
      () => abi.compareExchange16(small, 0, 0, 65536),
      () => abi.compareExchange16(small, 0, 0.5, 0),
      () => abi.checksum(small, 0, 1, -1),
    ]
    for (const call of calls) t.throws(call, { name: 'RangeError' })
    t.deepEqual([...small], [0, 0, 0, 0])
  },
  'atomic operations return the old value': t => {
    const bytes = new Uint8Array([0x0f, 0, 0x34, 0x12, 1, 2, 3, 0x84])
    t.is(abi.or8(bytes, 0, 0xf0), 0x0f)
    t.is(abi.and8(bytes, 0, 0x3c), 0xff)
    t.is(bytes[0], 0x3c)
    t.is(abi.compareExchange16(bytes, 2, 0x1111, 5), 0x1234)
    t.is(abi.compareExchange16(bytes, 2, 0x1234, 0xabcd), 0x1234)
    t.is(bytes[2], 0xcd)
    t.is(abi.exchange32(bytes, 4, 0xffffffff), 0x84030201)
    t.is(bytes[7], 0xff)
    abi.fence()
  },
  'a lone surrogate is written as U+FFFD': t => {
    const bytes = new Uint8Array(40)
    for (let before = 0; before < 18; before++) {
      t.is(abi.utf8Encode(`${'a'.repeat(before)}\udc00${'b'.repeat(9)}`, bytes, 0), before + 12)
      t.deepEqual([...bytes.subarray(before, before + 4)], [0xef, 0xbf, 0xbd, 0x62])
    }
    t.is(abi.utf8Encode('\ud800x\udfff', bytes, 0), 7)
    t.deepEqual([...bytes.subarray(0, 7)], [0xef, 0xbf, 0xbd, 0x78, 0xef, 0xbf, 0xbd])
  },
  'text goes through UTF-8 and back': t => {
    const bytes = new Uint8Array(40)
    const text = 'aé€😀'
    t.is(abi.utf8Encode(text, bytes, 3), 10)
    t.is(abi.utf8Decode(bytes, 3, 10), text)
    t.is(abi.utf8Decode(bytes, 3, 37), text, 'up to the NUL')
    t.is(abi.utf8Decode(bytes, 20, 5), '')
    t.is(abi.utf8Encode(text, bytes, 31), -10)
    t.is(bytes[31], 0, 'nothing is written when it does not fit')
    t.is(abi.utf8Decode(new Uint8Array([0x61, 0xff, 0x62]), 0, 3), 'a\ufffdb')
    t.is(abi.latin1Decode(new Uint8Array([0x61, 0xff, 0x62, 0, 0x63]), 0, 5), 'aÿb')
  },
})
