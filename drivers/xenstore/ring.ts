/**
 * The ring page between a domain and the xenstore daemon (xen/include/public/io/xs_wire.h): two byte rings of 1024 bytes,
 * requests to the daemon and responses from it. Bytes in and out; who notifies whom, and when, is the caller's.
 *
 * There are no barriers but one, as in a vchan's ring: x86 keeps stores in order, and a load before a later store (Intel SDM volume 3, memory
 * ordering). The daemon is told of every request by a hypercall; of room only when it had filled the ring, and to see that needs the barrier.
 */
import type { Abi } from '@xen-ts/boot/abi'

const RING_SIZE = 1024
const MASK = RING_SIZE - 1

// Offsets of the page, the indices as indices of a Uint32Array.
const REQUESTS = 0
const RESPONSES = 1024
const REQ_CONS = 2048 / 4
const REQ_PROD = 2052 / 4
const RSP_CONS = 2056 / 4
const RSP_PROD = 2060 / 4

/** What read and write return when the daemon's index cannot be: more than a ring's length away from ours. */
export const CORRUPT = -1

export class XenstoreRing {
  readonly #io: Pick<Abi, 'copy' | 'fence'>
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array
  // Our own indices live here; the page holds copies for the daemon, and what it does to them does not concern us.
  #produced: number
  #consumed: number
  /** What was consumed before the last time. */
  #before: number

  /** The daemon had filled the ring, and perhaps waits to be told that it has room again; the user of the ring sets it to false. */
  wasFull = false

  constructor(page: ArrayBuffer, io: Pick<Abi, 'copy' | 'fence'>) {
    this.#io = io
    this.#bytes = new Uint8Array(page)
    this.#words = new Uint32Array(page)
    this.#produced = this.#words[REQ_PROD]
    this.#consumed = this.#before = this.#words[RSP_CONS]
  }

  /** Copies bytes of a request into the ring; returns how many had room, or CORRUPT. Notify the daemon afterwards. */
  write(from: Uint8Array, offset: number, length: number): number {
    const used = (this.#produced - this.#words[REQ_CONS]) >>> 0
    if (used > RING_SIZE) return CORRUPT
    const count = Math.min(length, RING_SIZE - used)
    if (count === 0) return 0
    const position = this.#produced & MASK
    const first = Math.min(count, RING_SIZE - position)
    this.#io.copy(this.#bytes, REQUESTS + position, from, offset, first)
    if (count > first) this.#io.copy(this.#bytes, REQUESTS, from, offset + first, count - first)
    this.#produced = (this.#produced + count) >>> 0
    this.#words[REQ_PROD] = this.#produced
    return count
  }

  /**
   * Takes up to `length` bytes of what the daemon sent; returns how many there were, or CORRUPT. When there are none, or less: notify the daemon
   * if it `wasFull`. (It looks for room again when it is told, and each time is a turn of the daemon for nothing when it has nothing to write.)
   */
  read(into: Uint8Array, offset: number, length: number): number {
    // Our index must be out before the daemon's is looked at: it looks at ours after it has set its own.
    if (this.#before !== this.#consumed) this.#io.fence()
    const produced = this.#words[RSP_PROD]
    const available = (produced - this.#consumed) >>> 0
    if (available > RING_SIZE) return CORRUPT
    // Looked at after our index was out: whoever did not see it has filled the ring as it was before.
    if ((produced - this.#before) >>> 0 >= RING_SIZE) this.wasFull = true
    this.#before = this.#consumed
    const count = Math.min(length, available)
    if (count === 0) return 0
    const position = this.#consumed & MASK
    const first = Math.min(count, RING_SIZE - position)
    this.#io.copy(into, offset, this.#bytes, RESPONSES + position, first)
    if (count > first) this.#io.copy(into, offset + first, this.#bytes, RESPONSES, count - first)
    this.#consumed = (this.#consumed + count) >>> 0
    this.#words[RSP_CONS] = this.#consumed
    return count
  }
}
