/** Text and bytes without TextEncoder, which the guest's engine lacks: the simulated Xen must run there too. */

export const latin1 = (bytes: Uint8Array, offset: number, length: number): string => {
  let text = ''
  for (let i = offset; i < offset + length; i++) text += String.fromCharCode(bytes[i])
  return text
}

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes: number[] = []
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) as number
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return Uint8Array.from(bytes)
}

/** Number of bytes and bits of the first byte, by the first byte's upper bits; anything else is not UTF-8. */
const lead = (byte: number): [length: number, bits: number] =>
  byte < 0x80 ? [1, byte] : byte >> 5 === 6 ? [2, byte & 31] : byte >> 4 === 14 ? [3, byte & 15] : byte >> 3 === 30 ? [4, byte & 7] : [0, 0]

const smallest = [0, 0, 0x80, 0x800, 0x10000]

export const utf8 = (bytes: Uint8Array, offset: number, length: number): string => {
  let text = ''
  const end = offset + length
  for (let i = offset; i < end; ) {
    let [size, code] = lead(bytes[i])
    let good = size > 0 && i + size <= end
    for (let k = 1; good && k < size; k++) {
      good = bytes[i + k] >> 6 === 2
      code = (code << 6) | (bytes[i + k] & 63)
    }
    good = good && code >= smallest[size] && code <= 0x10ffff && code >> 11 !== 27
    text += good ? String.fromCodePoint(code) : '\ufffd'
    i += good ? size : 1
  }
  return text
}
