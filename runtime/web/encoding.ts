/**
 * TextEncoder and TextDecoder (https://encoding.spec.whatwg.org) on the ABI's text functions, which are exact about wrong bytes; the
 * kernel's decoder ends at a NUL.
 */
import type { Abi } from '@xen-ts/boot/abi'
import { decodeUtf8 } from './utf8.ts'

type TextAbi = Pick<Abi, 'utf8Encode' | 'utf8Decode' | 'latin1Decode'>

/** What utf-8 and windows-1252 are not: made by the modules of encodings/, in an image where its program names one. */
export interface Encoding {
  readonly name: string
  /**
   * Called for each TextDecoder; the result for each piece, with whether it is the last.
   * @throws RangeError for an encoding that does not exist here; the result TypeError for wrong bytes when `fatal`
   */
  decoder(fatal: boolean): (bytes: Uint8Array, isLast: boolean) => string
}

/** The usual ones of https://encoding.spec.whatwg.org/#names-and-labels ; encodings/ adds others. */
export const labels = new Map<string, 'utf-8' | 'windows-1252' | Encoding>([
  ...['utf-8', 'utf8', 'unicode-1-1-utf-8'].map(label => [label, 'utf-8'] as const),
  ...['latin1', 'l1', 'iso-8859-1', 'iso8859-1', 'iso_8859-1', 'ascii', 'us-ascii', 'windows-1252', 'cp1252'].map(
    label => [label, 'windows-1252'] as const,
  ),
])

/** 0x80..0x9f in windows-1252, which the standard means by "latin1". */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

interface Classes {
  TextEncoder: typeof globalThis.TextEncoder
  TextDecoder: new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) => Decoder
}

interface Decoder {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string
}

export function createEncoding(abi: TextAbi): Classes {
  class TextEncoder {
    get encoding(): string {
      return 'utf-8'
    }

    encode(text = ''): Uint8Array<ArrayBuffer> {
      // Lone surrogates: every host's function writes U+FFFD for them.
      const source = String(text)
      const bytes = new Uint8Array(source.length)
      const length = abi.utf8Encode(source, bytes, 0)
      // As many bytes as characters: plain ASCII, the usual case, needs one attempt.
      if (length >= 0) return bytes
      const exact = new Uint8Array(-length)
      abi.utf8Encode(source, exact, 0)
      return exact
    }

    encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
      const source = String(text).toWellFormed()
      if (!(into instanceof Uint8Array)) throw new TypeError('TextEncoder.encodeInto: the destination must be a Uint8Array')
      if (into.length === 0) return { read: 0, written: 0 }
      const length = abi.utf8Encode(source, into, 0)
      if (length > 0 || source === '') return { read: source.length, written: length }
      let read = 0
      let written = 0
      for (const character of source) {
        const size = abi.utf8Encode(character, into.subarray(written), 0)
        if (size <= 0) break
        read += character.length
        written += size
      }
      return { read, written }
    }
  }

  class TextDecoder {
    readonly #encoding: string
    readonly #fatal: boolean
    readonly #ignoreBOM: boolean
    readonly #other: ((bytes: Uint8Array, isLast: boolean) => string) | undefined
    /** Bytes of a character that the last piece of a stream broke off. */
    #rest: Uint8Array | undefined
    #atStart = true

    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      const encoding = labels.get(
        // The standard's white space only: https://encoding.spec.whatwg.org/#concept-encoding-get
        String(label)
          .replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '')
          .toLowerCase(),
      )
      if (encoding === undefined)
        throw new RangeError(`TextDecoder: the encoding '${label}' is not supported, or not in this image: name it there as a literal`)
      this.#encoding = typeof encoding === 'string' ? encoding : encoding.name
      this.#fatal = Boolean(fatal)
      this.#other = typeof encoding === 'string' ? undefined : encoding.decoder(this.#fatal)
      this.#ignoreBOM = Boolean(ignoreBOM)
    }

    get encoding(): string {
      return this.#encoding
    }
    get fatal(): boolean {
      return this.#fatal
    }
    get ignoreBOM(): boolean {
      return this.#ignoreBOM
    }

    decode(input?: ArrayBuffer | ArrayBufferView, { stream = false }: { stream?: boolean } = {}): string {
      let bytes = toBytes(input)
      if (this.#encoding === 'windows-1252') return decodeLatin1(abi, bytes)
      if (this.#rest !== undefined) {
        bytes = joinBytes(this.#rest, bytes)
        this.#rest = undefined
      }
      if (stream && this.#other === undefined) {
        const end = bytes.length - unfinished(bytes)
        if (end < bytes.length) this.#rest = bytes.slice(end)
        bytes = bytes.subarray(0, end)
      }
      let text
      try {
        text = this.#other === undefined ? decodeUtf8(abi, bytes, this.#fatal) : this.#other(bytes, !stream)
      } catch (error) {
        this.#atStart = true
        throw error
      }
      if (this.#atStart && text !== '') {
        this.#atStart = false
        if (!this.#ignoreBOM && text.startsWith('\ufeff')) text = text.slice(1)
      }
      if (!stream) this.#atStart = true
      return text
    }
  }
  return { TextEncoder, TextDecoder }
}

function toBytes(input: unknown): Uint8Array {
  // A buffer that was transferred has no bytes, and no view of it will do.
  if (input === undefined || ((ArrayBuffer.isView(input) ? input.buffer : input) as ArrayBuffer).detached) return new Uint8Array(0)
  if (input instanceof Uint8Array) return input
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input)
  throw new TypeError('TextDecoder.decode: the input must be an ArrayBuffer or a view of one')
}

export function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

/** How many bytes at the end are the beginning of a character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]
    if (byte >= 0xc2 && byte <= 0xf4) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return back < needed && isPrefix(bytes.subarray(bytes.length - back)) ? back : 0
    }
    if (byte < 0x80 || byte >= 0xc0) return 0
  }
  return 0
}

/** Not for an overlong form, a surrogate or beyond U+10FFFF: there the first byte alone is wrong already. */
function isPrefix([first, second]: Uint8Array): boolean {
  if (second === undefined) return true
  switch (first) {
    case 0xe0:
      return second >= 0xa0
    case 0xed:
      return second <= 0x9f
    case 0xf0:
      return second >= 0x90
    case 0xf4:
      return second <= 0x8f
    default:
      return true
  }
}

function decodeLatin1(abi: TextAbi, bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const nul = bytes.indexOf(0, start)
    const end = nul < 0 ? bytes.length : nul
    text += abi.latin1Decode(bytes, start, end - start) + (nul < 0 ? '' : '\0')
    start = end + 1
  }
  return text.replace(/[\x80-\x9f]/g, character => windows1252[character.charCodeAt(0) - 0x80])
}
