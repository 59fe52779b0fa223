import { BETA, Cubic } from './cubic.ts'
import { SlowStart } from './slow-start.ts'

/**
 * How many segments of a slow start's growth one acknowledgment counts for at most: L of RFC 3465. Two, as there, and eight, which RFC 9406
 * section 4.2 gives for senders that do not pace, take no notice of peers that acknowledge a large packet at a time, as all do that get it uncut from
 * the same host, or joined by their device. These are the segments of 64 KiB.
 */
const SLOW_START_SEGMENTS = 45

/** What was before a loss, and what speaks for that it was none: all that was sent again for it had arrived already. */
interface Before {
  readonly window: number
  readonly threshold: number
  readonly cubic: Cubic | undefined
  /** From this sequence number on. */
  readonly from: number
  /** Bytes that were sent again, without those that the peer says it had. */
  resent: number
}

/**
 * Congestion control: slow start (RFC 5681) by bytes acknowledged (RFC 3465) with an end before the loss (slow-start.ts), congestion
 * avoidance by CUBIC (cubic.ts), initial window of ten segments (RFC 6928). Recovery is by RACK (recovery.ts) with peers that acknowledge
 * selectively, with others by fast retransmit and NewReno's fast recovery (RFC 6582) with limited transmit (RFC 3042). A reduction that was
 * not needed is undone when the peer says that all of it arrived twice (RFC 3708; RFC 9438 section 4.9).
 */
export class Congestion {
  /** Bytes that may be in flight. */
  declare window: number
  /** What limited transmit allows beyond it. */
  declare extra: number
  declare isRecovering: boolean
  declare private threshold: number
  declare private segment: number
  declare private duplicates: number
  /** In recovery: it is known what is in flight, so acknowledgments do not move the window. */
  declare private selective: boolean
  /** Last sequence number that was sent when the last loss was seen (RFC 6582). */
  declare private recover: number
  /** Made when they are needed: most connections never fill a window. */
  declare private slowStart: SlowStart | undefined
  declare private cubic: Cubic | undefined
  declare private before: Before | undefined

  constructor(mss: number, initialSequence: number) {
    this.segment = mss
    this.recover = initialSequence
    this.window = this.initial()
  }

  static {
    // What few change is none's own until then.
    Object.assign(Congestion.prototype, {
      extra: 0,
      isRecovering: false,
      threshold: 0x7fffffff,
      duplicates: 0,
      selective: false,
      slowStart: undefined,
      cubic: undefined,
      before: undefined,
    })
  }

  initial(): number {
    return Math.min(10 * this.segment, Math.max(2 * this.segment, 14_600))
  }

  /** Path MTU or the peer's SYN changed the segment size. */
  set mss(mss: number) {
    if (this.window === this.initial()) {
      this.segment = mss
      this.window = this.initial()
    }
    this.segment = mss
  }

  /**
   * `bytes` more were acknowledged at `now`, up to `acknowledgment`; `flight` are still out, the round-trip time is `smoothed`. True: send the
   * first segment again.
   */
  acknowledged(bytes: number, acknowledgment: number, flight: number, now: number, smoothed: number): boolean {
    this.extra = 0
    this.duplicates = 0
    if (this.isRecovering) {
      if (((acknowledgment - this.recover) | 0) > 0) {
        this.isRecovering = false
        this.window = Math.min(this.threshold, Math.max(flight, this.segment) + this.segment)
        return false
      }
      if (this.selective) return false
      // A partial acknowledgment: the segment behind it is lost as well.
      this.window = Math.max(this.window - bytes, 0) + this.segment
      return true
    }
    // A window that was not used says nothing about the network, so it does not grow (RFC 7661).
    if (2 * (flight + bytes) < this.window) return false
    const mss = this.segment
    if (this.window < this.threshold) {
      const most = SLOW_START_SEGMENTS * mss
      const growth = bytes < most ? bytes : most
      this.window += this.slowStart === undefined ? growth : (growth / this.slowStart.divisor) | 0
    } else {
      this.cubic ??= new Cubic()
      this.window = (mss * this.cubic.grow(this.window / mss, bytes / mss, now / 1000, smoothed / 1000)) | 0
    }
    return false
  }

