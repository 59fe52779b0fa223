/** Decompresses for DecompressionStream, by the letter of RFC 1950 and 1952: checksums count, and what is missing or too much is wrong. */
import type { Coder, Format } from '../streams/coded.ts'
import { adler32, crc32 } from './checksums.ts'
import { corrupt, Inflate } from './inflate.ts'

type Bytes = Uint8Array<ArrayBuffer>
/** Takes a byte at a time; it is over when the header is. */
type Header = Generator<undefined, void, number>

const TAIL: Readonly<Record<Format, number>> = { 'deflate-raw': 0, deflate: 4, gzip: 8 }

export class Decompressor implements Coder {
  readonly #format: Format
  readonly #inflate = new Inflate()
  /** undefined when it was read. */
  #header: Header | undefined
  readonly #tail: Bytes
  #tailLength = 0
  #sum: number
  /** Of all output, modulo 2^32. */
  #length = 0

  constructor(format: Format) {
    this.#format = format
    this.#tail = new Uint8Array(TAIL[format])
    this.#sum = format === 'deflate' ? 1 : 0
    this.#header = format === 'gzip' ? gzipHeader() : format === 'deflate' ? zlibHeader() : undefined
    this.#header?.next()
  }

  push(input: Bytes): void {
    let at = 0
    while (this.#header !== undefined && at < input.length) if (this.#header.next(input[at++]).done) this.#header = undefined
    const rest = at === 0 ? input : input.subarray(at)
    if (this.#inflate.isDone) this.#readTail(rest)
    else if (rest.length > 0) this.#inflate.push(rest)
  }

  end(): void {
    if (this.#header !== undefined || !this.#inflate.isDone || this.#tailLength < this.#tail.length) throw corrupt('it is cut off')
  }

  pull(): Bytes | undefined {
    const piece = this.#inflate.pull()
    if (piece !== undefined) {
      if (this.#format === 'gzip') this.#sum = crc32(this.#sum, piece)
      else if (this.#format === 'deflate') this.#sum = adler32(this.#sum, piece)
      this.#length = (this.#length + piece.length) | 0
    } else if (this.#inflate.isDone) {
      this.#readTail(this.#inflate.takeRest())
    }
    return piece
  }

  #readTail(bytes: Bytes): void {
    const tail = this.#tail
    let at = 0
    if (this.#tailLength < tail.length) {
      while (at < bytes.length && this.#tailLength < tail.length) tail[this.#tailLength++] = bytes[at++]
      if (this.#tailLength === tail.length) this.#check(new DataView(tail.buffer))
    }
    if (at < bytes.length) throw corrupt('there is something behind its end')
  }

  #check(tail: DataView): void {
    const isGzip = this.#format === 'gzip'
    if (tail.getInt32(0, isGzip) !== this.#sum) throw corrupt('its checksum')
    if (isGzip && tail.getInt32(4, true) !== this.#length) throw corrupt('its length')
  }
}

/** RFC 1950 section 2.2. There is no way to give a dictionary. */
function* zlibHeader(): Header {
  const method = yield
  const flags = yield
  if ((method & 15) !== 8 || method >> 4 > 7 || ((method << 8) | flags) % 31 !== 0 || (flags & 0x20) !== 0) throw corrupt('its header')
}

const HEADER_CRC = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16

/** RFC 1952 section 2.3. What it says of names and times is skipped, however long it is. */
function* gzipHeader(): Header {
  let crc = 0
  const one = new Uint8Array(1)
  function* next(): Generator<undefined, number, number> {
    one[0] = yield
    crc = crc32(crc, one)
    return one[0]
  }
  for (const expected of [0x1f, 0x8b, 8]) if ((yield* next()) !== expected) throw corrupt('its header')
  const flags = yield* next()
  if ((flags & 0xe0) !== 0) throw corrupt('its header')
  for (let i = 0; i < 6; i++) yield* next()
  if (flags & EXTRA) for (let left = (yield* next()) | ((yield* next()) << 8); left > 0; left--) yield* next()
  for (const flag of [NAME, COMMENT]) if (flags & flag) while ((yield* next()) !== 0);
  if ((flags & HEADER_CRC) === 0) return
  const expected = crc & 0xffff
  if (((yield* next()) | ((yield* next()) << 8)) !== expected) throw corrupt('the checksum of its header')
}
