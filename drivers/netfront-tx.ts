/**
 * Sending: frames are built in pages that stay granted (read-only) to the backend for the whole connection, so a packet costs
 * three stores into the ring and, unless the backend is awake, one notification a batch. What Linux netback punishes
 * (netif.h; drivers/net/xen-netback) cannot be said here: one slot a packet, inside one page, at least an Ethernet header long,
 * and never more than there are slots.
 */
import type { Machine } from '@xen-ts/runtime/machine.ts'
import type { EventChannel } from './event-channel.ts'
import type { Frame } from './ethernet.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOTS, SLOT_MASK } from './front-ring.ts'
import { PAGE_SIZE } from './grant-table.ts'
import type { GrantTable } from './grant-table.ts'
import { SharedPages } from './shared-pages.ts'

/** Bytes of a buffer: two share a page. */
const BUFFER_SIZE = 2048
const BUFFERS_PER_PAGE = PAGE_SIZE / BUFFER_SIZE
/** A shorter packet is not one for netback. */
const MIN_FRAME = 14

const FREE = 0
const RESERVED = 1
const SENT = 2

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
  /** The next free one. */
  next: TxFrame | undefined

  constructor(sender: Transmitter, id: number, page: Uint8Array, ref: number, offset: number, next: TxFrame | undefined) {
    this.sender = sender
    this.id = id
    this.ref = ref
    this.offset = offset
    this.next = next
    this.u8 = page.subarray(offset, offset + BUFFER_SIZE)
    this.u16 = new Uint16Array(page.buffer, page.byteOffset + offset, BUFFER_SIZE / 2)
  }
}

export class Transmitter {
  readonly ringRef: number
  /** Packets the backend answered with an error. */
  errors = 0
  /** A `reserve` failed since the last frame came back. */
  starved = false
  /** The backend broke the rules: nothing it says counts any more. */
  broken = false
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  readonly #frames: TxFrame[] = []
  readonly #onUnsent: () => void
  #free: TxFrame | undefined
  #unsent = false
  #closed = false

  /**
   * @param count frames, at most 256
   * @param onUnsent called with the first packet after a flush: the time to arrange for the next
   */
  constructor(machine: Machine, grants: GrantTable, backend: number, count: number, owner: string, onUnsent: () => void) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS) throw new RangeError(`${owner}: ${count} send buffers. The ring takes 2 to ${SLOTS}.`)
    this.#onUnsent = onUnsent
    this.#ringPage = new SharedPages(machine, grants, 1, backend, false, owner)
    try {
      this.#pages = new SharedPages(machine, grants, Math.ceil(count / BUFFERS_PER_PAGE), backend, true, owner)
    } catch (error) {
      this.#ringPage.release()
      throw error
    }
    this.ringRef = this.#ringPage.refs[0]
    this.#ring = new FrontRing(machine.abi, this.#ringPage.bytes)
    for (let id = 0; id < count; id++) {
      const page = Math.floor(id / BUFFERS_PER_PAGE)
      const bytes = this.#pages.bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
      this.#free = new TxFrame(this, id, bytes, this.#pages.refs[page], (id % BUFFERS_PER_PAGE) * BUFFER_SIZE, this.#free)
      this.#frames.push(this.#free)
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

  /** Puts a packet into the ring; `flush` shows it to the backend. */
  send(frame: TxFrame, length: number): void {
    if (!(length >= MIN_FRAME && length <= BUFFER_SIZE)) throw new RangeError(`net-xen: a frame of ${length} bytes. Send ${MIN_FRAME} to ${BUFFER_SIZE} bytes.`)
    if (frame.state !== RESERVED || this.#closed) return this.discard(frame)
    frame.state = SENT
    const { words } = this.#ring
    const slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 3
    words[slot] = frame.ref
    words[slot + 1] = frame.offset // flags, in the upper half, are 0
    words[slot + 2] = frame.id | length << 16
    if (this.#unsent) return
    this.#unsent = true
    this.#onUnsent()
  }

  discard(frame: TxFrame): void {
    if (frame.state !== RESERVED) throw new Error('net-xen: a frame was sent or discarded that had not been reserved, or twice. It belongs to the device after either.')
    this.#putBack(frame)
    if (this.#closed) this.#releaseUnlessInUse()
  }

  /** Shows the backend what was sent since the last time. */
  flush(channel: EventChannel): void {
    this.#unsent = false
    if (!this.#closed && this.#ring.push()) channel.notify()
  }

  /** Takes back what the backend is done with. */
  reclaim(): void {
    const ring = this.#ring
    const count = this.#closed ? 0 : ring.responses()
    if (count === CORRUPT) this.broken = true
    for (let i = 0; i < count; i++) {
      const response = ring.words[FIRST_SLOT + (ring.consumed++ & SLOT_MASK) * 3]
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

  #putBack(frame: TxFrame): void {
    frame.state = FREE
    frame.next = this.#free
    this.#free = frame
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
