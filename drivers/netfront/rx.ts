/**
 * Receiving: pages that stay granted to the backend for the whole connection. It copies a packet into one of them, or a large one
 * into several; we copy it out, into memory that nobody else has, before anybody looks at it. What was checked cannot change any
 * more, a packet is in one piece, and neither needs a hypercall. (A copy is cheaper than taking a page from the backend and giving it
 * back: each step of the engine costs more than a hundred bytes.)
 *
 * Responses come in the order of the requests, each in the slot of its request (netif.h). Buffers are posted in the order in which
 * they come back, so the number of a request says which buffer it is about; the id in the response has to agree.
 */
import type { Abi } from '@xen-ts/boot/abi'
import type { EthernetDevice, Frame, XenMachine } from '@xen-ts/runtime/machine'
import type { GrantTable } from '../grant-table.ts'
import { PAGE_SIZE } from '../grant-table.ts'
import { SharedPages } from '../shared-pages.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOT_MASK, SLOTS } from '../xenbus/front-ring.ts'
import type { Accepted } from './features.ts'

const MIN_FRAME = 14
/** Of all its pieces: XEN_NETIF_MAX_TX_SIZE of netif.h. */
const MAX_FRAME = 0xffff

/** Flags of a response. */
const CHECKSUM_KNOWN = 1 | 2 // data_validated, csum_blank
const MORE_DATA = 4
const EXTRA_INFO = 8

/** A packet of 65,535 bytes fills 17 pages; more than these Linux' netfront takes neither. */
const MOST_SLOTS = 19
/** Extra info: type GSO and no further one behind it, in the lower half of its first word; the protocol in the lower byte of its second. */
const GSO_ALONE = 1

/** Length of a packet with a piece that failed. */
const FAILED = -1

/** What `receive` returns when the backend broke the rules. */
export const BROKEN = -1

class RxFrame implements Frame {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  checked = false
  segment = 0

  constructor(size: number) {
    this.u8 = new Uint8Array(size)
    this.u16 = new Uint16Array(this.u8.buffer)
  }
}

export class Receiver {
  readonly ringRef: number
  /** Packets that came with an error, or were no packets. */
  dropped = 0
  readonly #abi: Abi
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  readonly #accepted: Accepted
  /** Every packet, one after the other. */
  readonly #frame: RxFrame
  #closed = false

  /** @param count buffers of a page, at most 256 */
  constructor(machine: XenMachine, grants: GrantTable, backend: number, count: number, accepted: Accepted, owner: string) {
    const { large } = accepted
    if (!Number.isInteger(count) || count < 2 || count > SLOTS)
      throw new RangeError(`${owner}: ${count} receive buffers. The ring takes 2 to ${SLOTS}.`)
    if (large && count <= MOST_SLOTS)
      throw new RangeError(`${owner}: ${count} receive buffers. Large packets need ${MOST_SLOTS + 1} at least.`)
    this.#abi = machine.abi
    this.#accepted = accepted
    this.#frame = new RxFrame(large ? MOST_SLOTS * PAGE_SIZE : PAGE_SIZE)
    this.#ringPage = new SharedPages(machine, grants, 1, backend, false, owner)
    try {
      this.#pages = new SharedPages(machine, grants, count, backend, false, owner)
    } catch (error) {
      this.#ringPage.release()
      throw error
    }
    this.ringRef = this.#ringPage.refs[0]
    this.#ring = new FrontRing(machine.abi, this.#ringPage.bytes)
    for (let id = 0; id < count; id++) this.#post(id)
  }

