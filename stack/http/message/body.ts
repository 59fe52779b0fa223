/**
 * Finds the body of a message in a stream of bytes, up to a limit: by its length, chunked (RFC 9112 section 7.1), or up to the end of the
 * connection. What belongs to it goes to a sink; nothing is kept here but the begin of a line of the chunked coding.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { BadMessage } from './bad-message.ts'
import { fieldColon, NOT_TEXT } from './field.ts'
import { CHUNKED, UNTIL_CLOSE } from './head.ts'

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

export interface BodySink {
  /** The next `size` bytes of the body stand at `at`, in an array that was fed. */
  part(bytes: Uint8Array, at: number, size: number): void
}

export class BodyDecoder {
  /** Set when it is no body, or longer than the limit (status 413); nothing behind it can be read. */
  error: BadMessage | undefined = undefined
  readonly #abi: HostFunctions
  readonly #chunked: boolean
  readonly #untilClose: boolean
  #limit: number
  #state: number
  /** Bytes of the body, or of the chunk, that are still to come. */
  #remaining: number
  /** All that has come, and is announced: a whole body or chunk at a time. */
  #total: number
  /** Begin of a line of the chunked coding whose end has not come yet. */
  #line = ''
  #trailers = 0

  /** `length` in bytes, CHUNKED or UNTIL_CLOSE; `limit` in bytes. */
  constructor(abi: HostFunctions, length: number, limit: number) {
    this.#abi = abi
    this.#limit = limit
    this.#chunked = length === CHUNKED
    this.#untilClose = length === UNTIL_CLOSE
    this.#state = this.#chunked ? SIZE_LINE : length === 0 ? DONE : DATA
    this.#remaining = this.#untilClose ? Infinity : length
    this.#total = length < 0 ? 0 : length
    if (length > limit) this.error = tooLarge(limit)
  }

  get isDone(): boolean {
    return this.#state === DONE
  }

  /** At most so many bytes are still to come; Infinity when nobody has said. */
  get outstanding(): number {
    return this.isDone ? 0 : this.#chunked ? Infinity : this.#remaining
  }

  /** Another limit from now on, for the whole body, what has come included. */
  limitTo(bytes: number): void {
    this.#limit = bytes
    if (this.#total > bytes) this.error ??= tooLarge(bytes)
  }

  /** Only so many bytes more may come. */
  limitRest(bytes: number): void {
    const isCounted = this.#state === DATA && !this.#untilClose
    this.limitTo(this.#total - (isCounted ? this.#remaining : 0) + bytes)
  }

  /** Gives what belongs to the body to `sink`, from `at` up to `end`; returns where it stopped. */
  feed(bytes: Uint8Array, at: number, end: number, sink: BodySink): number {
    while (at < end && this.#state !== DONE && this.error === undefined) {
      at = this.#state === DATA ? this.#takeData(bytes, at, end, sink) : this.#takeLine(bytes, at, end)
    }
    return at
  }

  /** The peer has ended its side. Whether the body is whole then. */
  end(): boolean {
    if (this.#untilClose && this.error === undefined) this.#state = DONE
    return this.#state === DONE
  }

  #takeData(bytes: Uint8Array, at: number, end: number, sink: BodySink): number {
    const size = Math.min(end - at, this.#remaining)
    if (this.#untilClose && !this.#announce(size)) return at
    this.#remaining -= size
    if (this.#remaining === 0) this.#state = this.#chunked ? DATA_END : DONE
    sink.part(bytes, at, size)
    return at + size
  }

  /** Reads up to the next line feed, and the line when it is complete. */
  #takeLine(bytes: Uint8Array, at: number, end: number): number {
    const feed = bytes.indexOf(10, at)
    const isWhole = feed >= 0 && feed < end
    const stop = isWhole ? feed + 1 : end
    const inTrailers = this.#state === TRAILERS
    if (this.#line.length + stop - at > (inTrailers ? MAX_TRAILERS : MAX_SIZE_LINE))
      return this.#fail(inTrailers ? 431 : 400, 'a line of the chunked body is too long', stop)
    const text = this.#abi.latin1Decode(bytes, at, stop - at)
    // Decoding ends at a NUL, which no line may contain.
    if (text.length < stop - at) return this.#fail(400, 'a line of the chunked body contains a NUL', stop)
    this.#line += text
    if (!isWhole) return stop
    const line = this.#line
    this.#line = ''
    if (line.endsWith('\r\n') && line.indexOf('\r') === line.length - 2) this.#readLine(line.slice(0, -2))
    else this.#fail(400, 'a line of the chunked body does not end with CR LF')
    return stop
  }

  #readLine(line: string): void {
    if (this.#state === DATA_END) {
      if (line !== '') this.#fail(400, 'a chunk is longer than its size')
      this.#state = SIZE_LINE
    } else if (this.#state === TRAILERS) {
      this.#trailers += line.length + 2
      if (line === '') this.#state = DONE
      else if (this.#trailers > MAX_TRAILERS) this.#fail(431, 'the trailer fields are too long')
      // What they say is dropped: nobody may merge them into the head unless he knows what they mean (RFC 9110 section 6.5.1).
      else if (NOT_TEXT.test(line) || fieldColon(line) < 0) this.#fail(400, 'a trailer is not of the form name: value')
    } else {
      this.#readSize(line)
    }
  }

  #readSize(line: string): void {
    const digits = SIZE.exec(line)?.[1]
    if (digits === undefined) {
      this.#fail(400, 'a chunk size is not a hexadecimal number, or what follows it is no chunk extension')
      return
    }
    const size = parseInt(digits, 16)
    this.#announce(size)
    this.#remaining = size
    this.#state = size === 0 ? TRAILERS : DATA
  }

  /** So much more is to come, or has. False when that is too much. */
  #announce(size: number): boolean {
    this.#total += size
    if (this.#total <= this.#limit) return true
    this.error = tooLarge(this.#limit)
    return false
  }

  #fail(status: number, reason: string, stop = 0): number {
    this.error = new BadMessage(status, reason)
    return stop
  }
}

const tooLarge = (limit: number): BadMessage => new BadMessage(413, `the body is larger than ${limit} bytes`)
