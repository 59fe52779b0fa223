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

/** A whole message that arrived. */
export interface Message {
  readonly type: number
  readonly requestId: number
  readonly transactionId: number
  /** The caller's own copy. */
  readonly payload: Uint8Array
}

type Text = Pick<Abi, 'utf8Encode' | 'latin1Decode'>

/**
 * A request. Each of `strings` is ended by a NUL; `tail`, the value of a WRITE, is not.
 * @returns undefined when the payload would be longer than the protocol allows
 */
export function encodeRequest(
  text: Text,
  type: number,
  requestId: number,
  transactionId: number,
  strings: readonly string[],
  tail?: string,
): Uint8Array | undefined {
  let capacity = HEADER_SIZE
  for (const string of strings) capacity += string.length * 3 + 1 // UTF-8 needs at most 3 bytes for a UTF-16 unit
  if (tail !== undefined) capacity += tail.length * 3
  const bytes = new Uint8Array(capacity)
  let end = HEADER_SIZE
  for (const string of strings) end += text.utf8Encode(string, bytes, end) + 1
  if (tail !== undefined) end += text.utf8Encode(tail, bytes, end)
  if (end - HEADER_SIZE > MAX_PAYLOAD) return undefined
  new Uint32Array(bytes.buffer, 0, 4).set([type, requestId, transactionId, end - HEADER_SIZE])
  return bytes.subarray(0, end)
}

/** Whether a string can be a path at all. The store itself judges characters and rights; a NUL would smuggle in a second string. */
export const isValidPath = (path: string): boolean =>
  path.length > 0 && !path.includes('\0') && path.length <= (path.startsWith('/') ? MAX_ABSOLUTE_PATH : MAX_RELATIVE_PATH)

/** The NUL-separated strings of a payload; the last one may lack its NUL. */
export function decodeStrings(text: Text, payload: Uint8Array): string[] {
  const strings: string[] = []
  for (let start = 0; start < payload.length; ) {
    const nul = payload.indexOf(0, start)
    const end = nul < 0 ? payload.length : nul
    strings.push(text.latin1Decode(payload, start, end - start))
    start = end + 1
  }
  return strings
}

/** Puts messages together from the pieces in which they arrive. */
export class MessageAssembler {
  readonly #header = new Uint8Array(HEADER_SIZE)
  readonly #words = new Uint32Array(this.#header.buffer)
  #payload: Uint8Array | undefined
  #filled = 0

  /**
   * Reads from `source` until it has nothing more. `source(into, offset, length)` copies up to `length` bytes and returns how many.
   * @returns the next whole message, undefined when more bytes must arrive first, or 'corrupt' when the stream can never make sense again
   */
  next(source: (into: Uint8Array, offset: number, length: number) => number): Message | 'corrupt' | undefined {
    if (this.#payload === undefined) {
      if (!this.#fill(source, this.#header)) return undefined
      const length = this.#words[3]
      if (length > MAX_PAYLOAD) return 'corrupt'
      this.#payload = new Uint8Array(length)
      this.#filled = 0
    }
    if (!this.#fill(source, this.#payload)) return undefined
    const message = { type: this.#words[0], requestId: this.#words[1], transactionId: this.#words[2], payload: this.#payload }
    this.#payload = undefined
    this.#filled = 0
    return message
  }

  #fill(source: (into: Uint8Array, offset: number, length: number) => number, into: Uint8Array): boolean {
    while (this.#filled < into.length) {
      const count = source(into, this.#filled, into.length - this.#filled)
      if (count <= 0) return false
      this.#filled += count
    }
    return true
  }
}
