/** https://compression.spec.whatwg.org/#decompression-stream */
import { Decompressor } from '../compress/decompressor.ts'
import { codedStreams, type Format, formatOf, type Pair } from './coded.ts'

/**
 * What comes out comes in pieces of at most 64 KiB, each when it is read: how much becomes of the input is known only to who reads, and it
 * is for him to stop.
 */
export class DecompressionStream {
  readonly #pair: Pair

  /** @throws TypeError for a format that the standard does not have */
  constructor(format: Format) {
    this.#pair = codedStreams('DecompressionStream', new Decompressor(formatOf('DecompressionStream', format)))
  }

  get readable() {
    return this.#pair.readable
  }
  get writable() {
    return this.#pair.writable
  }
}