  /** A round trip took `time` milliseconds; all before `una` was acknowledged, all before `max` sent. */
  roundTrip(time: number, una: number, max: number): void {
    if (this.window >= this.threshold) return
    this.slowStart ??= new SlowStart(max)
    if (this.slowStart.sample(time, una, max)) this.threshold = this.window
  }

  /** A duplicate acknowledgment came from a peer that does not acknowledge selectively. True: send the first segment again. `last` is the last sequence number sent. */
  duplicate(acknowledgment: number, flight: number, last: number): boolean {
    this.duplicates++
    if (this.isRecovering) {
      this.window += this.segment
      return false
    }
    if (this.duplicates < 3) {
      this.extra = this.duplicates * this.segment
      return false
    }
    if (this.duplicates > 3 || !this.begin(acknowledgment, flight, last)) return false
    this.selective = false
    this.window = this.threshold + 3 * this.segment
    return true
  }

  /** Something is lost, says the peer selectively. True when a recovery begins: once for what was under way. */
  lossSeen(acknowledgment: number, flight: number, last: number): boolean {
    if (this.isRecovering || !this.begin(acknowledgment, flight, last)) return false
    this.selective = true
    this.window = this.threshold
    return true
  }

  private begin(acknowledgment: number, flight: number, last: number): boolean {
    if (((acknowledgment - this.recover) | 0) <= 0) return false
    this.extra = 0
    this.isRecovering = true
    this.recover = last
    this.remember(acknowledgment)
    this.reduce(flight)
    return true
  }

  private remember(from: number): void {
    this.before = { window: this.window, threshold: this.threshold, cubic: this.cubic?.copy(), from, resent: 0 }
  }

  /** `bytes` were sent again. */
  resent(bytes: number): void {
    if (this.before !== undefined) this.before.resent += bytes
  }

  /** The peer had `bytes` up to `end` when they came again. True when by that the last reduction was wrong, and is undone. */
  arrivedTwice(bytes: number, end: number): boolean {
    const before = this.before
    if (before === undefined || before.resent === 0) return false
    if (((end - before.from) | 0) <= 0 || ((end - this.recover) | 0) > 1) return false // not of what was sent again
    before.resent -= bytes
    if (before.resent > 0) return false
    this.before = undefined
    this.isRecovering = false
    this.threshold = before.threshold
    this.cubic = before.cubic
    if (this.window < before.window) this.window = before.window
    return true
  }

  /** A loss was seen and is mended already: the end of what was sent, by a probe (RFC 8985 section 7.4.2). */
  lossMended(): void {
    if (this.isRecovering) return
    this.reduce(this.window)
    this.window = this.threshold
  }

  /** RFC 9438 section 4.6. */
  private reduce(flight: number): void {
    this.cubic ??= new Cubic()
    this.cubic.lost(Math.min(this.window, Math.max(flight, this.segment)) / this.segment)
    this.threshold = Math.max((BETA * flight) | 0, 2 * this.segment)
  }

  /** The retransmission timer expired; `again`: not for the first time for this segment (RFC 5681 section 3.1). */
  timedOut(acknowledgment: number, flight: number, last: number, again: boolean): void {
    if (again) this.cubic?.begin()
    else {
      if (!this.isRecovering) this.remember(acknowledgment)
      this.reduce(flight)
    }
    this.window = this.segment
    this.extra = 0
    this.duplicates = 0
    this.isRecovering = false
    this.recover = last
  }

  /** Nothing was sent for longer than the retransmission timeout: what was learnt is old (RFC 5681 section 4.1). */
  idle(): void {
    this.window = Math.min(this.window, this.initial())
    this.cubic?.begin()
  }
}
