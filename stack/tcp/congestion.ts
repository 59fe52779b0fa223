/**
 * How many segments of a slow start's growth one acknowledgment counts for at most: L of RFC 3465, with the value that RFC 9406 section
 * 4.2 gives for senders that do not pace. Two, as in RFC 3465, takes no notice of peers that acknowledge a large packet at a time.
 */
const SLOW_START_SEGMENTS = 8

/**
 * Congestion control: slow start and congestion avoidance (RFC 5681) by bytes acknowledged (RFC 3465), fast retransmit and NewReno
 * fast recovery (RFC 6582) or recovery by selective acknowledgments (RFC 6675, recovery.ts), limited transmit (RFC 3042), initial window
 * of ten segments (RFC 6928).
 */
export class Congestion {
  /** Bytes that may be in flight. */
  window: number
  /** What limited transmit allows beyond it. */
  extra = 0
  #threshold = 0x7fffffff
  #mss: number
  /** Bytes acknowledged since the window last grew, in congestion avoidance. */
  #credit = 0
  #duplicates = 0
  #recovering = false
  /** In recovery: the scoreboard tells what is in flight, so acknowledgments do not move the window. */
  #selective = false
  /** Last sequence number that was sent when the last loss was seen (RFC 6582). */
  #recover: number

  constructor(mss: number, initialSequence: number) {
    this.#mss = mss
    this.#recover = initialSequence
    this.window = this.initial()
  }

  /** In recovery by selective acknowledgments. */
  get isSelective(): boolean {
    return this.#recovering && this.#selective
  }

  /** What was acknowledged selectively does not count any more: a recovery goes on without. */
  forgetSelection(): void {
    this.#selective = false
  }

  initial(): number {
    return Math.min(10 * this.#mss, Math.max(2 * this.#mss, 14_600))
  }

  /** Path MTU or the peer's SYN changed the segment size. */
  set mss(mss: number) {
    if (this.window === this.initial()) {
      this.#mss = mss
      this.window = this.initial()
    }
    this.#mss = mss
  }

  /** `bytes` more were acknowledged, up to `acknowledgment`; `flight` are still out. True: send the first segment again. */
  acknowledged(bytes: number, acknowledgment: number, flight: number): boolean {
    this.extra = 0
    this.#duplicates = 0
    if (this.#recovering) {
      if (((acknowledgment - this.#recover) | 0) > 0) {
        this.#recovering = false
        this.window = Math.min(this.#threshold, Math.max(flight, this.#mss) + this.#mss)
        return false
      }
      if (this.#selective) return false
      // A partial acknowledgment: the segment behind it is lost as well.
      this.window = Math.max(this.window - bytes, 0) + this.#mss
      return true
    }
    // A window that was not used says nothing about the network, so it does not grow (RFC 7661).
    if (2 * (flight + bytes) < this.window) return false
    if (this.window < this.#threshold) {
      const most = SLOW_START_SEGMENTS * this.#mss
      this.window += bytes < most ? bytes : most
    } else {
      this.#credit += bytes
      if (this.#credit >= this.window) {
        this.#credit -= this.window
        this.window += this.#mss
      }
    }
    return false
  }

  /**
   * A duplicate acknowledgment came. True: send the first segment again. `last` is the last sequence number sent; `isSelective`: there is a
   * scoreboard, and by it the first segment `isLost`, or not yet.
   */
  duplicate(acknowledgment: number, flight: number, last: number, isSelective = false, isLost = false): boolean {
    this.#duplicates++
    if (this.#recovering) {
      if (!this.#selective) this.window += this.#mss
      return false
    }
    if (this.#duplicates < 3 && !isLost) {
      this.extra = this.#duplicates * this.#mss
      return false
    }
    if ((this.#duplicates > 3 && !isLost) || ((acknowledgment - this.#recover) | 0) <= 0) return false
    this.extra = 0
    this.#recovering = true
    this.#recover = last
    this.#threshold = Math.max(flight >>> 1, 2 * this.#mss)
    this.#selective = isSelective
    this.window = isSelective ? this.#threshold : this.#threshold + 3 * this.#mss
    return true
  }

  /** The retransmission timer expired; `again`: not for the first time for this segment (RFC 5681 section 3.1). */
  timedOut(flight: number, last: number, again: boolean): void {
    if (!again) this.#threshold = Math.max(flight >>> 1, 2 * this.#mss)
    this.window = this.#mss
    this.extra = 0
    this.#credit = 0
    this.#duplicates = 0
    this.#recovering = false
    this.#recover = last
  }

  /** Nothing was sent for longer than the retransmission timeout: what was learnt is old (RFC 5681 section 4.1). */
  idle(): void {
    this.window = Math.min(this.window, this.initial())
  }
}
