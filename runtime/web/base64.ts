/** atob and btoa: https://html.spec.whatwg.org/#atob */
import { DOMException } from './dom-exception.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 of a string of characters up to U+00FF, each a byte. */
export function btoa(binary: string): string {
  const text = String(binary)
  let result = ''
  for (let i = 0; i < text.length; i += 3) {
    const a = text.charCodeAt(i),
      b = text.charCodeAt(i + 1),
      c = text.charCodeAt(i + 2)
    if (a > 255 || b > 255 || c > 255) {
      throw new DOMException('btoa: the text has a character above U+00FF; encode it first (TextEncoder)', 'InvalidCharacterError')
    }
    result +=
      alphabet[a >> 2] +
      alphabet[((a & 3) << 4) | (b >> 4)] +
      (i + 1 < text.length ? alphabet[((b & 15) << 2) | (c >> 6)] : '=') +
      (i + 2 < text.length ? alphabet[c & 63] : '=')
  }
  return result
}

/** The bytes of base64, a character each. White space is passed over; padding may be left out. */
export function atob(base64: string): string {
  let text = String(base64).replace(/[\t\n\f\r ]/g, '')
  if (text.length % 4 === 0) text = text.replace(/==?$/, '')
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw new DOMException('atob: the text is not base64', 'InvalidCharacterError')
  let result = ''
  let bits = 0
  let word = 0
  for (let i = 0; i < text.length; i++) {
    word = ((word << 6) | alphabet.indexOf(text[i])) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    result += String.fromCharCode((word >> bits) & 255)
  }
  return result
}
