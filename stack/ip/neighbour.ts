/** A host on the link, of whichever family: who keeps its MAC address up to date is the family's business (ARP: neighbours.ts). */
import type { Frame } from '@xen-ts/runtime/machine'
import type { MacWords } from '../wire/ethernet.ts'

/** How many frames wait for a neighbour's answer. */
const WAITING = 4

export class Neighbour {
  /** Where to send; undefined until the first answer. */
  mac: MacWords | undefined = undefined
  /**
   * Changes whenever `mac` does, 0 when the entry needs attention (unresolved, out of date, evicted): who keeps a frame header for
   * this neighbour compares this one number, and resolves the route again when it is 0.
   */
  version = 0
  readonly waiting: { frame: Frame; length: number; offload: number }[] = []

  /** Whether so many frames more may wait, or need not. */
  hasRoom(frames: number): boolean {
    return this.mac !== undefined || this.waiting.length + frames <= WAITING
  }

  /** Keeps a frame until the neighbour answers; its destination MAC is filled in then. False when too many wait already. */
  hold(frame: Frame, length: number, offload: number): boolean {
    return this.waiting.length < WAITING && this.waiting.push({ frame, length, offload }) > 0
  }
}
