/** https://w3c.github.io/hr-time/#sec-performance , without entries. */
import type { Abi } from '@xen-ts/boot/abi'
import { EventTarget } from './events.ts'

interface Clock {
  now(): number
  readonly timeOrigin: number
  toJSON(): { timeOrigin: number }
}

export function createPerformance(abi: Pick<Abi, 'clockMonotonic' | 'clockWall'>): { Performance: new () => Clock; performance: Clock } {
  class Performance extends EventTarget {
    now(): number {
      return abi.clockMonotonic()
    }
    /** Computed when asked: a snapshot has no clock, and a suspended domain wakes up later. */
    get timeOrigin(): number {
      return abi.clockWall() - abi.clockMonotonic()
    }
    toJSON() {
      return { timeOrigin: this.timeOrigin }
    }
  }
  return { Performance, performance: new Performance() }
}
