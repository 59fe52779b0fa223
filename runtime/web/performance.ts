/** https://w3c.github.io/hr-time/#sec-performance ; entries are in timing.ts, in an image whose program uses them. */
import type { Abi } from '@xen-ts/boot/abi'
import { EventTarget } from './events.ts'

type Clocks = Pick<Abi, 'clockMonotonic' | 'clockWall'>

export class Performance extends EventTarget {
  readonly #clocks: Clocks

  constructor(clocks: Clocks | undefined = undefined) {
    super()
    if (clocks === undefined) throw new TypeError('Performance is not constructed; use performance')
    this.#clocks = clocks
  }

  now(): number {
    return this.#clocks.clockMonotonic()
  }
  /** Computed when asked: a snapshot has no clock, and a suspended domain wakes up later. */
  get timeOrigin(): number {
    return this.#clocks.clockWall() - this.#clocks.clockMonotonic()
  }
  toJSON(): { timeOrigin: number } {
    return { timeOrigin: this.timeOrigin }
  }
}

export const createPerformance = (abi: Clocks) => ({ Performance, performance: new Performance(abi) })
