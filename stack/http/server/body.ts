/** The body of a request as it comes in: what has come is gathered until somebody takes it, or dropped. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { BadMessage } from '../message/bad-message.ts'
import { BodyDecoder, type BodySink } from '../message/body.ts'

export class BodyReader implements BodySink {
  /** What comes is counted and checked, but not kept. */
  isDropped = false
  /** Whether any of it, or of what is around it, has come. */
  isBegun = false
  readonly #abi: HostFunctions
  readonly #decoder: BodyDecoder
  /** What has come and was not taken. */
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  /** `length` in bytes, or CHUNKED; `limit` in bytes. */
  constructor(abi: HostFunctions, length: number, limit: number) {
    this.#abi = abi
    this.#decoder = new BodyDecoder(abi, length, limit)
    // A client that announces much and sends little gets little.
    this.#bytes = new Uint8Array(length < 0 ? 1024 : Math.min(length, 16 * 1024))
  }

  /** Set when the body cannot be read; the connection is of no further use. */
  get error(): BadMessage | undefined {
    return this.#decoder.error
  }

  get isDone(): boolean {
    return this.#decoder.isDone
  }

  /** Bytes of the body that wait to be taken. */
  get held(): number {
    return this.#length
  }

  /** At most so many bytes are still to come; Infinity when the client has not said. */
  get outstanding(): number {
    return this.#decoder.outstanding
  }

  /** Another limit from now on, for the whole body, what was taken included. */
  limitTo(bytes: number): void {
    this.#decoder.limitTo(bytes)
  }

  /** Only so many bytes more are taken, and dropped. */
  drop(bytes: number): void {
    this.isDropped = true
    this.take()
    this.#decoder.limitRest(bytes)
  }

  /** What has come, for good. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes
    const whole = this.#length === bytes.length ? bytes : bytes.slice(0, this.#length)
    this.#length = 0
    if (whole === bytes) this.#bytes = EMPTY
    return whole
  }

  /** Takes what belongs to the body from `bytes`, from `at` up to `end`; returns where it stopped. */
  feed(bytes: Uint8Array, at: number, end: number): number {
    this.isBegun = true
    return this.#decoder.feed(bytes, at, end, this)
  }

  /** @internal What the decoder finds. */
  part(bytes: Uint8Array, at: number, size: number): void {
    if (this.isDropped) return
    const total = this.#length + size
    if (total > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(Math.max(total, 2 * this.#bytes.length), total + this.#decoder.outstanding))
      this.#abi.copy(larger, 0, this.#bytes, 0, this.#length)
      this.#bytes = larger
    }
    this.#abi.copy(this.#bytes, this.#length, bytes, at, size)
    this.#length = total
  }
}

const EMPTY = new Uint8Array(0)
