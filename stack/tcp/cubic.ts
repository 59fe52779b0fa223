/**
 * Congestion avoidance by CUBIC (RFC 9438): after a loss the window comes back to a little below where it was lost, stays there, and then looks
 * for more, by the time that has passed and not by the number of round trips. Over short ways it grows no less than Reno's would.
 */

/** Section 4.6 and 5: C in segments a second to the third, and what is left of the window at a loss. */
const C = 0.4
export const BETA = 0.7
/** Section 4.3: with it a window that is cut to BETA grows as one that is cut to half and grows by a segment a round trip. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)

/** Windows in segments, times in seconds. */
export class Cubic {
  /** Where the window was when it was lost last. */
  #max = 0
  /** Where it was right before that, whatever #max was made to. */
  #prior = 0
  /** When growth began, and K: how long it takes back to #max; below 0 it has not begun. */
  #epoch = -1
  #k = 0
  /** When it grew last. */
  #grownAt = 0
  /** What Reno's would be. */
  #reno = 0

  /** The same once more, for when it turns out that a loss was none. */
  copy(): Cubic {
    const other = new Cubic()
    other.#max = this.#max
    other.#prior = this.#prior
    other.#epoch = this.#epoch
    other.#k = this.#k
    other.#grownAt = this.#grownAt
    other.#reno = this.#reno
    return other
  }

  /** The window, in segments, was too large. */
  lost(window: number): void {
    // Section 4.7, fast convergence: others have come, and shall find room.
    this.#max = window < this.#max ? (window * (1 + BETA)) / 2 : window
    this.#prior = window
    this.#epoch = -1
  }

  /** The window grows anew from where it is: after a pause, or a timeout. */
  begin(): void {
    this.#epoch = -1
  }

  /** `acknowledged` segments were at `now`, the round-trip time is `smoothed` seconds: the window from now on. */
  grow(window: number, acknowledged: number, now: number, smoothed: number): number {
    if (this.#epoch < 0) {
      this.#epoch = now
      this.#reno = window
      if (window >= this.#max) {
        this.#max = window
        this.#k = 0
      } else {
        this.#k = Math.cbrt((this.#max - window) / C)
      }
    } else if (now - this.#grownAt > 1 + smoothed) {
      this.#epoch += now - this.#grownAt // it was not used meanwhile (section 4.2)
    }
    this.#grownAt = now
    const time = now - this.#epoch
    this.#reno += ((this.#reno < this.#prior ? ALPHA : 1) * acknowledged) / window
    const offset = time - this.#k
    if (C * offset ** 3 + this.#max < this.#reno) return Math.max(window, this.#reno)
    // Section 4.4: what it shall be in a round trip.
    const target = C * (offset + smoothed) ** 3 + this.#max
    const most = 1.5 * window
    const aim = target < window ? window : target > most ? most : target
    return window + ((aim - window) * acknowledged) / window
  }
}
