/** UTF-16 in both orders of bytes: https://encoding.spec.whatwg.org/#shared-utf-16-decoder */
import { type Encoding, joinBytes, labels } from '../encoding.ts'
import { notValid, textOf } from './text-of.ts'

export const utf16Labels = {
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
  'utf-16be': 'unicodefffe utf-16be',
} as const

/** From now on TextDecoder knows them. */
export function addUtf16(): void {
  for (const [name, all] of Object.entries(utf16Labels)) {
    const encoding = utf16(name, name === 'utf-16be')
    for (const label of all.split(' ')) labels.set(label, encoding)
  }
}

const EMPTY = new Uint8Array(0)

const utf16 = (name: string, isBig: boolean): Encoding => ({
  name,
  decoder(fatal) {
    /** Half a unit, or the first half of a pair, or both, whose other half is to come. */
    let rest: Uint8Array = EMPTY
    return (piece, isLast) => {
      const bytes = rest.length === 0 ? piece : joinBytes(rest, piece)
      rest = EMPTY
      let text = textOf(unitsOf(bytes, isBig))
      const isOdd = bytes.length % 2 === 1
      const endsWithLead = /[\ud800-\udbff]$/.test(text)
      if (!isLast) {
        rest = bytes.slice(bytes.length - (isOdd ? 1 : 0) - (endsWithLead ? 2 : 0))
        if (endsWithLead) text = text.slice(0, -1)
      } else if (isOdd && !endsWithLead) {
        // Behind half a pair it is the same error, which that half stands for.
        text += '\ud800'
      }
      if (fatal && !text.isWellFormed()) throw notValid(name)
      return text.toWellFormed()
    }
  },
})

/** The engine's memory is little-endian, as its wasm is. */
function unitsOf(bytes: Uint8Array, isBig: boolean): Uint16Array {
  const units = new Uint16Array(bytes.slice(0, bytes.length & ~1).buffer)
  if (isBig) for (let i = 0; i < units.length; i++) units[i] = (units[i] << 8) | (units[i] >> 8)
  return units
}
