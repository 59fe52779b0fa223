/**
 * Takes the body of a response out of the bytes that come in, piece by piece and without a copy: by its length, chunked (RFC 9112
 * section 7.1), or up to the end of the connection.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { fieldColon, NOT_TEXT } from '../server/field.ts'

/** Instead of a length in bytes. */
export const CHUNKED = -1
export const UNTIL_CLOSE = -2

/** Longest chunk-size line with its extensions, and all trailer lines together, in bytes. */
const MAX_SIZE_LINE = 256
const MAX_TRAILERS = 8 * 1024

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
/** RFC 9112 section 7.1.1: `1a`, with leading zeros or not, and extensions such as `;name` and `; name = "value"`. */
const SIZE = new RegExp(`^0*([0-9A-Fa-f]{1,12})(?:[\\t ]*;[\\t ]*${token}(?:[\\t ]*=[\\t ]*(?:${token}|${quoted}))?)*$`)

const SIZE_LINE = 0
const DATA = 1
const DATA_END = 2
const TRAILERS = 3
const DONE = 4

export class BodyDecoder {
  /** Why it is no body, as the end of a sentence; nothing behind it can be read. */
  error: string | undefined = undefined
  /** The error is that the body is larger than the limit. */
  isTooLarge = false
  readonly #abi: HostFunctions
  readonly #chunked: boolean
  readonly #untilClose: boolean
  /** Bytes that there may still be. */
  #room: number
  #state: number
  /** Bytes of the body, or of the chunk, that are still to come. */
  #remaining: number
  /** Begin of a line of the chunked coding whose end has not come yet. */
  #line = ''
  #trailers = 0

  /** `length` in bytes, or one of the constants above; `limit` in bytes. */
  constructor(abi: HostFunctions, length: number, limit: number) {
    this.#abi = abi
    this.#room = limit
    this.#chunked = length === CHUNKED
    this.#untilClose = length === UNTIL_CLOSE
    this.#remaining = this.#untilClose ? Infinity : length
    this.#state = this.#chunked ? SIZE_LINE : length === 0 ? DONE : DATA
    if (length > limit) this.#tooLarge()
  }

  get isDone(): boolean {
    return this.#state === DONE
  }

  /** Puts what belongs to the body into `pieces`, from `at` up to `end`; returns where it stopped. */
  feed(bytes: Uint8Array, at: number, end: number, pieces: Uint8Array[]): number {
    while (at < end && this.#state !== DONE && this.error === undefined) {
      at = this.#state === DATA ? this.#takeData(bytes, at, end, pieces) : this.#takeLine(bytes, at, end)
    }
    return at
  }

  /** The server has ended its side. Whether the body is whole then. */
  end(): boolean {
    if (this.#untilClose && this.error === undefined) this.#state = DONE
    return this.#state === DONE
  }

  #takeData(bytes: Uint8Array, at: number, end: number, pieces: Uint8Array[]): number {
    const size = Math.min(end - at, this.#remaining)
    if (size > this.#room) {
      this.#tooLarge()
      return at
    }
    this.#room -= size
    this.#remaining -= size
    pieces.push(at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size))
    if (this.#remaining === 0) this.#state = this.#chunked ? DATA_END : DONE
    return at + size
  }

  /** Reads up to the next line feed, and the line when it is complete. */
  #takeLine(bytes: Uint8Array, at: number, end: number): number {
    const feed = bytes.indexOf(10, at)
    const isWhole = feed >= 0 && feed < end
    const stop = isWhole ? feed + 1 : end
    if (this.#line.length + stop - at > (this.#state === TRAILERS ? MAX_TRAILERS : MAX_SIZE_LINE)) {
      this.error = 'a line of the chunked body is too long'
      return stop
    }
    const text = this.#abi.latin1Decode(bytes, at, stop - at)
    // Decoding ends at a NUL, which no line may contain.
    if (text.length < stop - at) this.error = 'a line of the chunked body contains a NUL'
    this.#line += text
    if (!isWhole || this.error !== undefined) return stop
    const line = this.#line
    this.#line = ''
    if (line.endsWith('\r\n') && line.indexOf('\r') === line.length - 2) this.#readLine(line.slice(0, -2))
    else this.error = 'a line of the chunked body does not end with CR LF'
    return stop
  }

  #readLine(line: string): void {
    if (this.#state === DATA_END) {
      if (line !== '') this.error = 'a chunk is longer than its size'
      this.#state = SIZE_LINE
    } else if (this.#state === TRAILERS) {
      this.#trailers += line.length + 2
      if (line === '') this.#state = DONE
      else if (this.#trailers > MAX_TRAILERS) this.error = 'the trailer fields are too long'
      // What they say is dropped: nobody may merge them into the head unless he knows what they mean (RFC 9110 section 6.5.1).
      else if (NOT_TEXT.test(line) || fieldColon(line) < 0) this.error = 'a trailer is not of the form name: value'
    } else {
      const size = SIZE.exec(line)?.[1]
      if (size === undefined) this.error = 'a chunk size is not a hexadecimal number, or what follows it is no chunk extension'
      else this.#begin(parseInt(size, 16))
    }
  }

  #begin(size: number): void {
    if (size > this.#room) this.#tooLarge()
    this.#remaining = size
    this.#state = size === 0 ? TRAILERS : DATA
  }

  #tooLarge(): void {
    this.isTooLarge = true
    this.error = 'the body is larger than the limit of the client (limits.body)'
  }
}
