/** A host on the link, of whichever family: who keeps its MAC address up to date is the family's business (ARP: neighbours.ts). */
import type { Frame } from '@xen-ts/runtime/machine'
import type { MacWords } from '../wire/ethernet.ts'

/** How many frames wait for a neighbour's answer, and for all of one link: who asks from many addresses must not use up the device's frames. */
const WAITING = 4
const WAITING_IN_ALL = 32

export interface WaitingFrames {
  count: number
}

export class Neighbour {
  /** Where to send; undefined until the first answer. */
  mac: MacWords | undefined = undefined
  /**
   * Changes whenever `mac` does, 0 when the entry needs attention (unresolved, out of date, evicted): who keeps a frame header for
   * this neighbour compares this one number, and resolves the route again when it is 0.
   */
  version = 0
  readonly #waiting: { frame: Frame; length: number; offload: number }[] = []
  readonly #all: WaitingFrames

  /** @param all counts those of all neighbours on the link */
  constructor(all: WaitingFrames = { count: 0 }) {
    this.#all = all
  }

  /** Whether so many frames more may wait, or need not. */
  hasRoom(frames: number): boolean {
    return this.mac !== undefined || (this.#waiting.length + frames <= WAITING && this.#all.count + frames <= WAITING_IN_ALL)
  }

  /** Keeps a frame until the neighbour answers; its destination MAC is filled in then. False when too many wait already. */
  hold(frame: Frame, length: number, offload: number): boolean {
    if (this.#waiting.length >= WAITING || this.#all.count >= WAITING_IN_ALL) return false
    this.#all.count++
    this.#waiting.push({ frame, length, offload })
    return true
  }

  /** Gives out what waits. */
  release(): { frame: Frame; length: number; offload: number }[] {
    this.#all.count -= this.#waiting.length
    return this.#waiting.splice(0)
  }
}
