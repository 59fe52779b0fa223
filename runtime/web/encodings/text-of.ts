/** UTF-16 code units as text, in pieces: an engine's function takes so many arguments and no more. */
const PIECE = 4096

export function textOf(units: Uint16Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += PIECE)
    text += String.fromCharCode.apply(null, units.subarray(at, at + PIECE) as unknown as number[])
  return text
}

/** https://encoding.spec.whatwg.org/#dom-textdecoder-decode : what `fatal` makes of wrong bytes. */
export const notValid = (name: string): TypeError => new TypeError(`The encoded data was not valid for encoding ${name}`)
