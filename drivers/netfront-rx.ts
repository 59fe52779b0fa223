/**
 * Receiving: pages posted to the backend, which copies a packet into each, or a large one into several. Before anybody looks at a
 * packet its pages are taken from the backend, and granted again afterwards: what was checked cannot change any more, and neither
 * step is a hypercall.
 *
 * A response stands in the slot of its request (netif.h), so the slot says which page it is about; the id has to agree.
 */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import type { Machine } from '@xen-ts/runtime/machine.ts'
import type { EventChannel } from './event-channel.ts'
import type { EthernetDevice, Frame } from './ethernet.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOTS, SLOT_MASK } from './front-ring.ts'
import { PAGE_SIZE, permitAccess } from './grant-table.ts'
import type { GrantTable } from './grant-table.ts'
import { SharedPages } from './shared-pages.ts'

const MIN_FRAME = 14

/** Flags of a response. */
const CHECKSUM_KNOWN = 1 | 2 // data_validated, csum_blank
const MORE_DATA = 4
const EXTRA_INFO = 8

/** A packet of 65,535 bytes fills 17 pages; more than these Linux' netfront takes neither. */
const MOST_SLOTS = 19
/** Extra info: type GSO and no further one behind it, in the lower half of its first word; TCPv4 in the lower byte of its second. */
const GSO_ALONE = 1
const GSO_TCPV4 = 1

/** What `receive` returns when the backend broke the rules. */
export const BROKEN = -1

class RxFrame implements Frame {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  checked = false
  filled = 0
  more: RxFrame | undefined = undefined
  readonly id: number
  readonly ref: number
  // Where its grant entry has its flags.
  readonly table: Uint8Array
  readonly flags: number
  readonly halves: Uint16Array
  readonly half: number

  constructor(page: Uint8Array, id: number, ref: number, grants: GrantTable) {
    this.u8 = page
    this.u16 = new Uint16Array(page.buffer, page.byteOffset, PAGE_SIZE / 2)
    this.id = id
    this.ref = ref
    const { bytes, offset, halves, index } = grants.flagsOf(ref)
    this.table = bytes
    this.flags = offset
    this.halves = halves
    this.half = index
  }
}

export class Receiver {
  readonly ringRef: number
  /** Packets that came with an error, or were no packets, or whose page the backend did not let go. */
  dropped = 0
  readonly #abi: Abi
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  readonly #large: boolean
  /** The page that was posted in each slot. */
  readonly #posted: RxFrame[] = []
  #closed = false
  #delivering = false

