/**
 * How many ICMP errors go out, of both families together (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)): a bucket of tokens. They answer
 * packets that anybody can send with anybody's address.
 */
import type { Timers } from '@xen-ts/runtime/machine'

/** At once, and a second from then on. */
const BURST = 50
const PER_SECOND = 100

export class ErrorLimit {
  readonly #timers: Timers
  #tokens = BURST
  #filledAt: number

  constructor(timers: Timers) {
    this.#timers = timers
    this.#filledAt = timers.now()
  }

  /** Whether one more may go out now. */
  take(): boolean {
    const now = this.#timers.now()
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * PER_SECOND) / 1000)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
