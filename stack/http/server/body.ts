/** Takes the body of a request out of a stream of bytes, up to a limit: by Content-Length or chunked (RFC 9112 section 7.1). */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { BadRequest } from './bad-request.ts'
import { fieldColon, NOT_TEXT } from './field.ts'

/** Longest chunk-size line with its extensions, and all trailer lines together, in bytes. */
const MAX_SIZE_LINE = 256
const MAX_TRAILERS = 8 * 1024

/** RFC 9112 section 7.1.1: `1a`, with leading zeros or not, and extensions such as `;name` and `; name = "value"`. Bounded by the line's length. */
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const SIZE = new RegExp(`^0*([0-9A-Fa-f]{1,12})(?:[\\t ]*;[\\t ]*${token}(?:[\\t ]*=[\\t ]*(?:${token}|${quoted}))?)*$`)

const SIZE_LINE = 0
const DATA = 1
const DATA_END = 2
const TRAILERS = 3
const DONE = 4

export class BodyReader {
  /** Set when the body cannot be read; the connection is of no further use. */
  error: BadRequest | undefined = undefined
  /** What comes is counted and checked, but not kept. */
  isDropped = false
  readonly #abi: HostFunctions
  #limit: number
  readonly #chunked: boolean
  #state: number
  /** Bytes of the body, or of the chunk, that are still to come. */
  #remaining: number
  /** What has come and was not taken. */
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0
  /** All that has come, and is announced: a whole body or chunk at a time. */
  #total: number
  /** Begin of a line of the chunked coding, whose end is in a later segment. */
  #line = ''
  #trailers = 0
  #isBegun = false

  /** `length` in bytes, -1 for chunked; `limit` in bytes. */
  constructor(abi: HostFunctions, length: number, limit: number) {
    this.#abi = abi
    this.#limit = limit
    this.#chunked = length < 0
    this.#state = this.#chunked ? SIZE_LINE : DATA
    this.#remaining = length
    this.#total = length < 0 ? 0 : length
    // A client that announces much and sends little gets little.
    this.#bytes = new Uint8Array(length < 0 ? 1024 : Math.min(length, 16 * 1024))
    if (length > limit) this.error = tooLarge(limit)
  }

  get isDone(): boolean {
    return this.#state === DONE
  }

  /** Bytes of the body that wait to be taken. */
  get held(): number {
    return this.#length
  }

  /** Whether any of it, or of what is around it, has come. */
  get isBegun(): boolean {
    return this.#isBegun
  }

  /** At most so many bytes are still to come; Infinity when the client has not said. */
  get outstanding(): number {
    return this.isDone ? 0 : this.#chunked ? Infinity : this.#remaining
  }

  /** Another limit from now on, for the whole body, what was taken included. */
  limitTo(bytes: number): void {
    this.#limit = bytes
    if (this.#total > bytes) this.error ??= tooLarge(bytes)
  }

  /** Only so many bytes more are taken, and dropped. */
  drop(bytes: number): void {
    this.isDropped = true
    this.take()
    const come = this.#total - (this.#state === DATA ? this.#remaining : 0)
    this.limitTo(come + bytes)
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
    this.#isBegun = true
    while (at < end && this.#state !== DONE && this.error === undefined) {
      at = this.#state === DATA ? this.#takeData(bytes, at, end) : this.#takeLine(bytes, at, end)
    }
    return at
  }

  #takeData(bytes: Uint8Array, at: number, end: number): number {
    const size = Math.min(end - at, this.#remaining)
    if (!this.isDropped) this.#keep(bytes, at, size)
    this.#remaining -= size
    if (this.#remaining === 0) this.#state = this.#chunked ? DATA_END : DONE
    return at + size
  }

  #keep(bytes: Uint8Array, at: number, size: number): void {
    const total = this.#length + size
    if (total > this.#bytes.length) {
      // No more than will come: a whole body is then taken as it lies.
      const most = this.#chunked ? Math.max(total, this.#limit) : this.#length + this.#remaining
      const larger = new Uint8Array(Math.min(Math.max(total, 2 * this.#bytes.length), most))
      this.#abi.copy(larger, 0, this.#bytes, 0, this.#length)
      this.#bytes = larger
    }
    this.#abi.copy(this.#bytes, this.#length, bytes, at, size)
    this.#length = total
  }

  /** Reads up to the next line feed, and the line when it is complete. */
  #takeLine(bytes: Uint8Array, at: number, end: number): number {
    const feed = bytes.indexOf(10, at)
    const stop = feed < 0 || feed >= end ? end : feed + 1
    const limit = this.#state === TRAILERS ? MAX_TRAILERS : MAX_SIZE_LINE
    if (this.#line.length + stop - at > limit) {
      this.error = new BadRequest(this.#state === TRAILERS ? 431 : 400, 'a line of the chunked body is too long')
      return stop
    }
    const text = this.#abi.latin1Decode(bytes, at, stop - at)
    if (text.length < stop - at) {
      // Decoding ends at a NUL, which no line may contain.
      this.error = new BadRequest(400, 'a line of the chunked body contains a NUL')
      return stop
    }
    this.#line += text
    if (feed < 0 || feed >= end) return stop
    const line = this.#line
    this.#line = ''
    if (line.endsWith('\r\n') && line.indexOf('\r') === line.length - 2) this.#readLine(line.slice(0, -2))
    else this.error = new BadRequest(400, 'a line of the chunked body does not end with CR LF')
    return stop
  }

  #readLine(line: string): void {
    if (this.#state === DATA_END) {
      if (line !== '') this.error = new BadRequest(400, 'a chunk is longer than its size')
      this.#state = SIZE_LINE
    } else if (this.#state === TRAILERS) {
      this.#trailers += line.length + 2
      if (line === '') this.#state = DONE
      else if (this.#trailers > MAX_TRAILERS) this.error = new BadRequest(431, 'the trailer fields are too long')
      // What they say is dropped: nobody may merge them into the head unless he knows what they mean (RFC 9110 section 6.5.1).
      else if (NOT_TEXT.test(line) || fieldColon(line) < 0) this.error = new BadRequest(400, 'a trailer is not of the form name: value')
    } else {
      this.#readSize(line)
    }
  }

  #readSize(line: string): void {
    const match = SIZE.exec(line)
    if (match === null) {
      this.error = new BadRequest(400, 'a chunk size is not a hexadecimal number, or what follows it is no chunk extension')
      return
    }
    const size = parseInt(match[1], 16)
    if (size > this.#limit - this.#total) this.error = tooLarge(this.#limit)
    this.#total += size
    this.#remaining = size
    this.#state = size === 0 ? TRAILERS : DATA
  }
}

const tooLarge = (limit: number): BadRequest => new BadRequest(413, `the body is larger than ${limit} bytes`)

const EMPTY = new Uint8Array(0)
