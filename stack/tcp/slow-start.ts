/**
 * The end of slow start before anything is lost (HyStart++, RFC 9406): when the round-trip time rises, a queue builds up, and what the window
 * would grow to does not fit the way. Then it grows more slowly for some rounds, and if the time stays up, slow start is over.
 */
const MIN_RTT_THRESH = 4
const MAX_RTT_THRESH = 16
const MIN_RTT_DIVISOR = 8
const N_RTT_SAMPLE = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class SlowStart {
  /** By how much growth is divided. */
  divisor = 1
  /** Sequence number whose acknowledgment ends this round. */
  #roundEnd: number
  /** Least round-trip times, in milliseconds, of the last round and of this one, and how many there were in this one. */
  #last = Infinity
  #current = Infinity
  #samples = 0
  /** What it was when growth was slowed down; rounds since. */
  #baseline = Infinity
  #rounds = 0

  constructor(roundEnd: number) {
    this.#roundEnd = roundEnd
  }

  /** A round trip took `time`; all before `una` was acknowledged, all before `max` sent. True when slow start is over. */
  sample(time: number, una: number, max: number): boolean {
    if (((una - this.#roundEnd) | 0) >= 0) {
      this.#last = this.#current
      this.#current = Infinity
      this.#samples = 0
      this.#roundEnd = max
      if (this.divisor > 1 && ++this.#rounds >= CSS_ROUNDS) return true
    }
    if (time < this.#current) this.#current = time
    if (++this.#samples < N_RTT_SAMPLE) return false
    if (this.divisor > 1) {
      // It was no queue.
      if (this.#current < this.#baseline) this.divisor = 1
    } else {
      const threshold = Math.max(MIN_RTT_THRESH, Math.min(this.#last / MIN_RTT_DIVISOR, MAX_RTT_THRESH))
      if (this.#current >= this.#last + threshold) {
        this.divisor = CSS_GROWTH_DIVISOR
        this.#baseline = this.#current
        this.#rounds = 0
      }
    }
    return false
  }
}
