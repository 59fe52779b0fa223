/**
 * Sending: frames are built in pages that stay granted (read-only) to the backend for the whole connection, so a packet costs
 * three stores into the ring and, unless the backend is awake, one notification a batch. What Linux netback punishes
 * (netif.h; drivers/net/xen-netback) cannot be said here: every slot is inside its page, a packet has an Ethernet header and at most
 * 16 slots of data, is in the ring as a whole before anything of it is shown, and there are never more slots under way than the ring has:
 * what can be reserved is not more than fits.
 *
 * A large frame, which the backend cuts into segments, has as many pages as it needs, next to each other.
 */
import { CHECKSUM, COMPLETE, type XenMachine } from '@xen-ts/runtime/machine'
import type { GrantTable } from '../grant-table.ts'
import { PAGE_SIZE } from '../grant-table.ts'
import { SharedPages } from '../shared-pages.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOT_MASK, SLOTS } from '../xenbus/front-ring.ts'
import type { NetfrontCounters } from './counters.ts'
import { GSO_TCPV4, GSO_TCPV6, type Offer } from './features.ts'
import { FREE, LargeFrames, MAX_FRAME, RESERVED, SENT, TxFrame } from './frames.ts'

/** Bytes of a buffer: two share a page. */
const BUFFER_SIZE = 2048
const BUFFERS_PER_PAGE = PAGE_SIZE / BUFFER_SIZE
/** A shorter packet is not one for netback. */
const MIN_FRAME = 14
/** Pages for large frames, 256 KiB: twice what a connection has in flight. */
const LARGE_PAGES = 64

/** Flags of a request, where they stand in its second word. */
const BLANK_CHECKSUM = (1 | 2) << 16 // csum_blank, data_validated
const MORE_DATA = 4 << 16
const EXTRA_INFO = 8 << 16
/** Extra info of type GSO; its second word is the protocol. */
const EXTRA_GSO = 1
/** Status of a response: the slot held extra info. Its id says nothing. */
const STATUS_NULL = 1

/** Where a frame has the type of its packet, as a 16-bit word, and IPv6 there. */
const ETHER_TYPE = 6
const TYPE_IPV6 = 0xdd86

export class Transmitter {
  readonly ringRef: number
  /** A `reserve` failed since the last frame came back. */
  starved = false
  /** The backend broke the rules: nothing it says counts any more. */
  broken = false
  readonly #offer: Offer
  readonly #counters: NetfrontCounters
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  /** By their ids: usual frames first, then those that begin at each page for large ones. */
  readonly #frames: TxFrame[] = []
  readonly #onUnsent: () => void
  #free: TxFrame | undefined
  readonly #large: LargeFrames
  /** Slots for extra info that are neither reserved nor under way; and those under way. */
  #extras: number
  #extrasSent = 0
  #unsent = false
  #closed = false

