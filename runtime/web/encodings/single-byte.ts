/** https://encoding.spec.whatwg.org/#single-byte-decoder : a character a byte. */
import { type Encoding, labels } from '../encoding.ts'
import type { SingleByte } from './tables.ts'
import { notValid, textOf } from './text-of.ts'

/** From now on TextDecoder knows them. */
export function addSingleBytes(...encodings: readonly SingleByte[]): void {
  for (const one of encodings) {
    const encoding = encodingOf(one)
    for (const label of one.labels.split(' ')) labels.set(label, encoding)
  }
}

function encodingOf({ name, upper }: SingleByte): Encoding {
  const first = 256 - upper.length
  /** Made when it is used: an image has the text alone. */
  let units: Uint16Array | undefined
  const decode = (bytes: Uint8Array): string => {
    units ??= Uint16Array.from({ length: 256 }, (_, byte) => (byte < first ? byte : upper.charCodeAt(byte - first)))
    const { length } = bytes
    const text = new Uint16Array(length)
    for (let i = 0; i < length; i++) text[i] = units[bytes[i]]
    return textOf(text)
  }
  return {
    name,
    decoder: fatal => bytes => {
      const text = decode(bytes)
      if (fatal && text.includes('\ufffd')) throw notValid(name)
      return text
    },
  }
}
