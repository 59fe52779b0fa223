/**
 * SYN cookies (RFC 4987 section 3.6): when too many connections of a port are half open, a SYN is answered with a sequence number that
 * holds what must be remembered, and nothing is kept. Whoever acknowledges it has an address to get answers at, and is connected then.
 * Window scaling and selective acknowledgments have no room in it: they go into the low bits of our timestamp, which the client echoes.
 * Connections without timestamps do without them.
 *
 * From the top: 5 bits of a count of time, 3 bits for the segment size, 24 bits of a keyed hash of both, the addresses, the ports and
 * the peer's first sequence number.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { DEFAULT_MSS, LEAST_MSS, type Segment, type SynOptions } from '../wire/tcp.ts'
import { KeyedHash } from './isn.ts'
import { mssOf } from './segments.ts'
import { portsOf } from './table.ts'

/** Milliseconds that the count of time stands still: a cookie is good for one to two of them. */
const PERIOD = 64_000
const SIZES = [LEAST_MSS, DEFAULT_MSS, 1024, 1220, 1360, 1420, 1440, 1460]

/** Low bits of the timestamp of a cookie: 4 of the client's window scale, NO_SCALE for none, and one of whether it takes SACK. */
const OPTION_BITS = 0x1f
const NO_SCALE = 15
const SACK_BIT = 16

/** The options of the answer to the SYN `s`: those that its acknowledgment will remember. `shift` is our window scale, `stamp` the timestamp of now. */
export function cookieOptions(route: Route, s: Segment, shift: number, stamp: number): SynOptions {
  const mss = mssOf(route, route.mtu)
  if (!s.stamped) return { mss, scale: -1, sack: false, stamps: undefined }
  const bits = (s.scale < 0 ? NO_SCALE : s.scale) | (s.sack ? SACK_BIT : 0)
  // Not later than now: the stamps of a connection never go back.
  const low = (stamp & OPTION_BITS) < bits ? stamp - OPTION_BITS - 1 : stamp
  return { mss, scale: s.scale < 0 ? -1 : shift, sack: s.sack, stamps: [(low & ~OPTION_BITS) | bits, s.stamp] }
}

/**
 * What the client of a cookie offered, by the acknowledgment `s` of it. Nothing proves these bits; but a client that changes them harms only
 * its own connection.
 */
export function offeredOptions(s: Segment): { scale: number; sack: boolean } {
  if (!s.stamped) return { scale: -1, sack: false }
  const scale = s.echo & NO_SCALE
  return { scale: scale === NO_SCALE ? -1 : scale, sack: (s.echo & SACK_BIT) !== 0 }
}

export class Cookies {
  readonly #hash: KeyedHash
  #lastMade = -Infinity

  constructor(abi: HostFunctions) {
    this.#hash = new KeyedHash(abi)
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
    const hash = this.#hash.of(route.words, portsOf(s.localPort, s.remotePort), first, (count << 3) | size)
    return (count << 27) | (size << 24) | (hash & 0xffffff)
  }
}
