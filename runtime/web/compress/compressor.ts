/** Compresses for CompressionStream: DEFLATE (RFC 1951), within gzip (RFC 1952) or zlib (RFC 1950). */
import type { Coder, Format } from '../streams/coded.ts'
import { adler32, crc32 } from './checksums.ts'
import { Deflate } from './deflate.ts'

type Bytes = Uint8Array<ArrayBuffer>

export class Compressor implements Coder {
  readonly #format: Format
  readonly #output: Bytes[] = []
  readonly #deflate = new Deflate()
  #sum: number
  /** Of all input, modulo 2^32. */
  #length = 0

  constructor(format: Format) {
    this.#format = format
    this.#sum = format === 'deflate' ? 1 : 0
    // No name, no time, no system that anybody knows: the same input gives the same bytes.
    if (format === 'gzip') this.#output.push(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255))
    else if (format === 'deflate') this.#output.push(Uint8Array.of(0x78, 0x9c))
  }

  push(input: Bytes): void {
    if (this.#format === 'gzip') this.#sum = crc32(this.#sum, input)
    else if (this.#format === 'deflate') this.#sum = adler32(this.#sum, input)
    this.#length = (this.#length + input.length) | 0
    this.#output.push(...this.#deflate.push(input))
  }

  end(): void {
    this.#output.push(this.#deflate.end())
    if (this.#format === 'deflate-raw') return
    const tail = new DataView(new ArrayBuffer(this.#format === 'gzip' ? 8 : 4))
    tail.setInt32(0, this.#sum, this.#format === 'gzip')
    if (this.#format === 'gzip') tail.setInt32(4, this.#length, true)
    this.#output.push(new Uint8Array(tail.buffer))
  }

  pull(): Bytes | undefined {
    return this.#output.shift()
  }
}
