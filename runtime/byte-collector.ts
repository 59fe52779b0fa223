/**
 * Bytes that come in pieces, as small as a peer likes. They are kept in one array that grows: in the engine an array for each piece would
 * take more than a hundred bytes, for a single byte too, and a limit on the bytes would be none on the memory.
 */
export class ByteCollector {
  #bytes = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** @param piece the collector's own from now on */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (this.#length === 0) {
      this.#bytes = piece as Uint8Array<ArrayBuffer> // mostly there is no other
    } else {
      if (length > this.#bytes.length) {
        const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
        larger.set(this.#bytes)
        this.#bytes = larger
      }
      this.#bytes.set(piece, this.#length)
    }
    this.#length = length
  }

  /** All bytes so far, with no others in their buffer. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.buffer.byteLength ? this.#bytes : this.#bytes.slice(0, this.#length)
  }
}
