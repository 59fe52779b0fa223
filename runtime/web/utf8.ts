/** UTF-8 decoding by the letter of the standard, fast for text that is what it should be. */
import type { Abi } from '@xen-ts/boot/abi'

/**
 * Throws a TypeError for wrong bytes when `fatal`; otherwise they become U+FFFD, one for each maximal wrong part. No byte order mark is
 * removed.
 */
export function decodeUtf8(abi: Pick<Abi, 'utf8Decode'>, bytes: Uint8Array, fatal: boolean): string {
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const nul = bytes.indexOf(0, start)
    const end = nul < 0 ? bytes.length : nul
    text += abi.utf8Decode(bytes, start, end - start)
    if (nul >= 0) text += '\0'
    start = end + 1
  }
  // The engine replaces wrong bytes, by rules of its own, and takes surrogates (ED A0..BF ..) for characters.
  return text.includes('\ufffd') || hasSurrogates(bytes) ? decodeExactly(bytes, fatal) : text
}

function hasSurrogates(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) if (bytes[at + 1] >= 0xa0) return true
  return false
}

/** https://encoding.spec.whatwg.org/#utf-8-decoder */
function decodeExactly(bytes: Uint8Array, fatal: boolean): string {
  const pieces: string[] = []
  let codes: number[] = []
  for (let i = 0; i < bytes.length; ) {
    const [code, length] = decodeOne(bytes, i)
    if (code < 0 && fatal) throw new TypeError('The encoded data was not valid for encoding utf-8')
    codes.push(code < 0 ? 0xfffd : code)
    i += length
    if (codes.length === 1024) {
      pieces.push(String.fromCodePoint(...codes))
      codes = []
    }
  }
  return pieces.join('') + String.fromCodePoint(...codes)
}

/** The character at `at`, or -1 and the length of the wrong part. */
function decodeOne(bytes: Uint8Array, at: number): [code: number, length: number] {
  const first = bytes[at]
  if (first < 0x80) return [first, 1]
  if (first < 0xc2 || first > 0xf4) return [-1, 1]
  const needed = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
  let code = first & (0x3f >> needed)
  let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  for (let i = 1; i <= needed; i++) {
    const byte = bytes[at + i]
    if (!(byte >= low && byte <= high)) return [-1, i]
    code = (code << 6) | (byte & 0x3f)
    low = 0x80
    high = 0xbf
  }
  return [code, needed + 1]
}
