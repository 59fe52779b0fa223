/** The bytes of one part, as they come: large pieces stay where they are, small ones are put together. */
import { ByteCollector } from '../../byte-collector.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Pieces up to so many bytes are copied: each array by itself takes more than a hundred bytes. */
const SMALL = 4096
/** A piece that is a smaller part than this of its buffer is copied: who keeps it would keep all of the buffer. */
const PART = 8

export class PartBytes {
  readonly #list: Bytes[] = []
  #small = new ByteCollector()

  /** @param isOwn nobody changes them any more */
  push(bytes: Bytes, isOwn: boolean): void {
    if (bytes.length <= SMALL) {
      this.#small.push(bytes.slice())
      return
    }
    this.#flush()
    this.#list.push(isOwn && bytes.length * PART >= bytes.buffer.byteLength ? bytes : bytes.slice())
  }

  take(): Bytes[] {
    this.#flush()
    return this.#list
  }

  #flush(): void {
    if (this.#small.length === 0) return
    this.#list.push(this.#small.take())
    this.#small = new ByteCollector()
  }
}
