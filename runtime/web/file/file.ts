/** https://w3c.github.io/FileAPI/#file-section */
import { serializable } from '../clonable.ts'
import { Blob, type BlobPart, type BlobPropertyBag, piecesIn } from './blob.ts'
import type { Pieces } from './pieces.ts'

export interface FilePropertyBag extends BlobPropertyBag {
  lastModified?: number
}

export class File extends Blob {
  readonly #name: string
  /** Milliseconds since 1970. */
  readonly #lastModified: number

  static {
    serializable.set(File.prototype, (file: File) => new File(piecesIn(file)!, file.#name, { lastModified: file.#lastModified }))
  }

  /** @param parts pieces as they are, with their type, for the runtime itself */
  constructor(parts: Iterable<BlobPart> | Pieces, name: string, options: FilePropertyBag | null = {}) {
    if (arguments.length < 2) throw new TypeError('File: it takes the parts and a name')
    super(parts === undefined ? (null as never) : parts, options)
    this.#name = `${name}`.toWellFormed()
    const time = options?.lastModified
    this.#lastModified = time === undefined ? Date.now() : toLongLong(time)
  }

  get name(): string {
    return this.#name
  }
  get lastModified(): number {
    return this.#lastModified
  }
}

/** https://webidl.spec.whatwg.org/#js-long-long , for what a number holds exactly */
function toLongLong(value: unknown): number {
  const number = Math.trunc(Number(value))
  return Number.isFinite(number) ? Number(BigInt.asIntN(64, BigInt(number))) : 0
}
