/**
 * Where a head of HTTP ends, and whether it is one that is known: a client sends the same again and again. What the head says, and whether
 * it may be said, is for stack/http to read.
 */
import { type Bytes, get8, get32, type i32 } from './memory.ts'

/** CR LF CR LF, as a word. */
const END: i32 = 0x0a0d0a0d

/**
 * Twice the bytes of the head that begins at `at`, up to and with its empty line, and one more when these are the `knownLength` bytes of
 * `known`, a whole head; 0 when it does not end within `length` bytes.
 */
export function httpHead(known: Bytes, knownLength: i32, bytes: Bytes, at: i32, length: i32): i32 {
  if (knownLength > 0 && knownLength <= length && isSame(known, bytes, at, knownLength) !== 0) return (knownLength << 1) | 1
  const end: i32 = at + length
  let i: i32 = at + 3
  while (i < end) {
    const last: i32 = get8(bytes, i)
    // From what stands here follows where an end can be next.
    if (last === 10) {
      if (get32(bytes, i - 3) === END) return (i + 1 - at) << 1
      i += 2
    } else if (last === 13) {
      i += 1
    } else {
      i += 4
    }
  }
  return 0
}

function isSame(known: Bytes, bytes: Bytes, at: i32, length: i32): i32 {
  const words: i32 = length & -4
  let i: i32 = 0
  for (; i < words; i += 4) if (get32(known, i) !== get32(bytes, at + i)) return 0
  for (; i < length; i++) if (get8(known, i) !== get8(bytes, at + i)) return 0
  return 1
}
