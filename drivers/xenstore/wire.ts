/**
 * The xenstore protocol's messages as bytes (xen/include/public/io/xs_wire.h): a header of four u32 (type, request id,
 * transaction id, payload length) and a payload of at most 4096 bytes. Pure: no ring, no store.
 */
import type { Abi } from '@xen-ts/boot/abi'

export const MessageType = {
  directory: 1,
  read: 2,
  getPermissions: 3,
  watch: 4,
  unwatch: 5,
  transactionStart: 6,
  transactionEnd: 7,
  write: 11,
  mkdir: 12,
  remove: 13,
  setPermissions: 14,
  watchEvent: 15,
  error: 16,
  isDomainIntroduced: 17,
  resetWatches: 21,
  directoryPart: 22,
} as const

export const HEADER_SIZE = 16
export const MAX_PAYLOAD = 4096
const MAX_ABSOLUTE_PATH = 3071
const MAX_RELATIVE_PATH = 2047

type Text = Pick<Abi, 'utf8Encode' | 'latin1Decode'>

/** Writes requests, each in the place of the one before: most are in the ring before the next is made. */
export class RequestWriter {
  /** The request that was written last. */
  readonly bytes = new Uint8Array(HEADER_SIZE + MAX_PAYLOAD)
  readonly #words = new Uint32Array(this.bytes.buffer)

  /**
   * A request. Each of `strings` is ended by a NUL; `tail`, the value of a WRITE, is not.
   * @returns how many bytes it has; 0 when the payload would be longer than the protocol allows
   */
  write(text: Text, type: number, requestId: number, transactionId: number, strings: readonly string[], tail?: string): number {
    const { bytes } = this
    let end = HEADER_SIZE
    for (let i = 0; i < strings.length; i++) {
      const length = text.utf8Encode(strings[i], bytes, end)
      if (length < 0 || end + length >= bytes.length) return 0
      end += length
      bytes[end++] = 0
    }
    if (tail !== undefined) {
      const length = text.utf8Encode(tail, bytes, end)
      if (length < 0) return 0
      end += length
    }
    const words = this.#words
    words[0] = type
    words[1] = requestId
    words[2] = transactionId
    words[3] = end - HEADER_SIZE
    return end
  }
}

/** Whether a string can be a path at all. The store itself judges characters and rights; a NUL would smuggle in a second string. */
export const isValidPath = (path: string): boolean =>
  path.length > 0 && !path.includes('\0') && path.length <= (path.startsWith('/') ? MAX_ABSOLUTE_PATH : MAX_RELATIVE_PATH)

/** The NUL-separated strings of a payload; the last one may lack its NUL. */
export function decodeStrings(text: Text, payload: Uint8Array, offset = 0, last = payload.length): string[] {
  const strings: string[] = []
  for (let start = offset; start < last; ) {
    const nul = payload.indexOf(0, start)
    const end = nul < 0 || nul > last ? last : nul
    strings.push(text.latin1Decode(payload, start, end - start))
    start = end + 1
  }
  return strings
}

/** So much is asked for at once: what the ring holds. */
const PIECE = 1024

/** Puts messages together from the pieces in which they arrive. The fields are those of the last message, until the next is looked for. */
export class MessageAssembler {
  type = 0
  requestId = 0
  transactionId = 0
  /** The payload: `length` bytes of `bytes` from `offset` on. */
  readonly bytes = new Uint8Array(HEADER_SIZE + MAX_PAYLOAD + PIECE)
  offset = 0
  length = 0
  readonly #view = new DataView(this.bytes.buffer)
  /** What has arrived and belongs to no message yet. */
  #start = 0
  #end = 0

  /**
   * Reads from `source` until there is a message. `source(into, offset, length)` copies up to `length` bytes and returns how many, 0 when it has nothing.
   * @returns whether there is one; 'corrupt' when the stream can never make sense again
   */
  next(source: (into: Uint8Array, offset: number, length: number) => number): boolean | 'corrupt' {
    for (;;) {
      const start = this.#start
      const left = this.#end - start
      if (left >= HEADER_SIZE) {
        const length = this.#view.getUint32(start + 12, true)
        if (length > MAX_PAYLOAD) return 'corrupt'
        if (left >= HEADER_SIZE + length) {
          this.type = this.#view.getUint32(start, true)
          this.requestId = this.#view.getUint32(start + 4, true)
          this.transactionId = this.#view.getUint32(start + 8, true)
          this.offset = start + HEADER_SIZE
          this.length = length
          this.#start = start + HEADER_SIZE + length
          return true
        }
      }
      if (start > 0) {
        if (left > 0) this.bytes.copyWithin(0, start, this.#end)
        this.#start = 0
        this.#end = left
      }
      const count = source(this.bytes, left, PIECE)
      if (count <= 0) return false
      this.#end = left + count
    }
  }

  /** A copy of the payload. */
  payload(): Uint8Array {
    return this.bytes.slice(this.offset, this.offset + this.length)
  }
}
