/**
 * SYN cookies (RFC 4987 section 3.6): when too many connections of a port are half open, a SYN is answered with a sequence number that
 * holds what must be remembered, and nothing is kept. Whoever acknowledges it has an address to get answers at, and is connected then.
 * Window scaling and selective acknowledgments have no room in it; those connections do without.
 *
 * From the top: 5 bits of a count of time, 3 bits for the segment size, 24 bits of a keyed hash of both, the addresses, the ports and
 * the peer's first sequence number.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { DEFAULT_MSS, LEAST_MSS, type Segment } from '../wire/tcp.ts'
import { halfSipHash } from './isn.ts'
import { portsOf } from './table.ts'

/** Milliseconds that the count of time stands still: a cookie is good for one to two of them. */
const PERIOD = 64_000
const SIZES = [LEAST_MSS, DEFAULT_MSS, 1024, 1220, 1360, 1420, 1440, 1460]

export class Cookies {
  readonly #key = new Int32Array(2)
  #lastMade = -Infinity

  /** Draws the secret: call this at boot, never for a snapshot. */
  constructor(abi: HostFunctions) {
    abi.random(new Uint8Array(this.#key.buffer))
  }

  /** The first sequence number for the answer to the SYN `s`; `now` in milliseconds. */
  make(route: Route, s: Segment, now: number): number {
    this.#lastMade = now
    const offered = s.mss === 0 ? DEFAULT_MSS : s.mss
    let size = SIZES.length - 1
    while (size > 0 && SIZES[size] > offered) size--
    return this.#cookie(route, s, s.sequence, Math.floor(now / PERIOD), size)
  }

  /** Whether a cookie may be on its way that is still good. */
  areOut(now: number): boolean {
    return now - this.#lastMade < 2 * PERIOD
  }

  /** The segment size of the SYN whose cookie is acknowledged by `s`, in bytes; 0 when it acknowledges none that is good. */
  check(route: Route, s: Segment, now: number): number {
    const cookie = (s.acknowledgment - 1) | 0
    const size = (cookie >>> 24) & 7
    const count = Math.floor(now / PERIOD)
    for (let age = 0; age < 2; age++) {
      if (cookie === this.#cookie(route, s, (s.sequence - 1) | 0, count - age, size)) return SIZES[size]
    }
    return 0
  }

  #cookie(route: Route, s: Segment, first: number, count: number, size: number): number {
    const message = [...route.words, portsOf(s.localPort, s.remotePort), first, (count << 3) | size]
    return (count << 27) | (size << 24) | (halfSipHash(this.#key[0], this.#key[1], message) & 0xffffff)
  }
}