  /**
   * @param count buffers of a page, at most 256
   * @param large packets of several pages were offered to the backend
   */
  constructor(machine: Machine, grants: GrantTable, backend: number, count: number, large: boolean, owner: string) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS) throw new RangeError(`${owner}: ${count} receive buffers. The ring takes 2 to ${SLOTS}.`)
    if (large && count <= MOST_SLOTS) throw new RangeError(`${owner}: ${count} receive buffers. Large packets need ${MOST_SLOTS + 1} at least.`)
    this.#abi = machine.abi
    this.#large = large
    this.#ringPage = new SharedPages(machine, grants, 1, backend, false, owner)
    try {
      this.#pages = new SharedPages(machine, grants, count, backend, false, owner)
    } catch (error) {
      this.#ringPage.release()
      throw error
    }
    this.ringRef = this.#ringPage.refs[0]
    this.#ring = new FrontRing(machine.abi, this.#ringPage.bytes)
    for (let id = 0; id < count; id++) {
      this.#post(new RxFrame(this.#pages.bytes.subarray(id * PAGE_SIZE, (id + 1) * PAGE_SIZE), id, this.#pages.refs[id], grants))
    }
  }

  /**
   * Hands packets to `device.onReceive` and posts their buffers again, until it took `budget` responses or the packet goes on.
   * @returns how many responses it took, or BROKEN
   */
  receive(device: EthernetDevice, budget: number): number {
    const waiting = this.#ring.responses()
    if (waiting === CORRUPT) return BROKEN
    const ring = this.#ring
    const { words } = ring
    const abi = this.#abi
    let taken = 0
    this.#delivering = true
    while (taken < waiting && taken < budget) {
      const index = ring.consumed++ & SLOT_MASK
      taken++
      const slot = FIRST_SLOT + index * 2
      // Each word is read once: the backend may change it at any time.
      const first = words[slot]
      const second = words[slot + 1]
      const length = second >> 16 // signed: a negative status is an error
      const frame = this.#posted[index]
      if ((first & 0xffff) !== frame.id || (first >>> 16) + length > PAGE_SIZE) {
        this.#delivering = false
        return BROKEN
      }
      if ((second & (MORE_DATA | EXTRA_INFO)) !== 0) {
        const slots = this.#receiveLarge(device, frame, first, second, waiting - taken)
        if (slots === BROKEN) {
          this.#delivering = false
          return BROKEN
        }
        taken += slots
        if (this.#closed) break
        continue
      }
      if (length < MIN_FRAME || abi.compareExchange16(frame.table, frame.flags, permitAccess, 0) !== permitAccess) {
        this.dropped++
      } else {
        if (first > 0xffff) abi.copy(frame.u8, 0, frame.u8, first >>> 16, length)
        frame.checked = (second & CHECKSUM_KNOWN) !== 0
        device.onReceive?.(frame, length)
        if (this.#closed) break // while the packet was being looked at
        frame.halves[frame.half] = permitAccess
      }
      this.#post(frame)
    }
    this.#delivering = false
    if (this.#closed) this.#pages.release()
    return taken
  }

  /** Shows the backend the buffers that were posted since the last time. */
  flush(channel: EventChannel): void {
    if (!this.#closed && this.#ring.push()) channel.notify()
  }

  /** Asks for an event with the next packet. True when there is one already. */
  sleep(): boolean {
    return !this.#closed && this.#ring.responsesOrEvent(1) !== 0
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ringPage.release()
    if (!this.#delivering) this.#pages.release()
  }

  /**
   * A packet whose first response, which was taken already, says that it goes on or has extra info. All of it must be there: netback
   * shows whole packets only.
   * @param waiting responses behind the first
   * @returns how many more responses it took, or BROKEN
   */
  #receiveLarge(device: EthernetDevice, head: RxFrame, first: number, second: number, waiting: number): number {
    if (!this.#large) return BROKEN
    const ring = this.#ring
    const { words } = ring
    let taken = 0
    let spare: RxFrame | undefined
    if ((second & EXTRA_INFO) !== 0) {
      if (++taken > waiting) return BROKEN
      const index = ring.consumed++ & SLOT_MASK
      const slot = FIRST_SLOT + index * 2
      const info = words[slot]
      if ((info & 0xffff) !== GSO_ALONE || info >>> 16 === 0 || (words[slot + 1] & 0xff) !== GSO_TCPV4) return BROKEN
      spare = this.#posted[index]
    }
    let total = this.#take(head, first, second >> 16)
    let last = head
    for (let flags = second, slots = 1; (flags & MORE_DATA) !== 0; slots++) {
      if (++taken > waiting || slots === MOST_SLOTS) return BROKEN
      const index = ring.consumed++ & SLOT_MASK
      const slot = FIRST_SLOT + index * 2
      const id = words[slot]
      flags = words[slot + 1]
      const length = flags >> 16
      const frame = this.#posted[index]
      if ((id & 0xffff) !== frame.id || (id >>> 16) + length > PAGE_SIZE || (flags & EXTRA_INFO) !== 0) return BROKEN
      const bytes = this.#take(frame, id, length)
      total = total < 0 || bytes < 0 ? -1 : total + bytes
      last.more = frame
      last = frame
    }
    if (total < MIN_FRAME) {
      this.dropped++
    } else {
      head.checked = (second & CHECKSUM_KNOWN) !== 0
      // What fits one page is one piece for the receiver, however the backend has put it.
      const { more } = head
      if (total <= PAGE_SIZE) this.#join(head)
      device.onReceive?.(head, total)
      if (this.#closed) return taken
      head.more = more
    }
    if (spare !== undefined) this.#post(spare)
    for (let frame: RxFrame | undefined = head; frame !== undefined;) {
      const { more }: RxFrame = frame
      frame.more = undefined
      if (frame.halves[frame.half] === 0) frame.halves[frame.half] = permitAccess
      this.#post(frame)
      frame = more
    }
    return taken
  }

  /** Takes a page from the backend, with `length` bytes of a packet. Returns them, or -1 when there is no use in them. */
  #take(frame: RxFrame, first: number, length: number): number {
    frame.filled = 0
    if (length < 0 || this.#abi.compareExchange16(frame.table, frame.flags, permitAccess, 0) !== permitAccess) return -1
    if (first > 0xffff) this.#abi.copy(frame.u8, 0, frame.u8, first >>> 16, length)
    frame.filled = length
    return length
  }

  /** Copies the pieces into the first. */
  #join(head: RxFrame): void {
    for (let frame = head.more; frame !== undefined; frame = frame.more) {
      this.#abi.copy(head.u8, head.filled, frame.u8, 0, frame.filled)
      head.filled += frame.filled
    }
    head.more = undefined
  }

  #post(frame: RxFrame): void {
    const { words } = this.#ring
    const index = this.#ring.produced++ & SLOT_MASK
    const slot = FIRST_SLOT + index * 2
    this.#posted[index] = frame
    words[slot] = frame.id
    words[slot + 1] = frame.ref
  }
}
