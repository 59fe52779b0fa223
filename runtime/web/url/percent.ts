/** Percent-encoding: https://url.spec.whatwg.org/#percent-encoded-bytes . A set is a regular expression of what is encoded. */

export const encodeSets = {
  c0: /[\0-\x1f\x7f-\u{10ffff}]/gu,
  fragment: /[\0- "<>`\x7f-\u{10ffff}]/gu,
  query: /[\0- "#<>\x7f-\u{10ffff}]/gu,
  specialQuery: /[\0- "#'<>\x7f-\u{10ffff}]/gu,
  path: /[\0- "#<>?^`{}\x7f-\u{10ffff}]/gu,
  userinfo: /[\0- "#/:;<=>?@[\\\]^`{|}\x7f-\u{10ffff}]/gu,
  form: /[^A-Za-z0-9*\-._]/gu,
}

/** `text` with what `set` matches as %XX of its UTF-8 bytes; a lone surrogate counts as U+FFFD. */
export function percentEncode(text: string, set: RegExp): string {
  return text.replace(set, encodeOne)
}

function encodeOne(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x80) return (code < 16 ? '%0' : '%') + code.toString(16).toUpperCase()
  return encodeURIComponent(character.isWellFormed() ? character : '\ufffd')
}

/** UTF-8 text with %XX taken as bytes; what is no UTF-8 becomes U+FFFD; a % without two digits stays. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    // Not all of it is an encoding of UTF-8: run by run.
    return text.replace(/(?:%[0-9a-f]{2})+/gi, run => {
      const bytes = new Uint8Array(run.length / 3)
      for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(run.slice(3 * i + 1, 3 * i + 3), 16)
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    })
  }
}
