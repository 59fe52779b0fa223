/** UTF-8 decoding by the letter of the standard: https://encoding.spec.whatwg.org/#utf-8-decoder */
import type { Abi } from '@xen-ts/boot/abi'

type TextAbi = Pick<Abi, 'utf8Encode' | 'utf8Decode' | 'latin1Decode'>

/**
 * Throws a TypeError for wrong bytes when `fatal`; otherwise they become U+FFFD, one for each maximal wrong part, as the kernel says it.
 * No byte order mark is removed.
 */
export function decodeUtf8(abi: TextAbi, bytes: Uint8Array, fatal: boolean): string {
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const nul = bytes.indexOf(0, start)
    const end = nul < 0 ? bytes.length : nul
    if (end > start) {
      const piece = abi.utf8Decode(bytes, start, end - start)
      if (fatal && piece.includes('\ufffd') && !isExactly(abi, piece, bytes, start, end - start))
        throw new TypeError('The encoded data was not valid for encoding utf-8')
      text += piece
    }
    start = end
    while (bytes[start] === 0) start++
    if (start > end) text += '\0'.repeat(start - end)
  }
  return text
}

/** Whether U+FFFD in a text without NUL was there, rather than put in the place of wrong bytes. No byte is looked at here: the kernel is faster. */
function isExactly(abi: TextAbi, text: string, bytes: Uint8Array, start: number, length: number): boolean {
  const encoded = new Uint8Array(length)
  return abi.utf8Encode(text, encoded, 0) === length && abi.latin1Decode(encoded, 0, length) === abi.latin1Decode(bytes, start, length)
}
