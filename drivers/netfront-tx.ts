/**
 * Sending: frames are built in pages that stay granted (read-only) to the backend for the whole connection, so a packet costs
 * three stores into the ring and, unless the backend is awake, one notification a batch. What Linux netback punishes
 * (netif.h; drivers/net/xen-netback) cannot be said here: every slot is inside its page, a packet has an Ethernet header and at most
 * MOST_PAGES slots more, is in the ring as a whole before anything of it is shown, and there are never more slots under way than the
 * ring has: what can be reserved is not more than fits.
 *
 * A large frame, which the backend cuts into segments, begins in a usual buffer and goes on in whole pages.
 */
import type { Machine } from '@xen-ts/runtime/machine.ts'
import { CHECKSUM, COMPLETE, type Frame } from './ethernet.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOTS, SLOT_MASK } from './front-ring.ts'
import { PAGE_SIZE } from './grant-table.ts'
import type { GrantTable } from './grant-table.ts'
import { SharedPages } from './shared-pages.ts'

/** Bytes of a buffer: two share a page. */
const BUFFER_SIZE = 2048
const BUFFERS_PER_PAGE = PAGE_SIZE / BUFFER_SIZE
/** A shorter packet is not one for netback. */
const MIN_FRAME = 14
/** Whole pages of a large frame: with the first buffer 63,488 bytes, less than an IP packet may have and netback takes (18 pages). */
const MOST_PAGES = 15

const FREE = 0
const RESERVED = 1
const SENT = 2

/** Flags of a request, where they stand in its second word. */
const BLANK_CHECKSUM = (1 | 2) << 16 // csum_blank, data_validated
const MORE_DATA = 4 << 16
const EXTRA_INFO = 8 << 16
/** Extra info of type GSO, and its second word: TCPv4. */
const EXTRA_GSO = 1
const GSO_TCPV4 = 1
/** Status of a response: the slot held extra info. Its id says nothing. */
const STATUS_NULL = 1

/** What the backend does for us. */
export interface TxOffload {
  readonly checksums: boolean
  /** Pages for large frames, which the backend cuts into segments; 0 when it does not. */
  readonly pages: number
}

export class TxFrame implements Frame {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  checked?: boolean
  /** The connection it belongs to. */
  readonly sender: Transmitter
  readonly id: number
  /** First two words of its request: grant reference, and offset in the page. */
  readonly ref: number
  readonly offset: number
  state = FREE
  readonly isPage: boolean
  /** Bytes that fit, in it and what follows it. */
  room: number
  /** It has a slot for extra info. */
  grown = false
  /** The next page of a large frame. */
  more: TxFrame | undefined = undefined
  /** The next free one. */
  next: TxFrame | undefined

  constructor(sender: Transmitter, id: number, page: Uint8Array, ref: number, offset: number, size: number, next: TxFrame | undefined) {
    this.sender = sender
    this.id = id
    this.ref = ref
    this.offset = offset
    this.room = size
    this.isPage = size === PAGE_SIZE
    this.next = next
    this.u8 = page.subarray(offset, offset + size)
    this.u16 = new Uint16Array(page.buffer, page.byteOffset + offset, size / 2)
  }
}

export class Transmitter {
  readonly ringRef: number
  readonly checksums: boolean
  /** Packets the backend answered with an error. */
  errors = 0
  /** A `reserve` failed since the last frame came back. */
  starved = false
  /** The backend broke the rules: nothing it says counts any more. */
  broken = false
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  /** By their ids: buffers first, then whole pages. */
  readonly #frames: TxFrame[] = []
  readonly #onUnsent: () => void
  #free: TxFrame | undefined
  #freePages: TxFrame | undefined
  #pageCount = 0
  /** Slots for extra info that are neither reserved nor under way; and those under way. */
  #extras: number
  #extrasSent = 0
  #unsent = false
  #closed = false

