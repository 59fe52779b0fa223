/** HalfSipHash-2-4 (Aumasson and Bernstein): a keyed hash that nobody can guess who has not the key, of what begins a connection. */
import { type Bytes, get32, type i32, set32 } from './memory.ts'

/** Bytes of the record. In words from its start: the key, what is found out, and the message. */
export const HASH_BYTES: i32 = 64
export const HASH_KEY: i32 = 0
export const HASH_RESULT: i32 = 2
export const HASH_MESSAGE: i32 = 3

/** 32 bits of result for a message of `words` words; less than 0 when so many are not in the record. */
export function halfSipHash(record: Bytes, words: i32): i32 {
  if (words < 0 || words > 13) return -1
  let v0: i32 = get32(record, 0)
  let v1: i32 = get32(record, 4)
  let v2: i32 = v0 ^ 0x6c796765
  let v3: i32 = v1 ^ 0x74656462
  // Two rounds for each word, of which the last ends with the length of the message in bytes; then four.
  const rounds: i32 = 2 * words + 6
  let word: i32 = 0
  for (let i: i32 = 0; i < rounds; i++) {
    const index: i32 = i >>> 1
    if ((i & 1) === 0 && index <= words) {
      word = index < words ? get32(record, (index + 3) << 2) : words << 26
      v3 ^= word
    }
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    if ((i & 1) !== 0 && index <= words) {
      v0 ^= word
      if (index === words) v2 ^= 0xff
    }
  }
  set32(record, 8, v1 ^ v3)
  return 0
}
