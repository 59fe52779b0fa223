/**
 * Connections in TIME-WAIT, in the order in which they end. All wait equally long, so one timer for the first of them is enough; and
 * their number is bounded: the first ends early when there are too many.
 */
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import type { Connection } from './connection.ts'

/** Twice the maximum segment lifetime, in milliseconds. RFC 9293 names 2 minutes for one; 60 s for both is what Linux uses. */
const DURATION = 60_000

export class TimeWait {
  /** When each ends; a Map keeps the order of insertion. */
  readonly #ends = new Map<Connection, number>()
  readonly #timers: Timers
  readonly #now: () => number
  readonly #limit: number
  readonly #evicted: () => void
  #timer: Timer | undefined = undefined

  /** @param now milliseconds, on the clock of `timers`, or a little before it */
  constructor(timers: Timers, now: () => number, limit: number, evicted: () => void) {
    this.#timers = timers
    this.#now = now
    this.#limit = limit
    this.#evicted = evicted
  }

  get size(): number {
    return this.#ends.size
  }

  /** Adds a connection, or lets its time begin anew. */
  add(c: Connection): void {
    this.#ends.delete(c)
    if (this.#ends.size >= this.#limit) {
      for (const oldest of this.#ends.keys()) {
        this.#evicted()
        oldest.finish(undefined)
        break
      }
    }
    this.#ends.set(c, this.#now() + DURATION)
    this.#timer ??= this.#timers.set(DURATION, () => this.#expire())
  }

  remove(c: Connection): void {
    this.#ends.delete(c)
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#timers.now()
    for (const [c, end] of this.#ends) {
      if (end > now) {
        this.#timer = this.#timers.set(end - now, () => this.#expire())
        return
      }
      c.finish(undefined)
    }
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