  /**
   * @param count frames, at most 256
   * @param onUnsent called with the first packet after a flush: the time to arrange for the next
   */
  constructor(machine: Machine, grants: GrantTable, backend: number, count: number, offload: TxOffload, owner: string, onUnsent: () => void) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS) throw new RangeError(`${owner}: ${count} send buffers. The ring takes 2 to ${SLOTS}.`)
    this.#onUnsent = onUnsent
    this.checksums = offload.checksums
    // Each large frame has a slot for extra info besides those of its buffers.
    const large = Math.min(offload.pages, (SLOTS - count) >>> 1)
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
    const { refs, bytes } = this.#pages
    const pageAt = (page: number): Uint8Array => bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
    for (let id = 0; id < count; id++) {
      const page = Math.floor(id / BUFFERS_PER_PAGE)
      this.#free = new TxFrame(this, id, pageAt(page), refs[page], (id % BUFFERS_PER_PAGE) * BUFFER_SIZE, BUFFER_SIZE, this.#free)
      this.#frames.push(this.#free)
    }
    for (let page = shared; page < shared + large; page++) {
      this.#freePages = new TxFrame(this, this.#frames.length, pageAt(page), refs[page], 0, PAGE_SIZE, this.#freePages)
      this.#frames.push(this.#freePages)
      this.#pageCount++
    }
  }

  /** A free frame, or undefined when the backend has them all; it then tells when one comes back. */
  reserve(): TxFrame | undefined {
    const frame = this.#free ?? this.#reclaimOrWait()
    if (frame === undefined) return undefined
    this.#free = frame.next
    frame.state = RESERVED
    return frame
  }

  /** Bytes of the largest frame that `grow` can make now; 0 for none. */
  largest(): number {
    if (this.#pageCount < MOST_PAGES && this.#extrasSent > 0) this.reclaim()
    if (this.#pageCount === 0 || this.#extras === 0 || this.#closed) return 0
    return BUFFER_SIZE + PAGE_SIZE * Math.min(this.#pageCount, MOST_PAGES)
  }

  /** Makes a reserved frame one that the backend cuts, with room for `length` bytes. */
  grow(frame: TxFrame, length: number): void {
    if (frame.state !== RESERVED || frame.grown || !(length <= this.largest())) {
      throw new RangeError(`net-xen: growing a frame to ${length} bytes. Grow a reserved frame once, to ${this.largest()} bytes at most.`)
    }
    frame.grown = true
    this.#extras--
    for (let last = frame; frame.room < length; frame.room += PAGE_SIZE) {
      const page = this.#freePages as TxFrame
      this.#freePages = page.next
      this.#pageCount--
      page.state = RESERVED
      last.more = page
      last = page
    }
  }

  /** Puts a packet into the ring; `push` shows it to the backend. */
  send(frame: TxFrame, length: number, offload: number): void {
    if (!(length >= MIN_FRAME && length <= frame.room)) throw new RangeError(`net-xen: a frame of ${length} bytes. Send ${MIN_FRAME} to ${frame.room} bytes.`)
    if (offload !== COMPLETE || frame.grown) this.#checkOffload(frame, offload)
    if (frame.state !== RESERVED || this.#closed) return this.discard(frame)
    frame.state = SENT
    const { words } = this.#ring
    const slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 3
    words[slot] = frame.ref
    words[slot + 1] = offload === COMPLETE ? frame.offset : frame.offset | BLANK_CHECKSUM
    words[slot + 2] = frame.id | length << 16
    if (offload > CHECKSUM) this.#sendLarge(frame, slot, length, offload)
    if (this.#unsent) return
    this.#unsent = true
    this.#onUnsent()
  }

  discard(frame: TxFrame): void {
    if (frame.state !== RESERVED) throw new Error('net-xen: a frame was sent or discarded that had not been reserved, or twice. It belongs to the device after either.')
    if (frame.grown) this.#shrink(frame)
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
      if (response > 0xffff) this.errors++
      this.#putBack(frame)
    }
  }

  /** Whether frames are free after `reserve` had said no. */
  get relieved(): boolean {
    if (!this.starved || this.#free === undefined) return false
    this.starved = false
    return true
  }

  /** Gives the pages back; those of frames that the stack still builds in, when it hands in the last. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ringPage.release()
    this.#releaseUnlessInUse()
  }

  /** The slots behind the first of a large frame: what to do with it, then its pages. */
  #sendLarge(frame: TxFrame, first: number, length: number, segment: number): void {
    const { words } = this.#ring
    let slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 3
    words[slot] = EXTRA_GSO | segment << 16
    words[slot + 1] = GSO_TCPV4
    words[slot + 2] = 0
    this.#extrasSent++
    let flags = EXTRA_INFO
    let last = first
    let page = frame.more
    for (let rest = length - BUFFER_SIZE; rest > 0 && page !== undefined; rest -= PAGE_SIZE) {
      words[last + 1] |= flags | MORE_DATA
      flags = 0
      slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 3
      words[slot] = page.ref
      words[slot + 1] = 0
      words[slot + 2] = page.id | Math.min(rest, PAGE_SIZE) << 16
      page.state = SENT
      last = slot
      const { more }: TxFrame = page
      page.more = undefined
      page = more
    }
    words[last + 1] |= flags
    frame.more = page // what was not needed
    if (page !== undefined) this.#releasePages(frame)
    frame.room = BUFFER_SIZE
    frame.grown = false
  }

  /** Takes back what `grow` gave, of a frame that is not sent. */
  #shrink(frame: TxFrame): void {
    this.#releasePages(frame)
    this.#extras++
    frame.room = BUFFER_SIZE
    frame.grown = false
  }

  #releasePages(frame: TxFrame): void {
    for (let page = frame.more; page !== undefined;) {
      const { more }: TxFrame = page
      page.more = undefined
      this.#putBack(page)
      page = more
    }
    frame.more = undefined
  }

  #checkOffload(frame: TxFrame, offload: number): void {
    const good = this.checksums && (frame.grown ? offload > CHECKSUM && offload <= 0xffff : offload === CHECKSUM)
    if (!good) throw new RangeError(`net-xen: a frame sent with offload ${offload}, which this one cannot have. See checksums, largest and grow of the device.`)
  }

  #putBack(frame: TxFrame): void {
    frame.state = FREE
    if (frame.isPage) {
      frame.next = this.#freePages
      this.#freePages = frame
      this.#pageCount++
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
    if (this.#free === undefined && !this.#closed) {
      // Half of what is under way should be back before it is worth an event.
      const underway = this.#frames.filter(({ state }) => state === SENT).length
      if (this.#ring.responsesOrEvent(Math.max(1, underway >>> 1)) > 0) this.reclaim()
    }
    this.starved = this.#free === undefined
    return this.#free
  }
}
