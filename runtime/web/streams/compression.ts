/** https://compression.spec.whatwg.org/#compression-stream */
import { Compressor } from '../compress/compressor.ts'
import { codedStreams, type Format, formatOf, type Pair } from './coded.ts'

export class CompressionStream {
  readonly #pair: Pair

  /** @throws TypeError for a format that the standard does not have */
  constructor(format: Format) {
    this.#pair = codedStreams('CompressionStream', new Compressor(formatOf('CompressionStream', format)))
  }

  get readable() {
    return this.#pair.readable
  }
  get writable() {
    return this.#pair.writable
  }
}
