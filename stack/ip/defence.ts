/**
 * Somebody else on the link speaks from our address. As a server would, we keep it and say that it is ours (RFC 5227 section 2.4 (c)), but
 * not so often that two who both do so fill the link, and tell who reads the log.
 */
import type { Log, Timers } from '@xen-ts/runtime/machine'
import { formatMac, type MacWords } from '../wire/ethernet.ts'
import { formatIpv4, type Ipv4 } from '../wire/ipv4-address.ts'

/** Milliseconds between two announcements (RFC 5227 section 1.1: DEFEND_INTERVAL), and between two lines of the log. */
const DEFEND_INTERVAL = 10_000
const LOG_INTERVAL = 60_000

export class Defence {
  readonly #timers: Timers
  readonly #log: Log
  #seen = 0
  #defendedAt = -Infinity
  #loggedAt = -Infinity

  constructor({ timers, log }: { timers: Timers; log: Log }) {
    this.#timers = timers
    this.#log = log
  }

  /** There is another address, and nothing is known of it. */
  reset(): void {
    this.#seen = 0
    this.#defendedAt = this.#loggedAt = -Infinity
  }

  /** `mac` has sent from our address. True: it must hear now that it is ours. */
  mustDefend(address: Ipv4, mac: MacWords): boolean {
    const now = this.#timers.now()
    this.#seen++
    if (now - this.#loggedAt >= LOG_INTERVAL) {
      this.#loggedAt = now
      const often = this.#seen > 1 ? ` (seen ${this.#seen} times)` : ''
      this.#log.warn(`${formatIpv4(address)} is also used by ${formatMac(mac)}${often}: give one of the two another address`)
    }
    if (now - this.#defendedAt < DEFEND_INTERVAL) return false
    this.#defendedAt = now
    return true
  }
}
