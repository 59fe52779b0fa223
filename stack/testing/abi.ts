/**
 * The part of the kernel's ABI that the stack uses, in JavaScript, for tests in Node; everything else throws. Arguments are checked as
 * the kernel checks them. Randomness is seeded, so that a failing test fails again.
 */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'

const used = ['checksum', 'copy', 'utf8Encode', 'utf8Decode', 'latin1Decode', 'random', 'clockMonotonic', 'clockWall'] as const
type Used = Pick<Abi, (typeof used)[number]>

export function testAbi(seed: number, now: () => number): Abi {
  const random = seededRandom(seed)
  const functions: Used = {
    checksum(bytes, offset, length, initial) {
      range('checksum', bytes, offset, length)
      let sum = initial
      const end = offset + length - 1
      let i = offset
      for (; i < end; i += 2) sum += bytes[i] | (bytes[i + 1] << 8)
      if (i === end) sum += bytes[i]
      while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
      return sum
    },
    copy(into, intoOffset, from, fromOffset, length) {
      range('copy', into, intoOffset, length)
      range('copy', from, fromOffset, length)
      into.set(from.subarray(fromOffset, fromOffset + length), intoOffset)
    },
    utf8Encode(text, into, offset) {
      range('utf8Encode', into, offset, 0)
      const bytes = Buffer.from(text, 'utf8')
      if (offset + bytes.length > into.length) return -bytes.length
      into.set(bytes, offset)
      return bytes.length
    },
    utf8Decode(bytes, offset, length) {
      range('utf8Decode', bytes, offset, length)
      return Buffer.from(bytes.buffer, bytes.byteOffset + offset, untilNul(bytes, offset, length)).toString('utf8')
    },
    latin1Decode(bytes, offset, length) {
      range('latin1Decode', bytes, offset, length)
      return Buffer.from(bytes.buffer, bytes.byteOffset + offset, untilNul(bytes, offset, length)).toString('latin1')
    },
    random(into) {
      for (let i = 0; i < into.length; i++) into[i] = random() * 256
    },
    clockMonotonic: now,
    clockWall: () => 1_795_000_000_000 + now(),
  }
  return new Proxy(functions as Abi, {
    get(target, name) {
      if (name in target) return target[name as keyof Abi]
      throw new Error(`the stack called ${String(name)}, which it should not need`)
    },
  })
}

function untilNul(bytes: Uint8Array, offset: number, length: number): number {
  const end = bytes.subarray(offset, offset + length).indexOf(0)
  return end < 0 ? length : end
}

function range(name: string, bytes: Uint8Array, offset: number, length: number): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name}: not a Uint8Array`)
  if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new RangeError(`${name}: ${length} bytes at ${offset} of ${bytes.length}`)
  }
}

/** Numbers from 0 to below 1, always the same for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
