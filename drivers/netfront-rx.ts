/**
 * Receiving: pages posted to the backend, which copies a packet into each. Before anybody looks at a packet its page is taken
 * from the backend, and granted again afterwards: what was checked cannot change any more, and neither step is a hypercall.
 */
import type { Machine } from '@xen-ts/runtime/machine.ts'
import type { EventChannel } from './event-channel.ts'
import type { Frame } from './ethernet.ts'
import { CORRUPT, FIRST_SLOT, FrontRing, SLOTS, SLOT_MASK } from './front-ring.ts'
import { PAGE_SIZE } from './grant-table.ts'
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

  constructor(page: Uint8Array, ref: number) {
    this.u8 = page
    this.u16 = new Uint16Array(page.buffer, page.byteOffset, PAGE_SIZE / 2)
    this.ref = ref
  }
}

export class Receiver {
  readonly ringRef: number
  /** Packets that came with an error, or were no packets, or whose page the backend did not let go. */
  dropped = 0
  readonly #machine: Machine
  readonly #grants: GrantTable
  readonly #ring: FrontRing
  readonly #ringPage: SharedPages
  readonly #pages: SharedPages
  readonly #frames: RxFrame[] = []
  #closed = false
  #delivering = false

  /** @param count buffers of a page, at most 256 */
  constructor(machine: Machine, grants: GrantTable, backend: number, count: number, owner: string) {
    if (!Number.isInteger(count) || count < 2 || count > SLOTS) throw new RangeError(`${owner}: ${count} receive buffers. The ring takes 2 to ${SLOTS}.`)
    this.#machine = machine
    this.#grants = grants
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
      this.#frames.push(new RxFrame(this.#pages.bytes.subarray(id * PAGE_SIZE, (id + 1) * PAGE_SIZE), this.#pages.refs[id]))
      this.#post(id)
    }
  }

  /**
   * Hands up to `budget` packets to `deliver` and posts their buffers again.
   * @returns how many responses it took, or BROKEN
   */
  receive(deliver: (frame: Frame, length: number) => void, budget: number): number {
    const waiting = this.#ring.responses()
    if (waiting === CORRUPT) return BROKEN
    const count = Math.min(waiting, budget)
    for (let i = 0; i < count && !this.#closed; i++) if (!this.#receiveOne(deliver)) return BROKEN
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

  #post(id: number): void {
    const ring = this.#ring
    const slot = FIRST_SLOT + (ring.produced & SLOT_MASK) * 2
    const frame = this.#frames[id]
    frame.posted = true
    ring.words[slot] = id
    ring.words[slot + 1] = frame.ref
    ring.produced = (ring.produced + 1) >>> 0
  }

  /** One response: read once, checked, used. False when it breaks the rules. */
  #receiveOne(deliver: (frame: Frame, length: number) => void): boolean {
    const ring = this.#ring
    const slot = FIRST_SLOT + (ring.consumed & SLOT_MASK) * 2
    const first = ring.words[slot]
    const second = ring.words[slot + 1]
    ring.consumed = (ring.consumed + 1) >>> 0
    const id = first & 0xffff
    const offset = first >>> 16
    const length = second >> 16 // signed: a negative status is an error
    const frame = this.#frames[id]
    if (frame === undefined || !frame.posted) return false
    if ((second & MULTI_SLOT) !== 0 || offset + length > PAGE_SIZE) return false
    frame.posted = false
    if (length < MIN_FRAME || !this.#grants.revoke(frame.ref)) {
      this.dropped++
      this.#post(id)
      return true
    }
    if (offset !== 0) this.#machine.abi.copy(frame.u8, 0, frame.u8, offset, length)
    frame.checked = (second & CHECKSUM_KNOWN) !== 0
    this.#delivering = true
    deliver(frame, length)
    this.#delivering = false
    if (this.#closed) {
      this.#pages.release() // closed while the packet was being looked at
      return true
    }
    this.#grants.restore(frame.ref)
    this.#post(id)
    return true
  }
}