  /**
   * @param count frames besides the large ones, at most 256
   * @param onUnsent called with the first packet after a `push`: the time to arrange for the next
   */
  constructor(
    machine: XenMachine,
    grants: GrantTable,
    backend: number,
    count: number,
    offer: Offer,
    owner: string,
    counters: NetfrontCounters,
    onUnsent: () => void,
  ) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS)
      throw new RangeError(`${owner}: ${count} send buffers. The ring takes 2 to ${SLOTS}.`)
    this.#onUnsent = onUnsent
    this.#offer = offer
    this.#counters = counters
    // Each large frame has a slot for extra info besides those of its pages.
    const large = offer.large || offer.large6 ? Math.min(LARGE_PAGES, (SLOTS - count) >>> 1) : 0
    this.#extras = large
    this.#ringPage = new SharedPages(machine, grants, 1, backend, false, owner)
    const shared = Math.ceil(count / BUFFERS_PER_PAGE)
    try {
      this.#pages = new SharedPages(machine, grants, shared + large, backend, true, owner)
    } catch (error) {
      this.#ringPage.release()
      throw error
    }
    this.ringRef = this.#ringPage.refs[0]
    this.#ring = new FrontRing(machine.abi, this.#ringPage.bytes)
    const bytes = this.#pages.bytes
    for (let id = 0; id < count; id++) {
      const frame = new TxFrame(
        this,
        id,
        Math.floor(id / BUFFERS_PER_PAGE),
        bytes.subarray(id * BUFFER_SIZE, (id + 1) * BUFFER_SIZE),
        false,
      )
      frame.next = this.#free
      this.#free = frame
      this.#frames.push(frame)
    }
    for (let page = shared; page < shared + large; page++) {
      this.#frames.push(
        new TxFrame(this, this.#frames.length, page, bytes.subarray(page * PAGE_SIZE, page * PAGE_SIZE + MAX_FRAME + 1), true),
      )
    }
    this.#large = new LargeFrames(this.#frames.slice(count))
  }

  /**
   * A free frame, a large one when a length is given; undefined when the backend has them all. With usual ones, it then tells when
   * one comes back.
   */
  reserve(length: number): TxFrame | undefined {
    if (length !== 0) return this.#reserveLarge(length)
    const frame = this.#free ?? this.#reclaimOrWait()
    if (frame === undefined) return undefined
    this.#free = frame.next
    frame.state = RESERVED
    return frame
  }

  #reserveLarge(length: number): TxFrame | undefined {
    if (!(length > 0 && length <= MAX_FRAME))
      throw new RangeError(`net-xen: reserving a frame of ${length} bytes. There are none of more than ${MAX_FRAME}.`)
    if (length > this.#largest()) return undefined
    const frame = this.#large.take(length)!
    this.#extras--
    frame.state = RESERVED
    return frame
  }

  /** Bytes of the largest frame there is now, for TCP over the one or the other; 0 for none that the backend would cut. */
  largest(ipv6: boolean): number {
    return (ipv6 ? this.#offer.large6 : this.#offer.large) ? this.#largest() : 0
  }

  #largest(): number {
    if (this.#large.largest < MAX_FRAME && !this.#large.isUnused) this.reclaim()
    return this.#extras > 0 && !this.#closed ? this.#large.largest : 0
  }

  /** Puts a packet into the ring; `push` shows it to the backend. */
  send(frame: TxFrame, length: number, offload: number): void {
    if (!(length >= MIN_FRAME && length <= frame.room))
      throw new RangeError(`net-xen: a frame of ${length} bytes. Send ${MIN_FRAME} to ${frame.room} bytes.`)
    if (offload !== COMPLETE || frame.isLarge) this.#checkOffload(frame, offload)
    if (frame.state !== RESERVED || this.#closed) return this.#refuse(frame)
    frame.state = SENT
    frame.slots = 1
    const words = this.#ring.words
    const slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 3
    words[slot] = this.#pages.refs[frame.page]
    words[slot + 1] = offload === COMPLETE ? frame.offset : frame.offset | BLANK_CHECKSUM
    words[slot + 2] = frame.id | (length << 16)
    if (offload > CHECKSUM) this.#sendRest(frame, slot, length, offload)
    if (this.#unsent) return
    this.#unsent = true
    this.#onUnsent()
  }

  #refuse(frame: TxFrame): void {
    if (frame.state === RESERVED) this.#counters.sendLost++
    this.discard(frame)
  }

  discard(frame: TxFrame): void {
    if (frame.state !== RESERVED)
      throw new Error('net-xen: a frame was sent or discarded that had not been reserved, or twice. It belongs to the device after either.')
    if (frame.isLarge) this.#extras++
    this.#putBack(frame)
    if (this.#closed) this.#releaseUnlessInUse()
  }

  /** Shows the backend what was sent since the last time; true when it wants to be told. */
  push(): boolean {
    this.#unsent = false
    return !this.#closed && this.#ring.push()
  }

  /** Takes back what the backend is done with. */
  reclaim(): void {
    const ring = this.#ring
    const count = this.#closed ? 0 : ring.responses()
    if (count === CORRUPT) this.broken = true
    for (let i = 0; i < count; i++) {
      const response = ring.words[FIRST_SLOT + (ring.consumed++ & SLOT_MASK) * 3]
      if (response >>> 16 === STATUS_NULL && this.#extrasSent > 0) {
        this.#extrasSent--
        this.#extras++
        continue
      }
      const frame = this.#frames[response & 0xffff]
      if (frame === undefined || frame.state !== SENT) {
        this.broken = true
        return
      }
      if (response > 0xffff && frame.slots === 1) this.#counters.sendErrors++ // with its last slot
      if (--frame.slots === 0) this.#putBack(frame)
    }
  }

  /** Whether usual frames are free after `reserve` had said no. If not, an event tells again when some may be. */
  relieve(): boolean {
    if (!this.starved || this.#reclaimOrWait() === undefined) return false
    this.starved = false
    return true
  }

  /** Whether the backend holds pages that were given back. */
  get isHeld(): boolean {
    return this.#ringPage.isHeld || this.#pages.isHeld
  }

  /** Gives the pages back; those of frames that the stack still builds in, when it hands in the last. */
  close(): void {
    if (this.#closed) return
    if (!this.broken) this.reclaim() // answers are looked at when frames are needed, and some have not been
    this.#closed = true
    this.#counters.sendLost += this.#frames.filter(({ state }) => state === SENT).length
    this.#ringPage.release()
    this.#releaseUnlessInUse()
  }

  /** The slots behind the first of a large frame: what to do with it, then its further pages. */
  #sendRest(frame: TxFrame, first: number, length: number, segment: number): void {
    const ring = this.#ring
    const words = ring.words
    const refs = this.#pages.refs
    let slot = FIRST_SLOT + (ring.produced++ & SLOT_MASK) * 3
    words[slot] = EXTRA_GSO | (segment << 16)
    words[slot + 1] = frame.u16[ETHER_TYPE] === TYPE_IPV6 ? GSO_TCPV6 : GSO_TCPV4
    words[slot + 2] = 0
    this.#extrasSent++
    words[first + 1] |= length > PAGE_SIZE ? EXTRA_INFO | MORE_DATA : EXTRA_INFO
    let page = frame.page
    for (let rest = length - PAGE_SIZE; rest > 0; rest -= PAGE_SIZE) {
      slot = FIRST_SLOT + (ring.produced++ & SLOT_MASK) * 3
      words[slot] = refs[++page]
      words[slot + 1] = rest > PAGE_SIZE ? MORE_DATA : 0
      words[slot + 2] = frame.id | ((rest > PAGE_SIZE ? PAGE_SIZE : rest) << 16)
    }
    frame.slots = 1 + page - frame.page
  }

  #checkOffload(frame: TxFrame, offload: number): void {
    const { checksums, checksums6, large, large6 } = this.#offer
    const ipv6 = frame.u16[ETHER_TYPE] === TYPE_IPV6
    const good = frame.isLarge
      ? (ipv6 ? large6 : large) && offload > CHECKSUM && offload <= 0xffff
      : (ipv6 ? checksums6 : checksums) && offload === CHECKSUM
    if (!good)
      throw new RangeError(
        `net-xen: a frame sent with offload ${offload}, which this one cannot have. See checksums and largest of the device.`,
      )
  }

  #putBack(frame: TxFrame): void {
    frame.state = FREE
    if (frame.isLarge) {
      this.#large.release()
    } else {
      frame.next = this.#free
      this.#free = frame
    }
  }

  #releaseUnlessInUse(): void {
    if (this.#frames.every(({ state }) => state !== RESERVED)) this.#pages.release()
  }

  /** No event comes for a packet that was sent, so frames are taken back when they are needed. */
  #reclaimOrWait(): TxFrame | undefined {
    this.reclaim()
    while (this.#free === undefined && !this.#closed && !this.broken) {
      // Half of what is under way should be back before it is worth an event.
      const underway = this.#frames.filter(({ state }) => state === SENT).length
      if (this.#ring.responsesOrEvent(Math.max(1, underway >>> 1)) === 0) break
      this.reclaim() // large frames perhaps: then the event is to be asked for again
    }
    // That there are some again does not help who was told that there are none: they wait for the event.
    if (this.#free === undefined) this.starved = true
    return this.#free
  }
}