  /**
   * Hands packets to `device.onReceive` and posts their buffers again, until it took `budget` responses and the packet they end in.
   * @returns how many responses it took, or BROKEN
   */
  receive(device: EthernetDevice, budget: number): number {
    const ring = this.#ring
    const waiting = ring.responses()
    if (waiting === CORRUPT) return BROKEN
    const { words } = ring
    const { refs, bytes } = this.#pages
    const count = refs.length
    const frame = this.#frame
    const abi = this.#abi
    let taken = 0
    while (taken < waiting && taken < budget) {
      const id = ring.consumed % count
      const slot = FIRST_SLOT + (ring.consumed++ & SLOT_MASK) * 2
      taken++
      // Each word is read once: the backend may change it at any time.
      const first = words[slot]
      const second = words[slot + 1]
      const offset = first >>> 16
      let length = second >> 16 // signed: a negative status is an error
      if ((first & 0xffff) !== id || offset + length > PAGE_SIZE) return BROKEN
      if (length > 0) abi.copy(frame.u8, 0, bytes, id * PAGE_SIZE + offset, length)
      this.#post(id)
      frame.segment = 0
      if ((second & (MORE_DATA | EXTRA_INFO)) !== 0) {
        const slots = this.#takeRest(second, waiting - taken)
        if (slots === BROKEN) return BROKEN
        taken += slots
        length = this.#length
      }
      if (length < MIN_FRAME) {
        this.dropped++
        continue
      }
      frame.checked = (second & CHECKSUM_KNOWN) !== 0
      device.onReceive?.(frame, length)
      if (this.#closed) break // while the packet was being looked at
    }
    return taken
  }

  /** Shows the backend the buffers that were posted since the last time; true when it waits for them. */
  push(): boolean {
    return !this.#closed && this.#ring.push()
  }

  /** Asks for an event with the next packet. True when there is one already. */
  sleep(): boolean {
    return !this.#closed && this.#ring.responsesOrEvent(1) !== 0
  }

  /** Whether the backend holds pages that were given back. */
  get isHeld(): boolean {
    return this.#ringPage.isHeld || this.#pages.isHeld
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ringPage.release()
    this.#pages.release()
  }

  /** Bytes of the packet that `#takeRest` took, or less than those of any when it came with an error. */
  #length = 0

  /**
   * The rest of a packet whose first response, which was taken already, says that it goes on or has extra info. All of it must be
   * there: netback shows whole packets only.
   * @param flags second word of the first response
   * @param waiting responses behind the first
   * @returns how many more responses it took, or BROKEN
   */
  #takeRest(flags: number, waiting: number): number {
    const large = this.#accepted.large
    const protocols = this.#accepted.protocols
    if (!large) return BROKEN
    const ring = this.#ring
    const words = ring.words
    const refs = this.#pages.refs
    const bytes = this.#pages.bytes
    const count = refs.length
    const u8 = this.#frame.u8
    let total = flags >> 16
    let taken = 0
    if ((flags & EXTRA_INFO) !== 0) {
      if (++taken > waiting) return BROKEN
      const id = ring.consumed % count
      const slot = FIRST_SLOT + (ring.consumed++ & SLOT_MASK) * 2
      const info = words[slot]
      const protocol = words[slot + 1] & 0xff
      if ((info & 0xffff) !== GSO_ALONE || info >>> 16 === 0 || protocol === 0 || protocol > protocols) return BROKEN
      this.#frame.segment = info >>> 16
      this.#post(id) // it was not used
    }
    for (let slots = 1; (flags & MORE_DATA) !== 0; slots++) {
      if (++taken > waiting || slots === MOST_SLOTS) return BROKEN
      const id = ring.consumed % count
      const slot = FIRST_SLOT + (ring.consumed++ & SLOT_MASK) * 2
      const first = words[slot]
      flags = words[slot + 1]
      const offset = first >>> 16
      const length = flags >> 16
      if ((first & 0xffff) !== id || offset + length > PAGE_SIZE || (flags & EXTRA_INFO) !== 0) return BROKEN
      if (length < 0) total = FAILED
      else if (total >= 0) {
        this.#abi.copy(u8, total, bytes, id * PAGE_SIZE + offset, length)
        total += length
      }
      this.#post(id)
    }
    this.#length = total > MAX_FRAME ? FAILED : total
    return taken
  }

  #post(id: number): void {
    const words = this.#ring.words
    const slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 2
    words[slot] = id
    words[slot + 1] = this.#pages.refs[id]
  }
}
