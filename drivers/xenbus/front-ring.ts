/**
 * The frontend's end of a ring of requests and responses (xen/include/public/io/ring.h): a page with four indices and 256 slots
 * that requests and responses share. Free-running u32 indices; what the backend says is believed as far as it is possible.
 */
import type { Abi } from '@xen-ts/boot/abi'

const REQ_PROD = 0
const REQ_EVENT = 1
const RSP_PROD = 2
const RSP_EVENT = 3

/** u32 index of the first slot. */
export const FIRST_SLOT = 16
export const SLOTS = 256
export const SLOT_MASK = SLOTS - 1

/** What `responses` returns when the backend claims more responses than there were requests. */
export const CORRUPT = -1

export class FrontRing {
  /** The page. Slots are written and read by the ring's user, each word once. */
  readonly words: Uint32Array
  // Both only ever count up, by one a packet: 2^53 of them last for longer than the machine. In the page they are modulo 2^32.
  /** Requests written so far, published or not. */
  produced = 0
  /** Responses taken so far. */
  consumed = 0
  readonly #abi: Pick<Abi, 'fence'>
  #published = 0

  constructor(abi: Pick<Abi, 'fence'>, page: Uint8Array) {
    this.#abi = abi
    this.words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4)
    this.words[REQ_EVENT] = 1
    this.words[RSP_EVENT] = 1
  }

  /** Publishes the requests written since the last time; true when the backend asked to be notified of one of them. */
  push(): boolean {
    const { words, produced } = this
    const count = produced - this.#published
    if (count === 0) return false
    this.#published = produced
    words[REQ_PROD] = produced
    this.#abi.fence() // the index is out before we look whether the backend sleeps
    return (produced - words[REQ_EVENT]) >>> 0 < count
  }

  /** Responses that wait to be taken, or CORRUPT. */
  responses(): number {
    const count = (this.words[RSP_PROD] - this.consumed) >>> 0
    return count > this.#published - this.consumed ? CORRUPT : count
  }

  /** The same before going to sleep: asks for an event with the response after `ahead` more, then looks once again. */
  responsesOrEvent(ahead: number): number {
    this.words[RSP_EVENT] = this.consumed + ahead
    this.#abi.fence()
    return this.responses()
  }
}
