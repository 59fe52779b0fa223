/**
 * Timestamps (RFC 7323): our clock as a peer sees it, the check that keeps segments of an older turn of the sequence numbers out (PAWS),
 * and the round-trip time where Karn's rule leaves none. Nearly every segment has the same stamp as the one before, or the next: what
 * is done for those stands in input.ts and segments.ts.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { swap16 } from '../wire/ethernet.ts'
import { RST, type Segment, SYN } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { KeyedHash } from './isn.ts'
import { portsOf } from './table.ts'

/** No stamp, which is an int32. */
const NOTHING = NaN
const NO_HEADER = new Uint16Array(0)

/** Those of one connection: what is added to our clock, and the peer's stamp to echo, as a number and as it stands in frames. */
export class Stamps {
  readonly offset: number
  recent = 0
  high = 0
  low = 0
  /** The oldest stamp that counts: see isTimely. Then a later one, to take its place, and the sequence number that was expected next then. */
  floor = 0
  #next = 0
  #nextAt = 0
  /** The words of the connection's header template, and our stamp that stands in it; NOTHING when the template is not up to date. */
  header: Uint16Array = NO_HEADER
  sent = NOTHING

  constructor(offset: number) {
    this.offset = offset
  }

  /** The first stamp of the peer, or the first after so long that older ones say nothing. `at`: the sequence number that is expected next. */
  begin(s: Pick<Segment, 'stamp' | 'stampHigh' | 'stampLow'>, at: number): void {
    this.floor = this.#next = s.stamp
    this.#nextAt = at
    this.remember(s, at)
  }

  /** Remembers a stamp, which is not older than the last one, to echo it. `at`: the sequence number that is expected next. */
  remember(s: Pick<Segment, 'stamp' | 'stampHigh' | 'stampLow'>, at: number): void {
    if (((at - this.#nextAt) | 0) >= GENERATION) {
      this.floor = this.#next
      this.#next = s.stamp
      this.#nextAt = at
    }
    this.recent = s.stamp
    this.high = s.stampHigh
    this.low = s.stampLow
    this.sent = NOTHING
  }

  /** Writes both stamps into the template, which is copied into each segment: they change once a millisecond at most. */
  write(stamp: number, at: number): void {
    this.sent = stamp
    this.header[at] = swap16(stamp >>> 16)
    this.header[at + 1] = swap16(stamp & 0xffff)
    this.header[at + 2] = this.high
    this.header[at + 3] = this.low
  }
}

/** Bytes received before a later stamp takes the place of the oldest that counts. */
const GENERATION = 2 ** 29

/** Milliseconds of silence after which a stamp may have gone round, at a thousand ticks a second (section 5.5). */
const OUTDATED = 24 * 86_400_000

/**
 * What is added to the clock of milliseconds: a keyed hash of the connection's name. So stamps do not tell how long this machine has been up, or
 * that two connections end at it (section 7.1), and a later connection of the same name has later ones, as RFC 6191 needs.
 */
export class StampOffsets {
  readonly #hash: KeyedHash

  constructor(abi: HostFunctions) {
    this.#hash = new KeyedHash(abi)
  }

  of(route: Route, localPort: number, remotePort: number): number {
    return this.#hash.of(route.words, portsOf(localPort, remotePort))
  }
}

/**
 * Whether a segment of a connection with timestamps may be looked at; `s.stamp` is not the one of last time. Resets are believed without
 * (section 5.2), and a SYN is asked about (RFC 5961); other segments must have a stamp (section 3.2), and not an older one, unless the old one is too old to compare.
 *
 * Older than what? A segment that was sent again has a later stamp than those that were sent with it at first, and those that it overtakes
 * would have to be sent again too. What must be kept out is what was sent a turn of the sequence numbers ago (section 5.1). So a stamp may
 * be as old as one that was the last when less than a quarter of a turn was still to come: what was sent since then has its right place
 * by its number alone, whatever the peer's clock counts. (Linux lets pass what is one tick older.)
 */
export function isTimely(c: Connection, stamps: Stamps, s: Segment, now: number): boolean {
  if ((s.flags & (RST | SYN)) !== 0) return true
  if (!s.stamped) return false
  return ((s.stamp - stamps.recent) | 0) >= 0 || ((s.stamp - stamps.floor) | 0) >= 0 || now - c.heardAt > OUTDATED
}

/** The stamp of an acceptable segment that does not begin behind a hole (section 4.3) and has another than the last one. */
export function takeStamp(c: Connection, stamps: Stamps, s: Segment, now: number): void {
  if (((s.stamp - stamps.recent) | 0) >= 0) stamps.remember(s, c.rcvNxt)
  else if (now - c.heardAt > OUTDATED) stamps.begin(s, c.rcvNxt)
}

/**
 * A sample of the round-trip time of what was retransmitted, which Karn's rule forbids without stamps. Only when it is the last retransmission
 * that is echoed: when our first transmission had arrived and its acknowledgment was lost, the echo is older, and its age is our own timeout,
 * which would feed itself.
 */
export function sampleEcho(c: Connection, { offset }: Stamps, s: Segment, now: number): void {
  if (!s.stamped) return
  const time = (now + offset - s.echo) | 0
  if (time >= 0 && time <= now - c.lastSent + 1) c.roundTrip.sample(time)
}
