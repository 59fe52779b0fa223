/**
 * Values are bytes, and nearly always text. Bytes that are not UTF-8 stand in the text as U+DC80 to U+DCFF, one for each (as in Python's
 * `surrogateescape`, PEP 383): no text has those by itself, so what was read is written back as it was.
 */
import type { Text } from '../text.ts'

const REPLACEMENT = '\ufffd'
const ESCAPES = 0xdc00
/** Those that are not the second half of a pair. */
const ESCAPED = /(?<![\ud800-\udbff])[\udc80-\udcff]/

export function textOf(text: Text, bytes: Uint8Array): string {
  const plain = text.decode(bytes)
  if (!plain.includes(REPLACEMENT)) return plain
  let whole = ''
  let start = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length === 0) {
      whole += text.decode(bytes, start, at - start) + String.fromCharCode(ESCAPES + bytes[at])
      start = at + 1
    }
    at += length || 1
  }
  return whole + text.decode(bytes, start, bytes.length - start)
}

export function bytesOf(text: Text, value: string): Uint8Array {
  if (!ESCAPED.test(value)) return text.encode(value)
  const bytes: number[] = []
  for (const character of value) {
    const code = character.codePointAt(0)!
    if (code >= ESCAPES + 0x80 && code <= ESCAPES + 0xff) bytes.push(code - ESCAPES)
    else bytes.push(...text.encode(character))
  }
  return Uint8Array.from(bytes)
}

/** Bytes of the UTF-8 sequence that begins at `at`; 0 when none does (RFC 3629 section 4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first < 0x80) return 1
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  for (let next = 1; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1]
  // Not what is too long a form, nor a surrogate, nor beyond U+10FFFF.
  const isBad =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f)
  return isBad ? 0 : length
}
