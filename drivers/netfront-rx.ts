/**
 * Receiving: pages posted to the backend, which copies a packet into each. Before anybody looks at a packet its page is taken
 * from the backend, and granted again afterwards: what was checked cannot change any more, and neither step is a hypercall.
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
const MULTI_SLOT = 4 | 8 // more_data, extra_info: only after feature-sg and the like, which we do not offer

/** What `receive` returns when the backend broke the rules. */
export const BROKEN = -1

class RxFrame implements Frame {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  checked = false
  readonly ref: number
  posted = false
  // Where its grant entry has its flags.
  readonly table: Uint8Array
  readonly flags: number
  readonly halves: Uint16Array
  readonly half: number

  constructor(page: Uint8Array, ref: number, grants: GrantTable) {
    this.u8 = page
    this.u16 = new Uint16Array(page.buffer, page.byteOffset, PAGE_SIZE / 2)
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
  readonly #frames: RxFrame[] = []
  #closed = false
  #delivering = false

  /** @param count buffers of a page, at most 256 */
  constructor(machine: Machine, grants: GrantTable, backend: number, count: number, owner: string) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS) throw new RangeError(`${owner}: ${count} receive buffers. The ring takes 2 to ${SLOTS}.`)
    this.#abi = machine.abi
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
      this.#frames.push(new RxFrame(this.#pages.bytes.subarray(id * PAGE_SIZE, (id + 1) * PAGE_SIZE), this.#pages.refs[id], grants))
      this.#post(this.#frames[id], id)
    }
  }

  /**
   * Hands up to `budget` packets to `device.onReceive` and posts their buffers again.
   * @returns how many responses it took, or BROKEN
   */
  receive(device: EthernetDevice, budget: number): number {
    const waiting = this.#ring.responses()
    if (waiting === CORRUPT) return BROKEN
    const count = Math.min(waiting, budget)
    const { words } = this.#ring
    const abi = this.#abi
    const frames = this.#frames
    this.#delivering = true
    for (let i = 0; i < count; i++) {
      const slot = FIRST_SLOT + (this.#ring.consumed++ & SLOT_MASK) * 2
      // Each word is read once: the backend may change it at any time.
      const first = words[slot]
      const second = words[slot + 1]
      const length = second >> 16 // signed: a negative status is an error
      const frame = frames[first & 0xffff]
      if (frame === undefined || !frame.posted || (second & MULTI_SLOT) !== 0 || (first >>> 16) + length > PAGE_SIZE) {
        this.#delivering = false
        return BROKEN
      }
      frame.posted = false
      if (length < MIN_FRAME || abi.compareExchange16(frame.table, frame.flags, permitAccess, 0) !== permitAccess) {
        this.dropped++
      } else {
        if (first > 0xffff) abi.copy(frame.u8, 0, frame.u8, first >>> 16, length)
        frame.checked = (second & CHECKSUM_KNOWN) !== 0
        device.onReceive?.(frame, length)
        if (this.#closed) break // while the packet was being looked at
        frame.halves[frame.half] = permitAccess
      }
      this.#post(frame, first & 0xffff)
    }
    this.#delivering = false
    if (this.#closed) this.#pages.release()
    return count
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

  #post(frame: RxFrame, id: number): void {
    const { words } = this.#ring
    const slot = FIRST_SLOT + (this.#ring.produced++ & SLOT_MASK) * 2
    frame.posted = true
    words[slot] = id
    words[slot + 1] = frame.ref
  }
}
