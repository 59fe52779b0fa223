/** https://w3c.github.io/FileAPI/#blob-section . All bytes are in memory; what is cut out of a Blob shares them. */
import type { ReadableStream } from 'web-streams-polyfill'
import { serializable } from '../clonable.ts'
import { extractMimeType, serializeMimeType } from '../mime.ts'
import { linkBlobs } from './linked.ts'
import { Pieces } from './pieces.ts'

export type BlobPart = ArrayBuffer | ArrayBufferView | Blob | string
export interface BlobPropertyBag {
  type?: string
  endings?: 'transparent' | 'native'
}

/** The pieces of a Blob; undefined for everything else. */
let piecesIn: (value: unknown) => Pieces | undefined

export class Blob {
  readonly #pieces: Pieces

  static {
    piecesIn = value => (typeof value === 'object' && value !== null && #pieces in value ? value.#pieces : undefined)
    serializable.set(Blob.prototype, (blob: Blob) => new Blob(blob.#pieces))
  }

  /** @param parts pieces as they are, for the runtime itself */
  constructor(parts: Iterable<BlobPart> | Pieces = [], options: BlobPropertyBag | null = {}) {
    if (parts instanceof Pieces) {
      this.#pieces = parts
      return
    }
    const values = partsOf(parts)
    const { endings, type } = optionsOf(options)
    const list: Uint8Array<ArrayBuffer>[] = []
    for (const value of values) {
      if (value instanceof Uint8Array) list.push(value as Uint8Array<ArrayBuffer>)
      else if (value instanceof Pieces) for (const piece of value.list) list.push(piece)
      else list.push(encode(endings === 'native' ? value.replace(/\r\n?/g, '\n') : value))
    }
    this.#pieces = new Pieces(
      list.filter(piece => piece.length > 0),
      type,
    )
  }

  get size(): number {
    return this.#pieces.size
  }
  get type(): string {
    return this.#pieces.type
  }

  slice(start: number = 0, end: number = this.size, contentType: string = ''): Blob {
    const { size } = this
    const place = (value: number): number => {
      const number = clamped(value)
      return number < 0 ? Math.max(size + number, 0) : Math.min(number, size)
    }
    return new Blob(this.#pieces.slice(place(start), place(end), typeOf(contentType)))
  }

  /** @throws TypeError in an image without streams */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#pieces.stream()
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#pieces.joined())
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#pieces.copy().buffer
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#pieces.copy()
  }
}

export { piecesIn }

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

/** Bytes are copied, other Blobs are shared, and all else is text: https://w3c.github.io/FileAPI/#process-blob-parts */
function partsOf(parts: Iterable<BlobPart>): (Uint8Array | Pieces | string)[] {
  const isObject = (typeof parts === 'object' && parts !== null) || typeof parts === 'function'
  const iterator = isObject ? parts[Symbol.iterator] : undefined
  if (typeof iterator !== 'function') throw new TypeError('Blob: the parts must be an array, or something else that can be iterated')
  return Array.from({ [Symbol.iterator]: () => iterator.call(parts) }, part => {
    if (part instanceof ArrayBuffer) return new Uint8Array(part.slice(0))
    if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice()
    return piecesIn(part) ?? `${part as unknown as string}`.toWellFormed()
  })
}

function optionsOf(options: BlobPropertyBag | null): { endings: string; type: string } {
  if (options !== null && typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('Blob: the options must be an object')
  const { endings = 'transparent', type = '' } = options ?? {}
  const wanted = `${endings}`
  if (wanted !== 'transparent' && wanted !== 'native')
    throw new TypeError(`Blob: endings is '${wanted}': it must be 'transparent' or 'native'`)
  return { endings: wanted, type: typeOf(type) }
}

/** Lower case, and none at all when there is a character in it that no type has. */
function typeOf(type: unknown): string {
  const text = `${type as string}`
  return /[^\x20-\x7e]/.test(text) ? '' : text.toLowerCase()
}

/** A [Clamp] long long: https://webidl.spec.whatwg.org/#Clamp */
function clamped(value: unknown): number {
  const number = Number(value)
  if (Number.isNaN(number)) return 0
  const limited = Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  const floor = Math.floor(limited)
  const rest = limited - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

linkBlobs({
  piecesOf: piecesIn,
  blobOf(pieces, contentType) {
    const type = extractMimeType(contentType)
    return new Blob(new Pieces(pieces.list, type === undefined ? '' : serializeMimeType(type)))
  },
})
