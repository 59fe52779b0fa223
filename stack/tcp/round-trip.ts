/** Retransmission timeout (RFC 6298), in milliseconds. Samples follow Karn's rule: the caller never times what was sent twice. */

/** The RFC's lower bound is 1 s; 200 ms is what deployed stacks use, and still above every delayed acknowledgment. */
export const LEAST_TIMEOUT = 200
export const MOST_TIMEOUT = 60_000
export const FIRST_TIMEOUT = 1000

export class RoundTrip {
  /** Smoothed round-trip time and its variation; 0 before the first sample. */
  declare smoothed: number
  declare variation: number
  declare timeout: number

  constructor() {
    this.smoothed = 0
    this.variation = 0
    this.timeout = FIRST_TIMEOUT
  }

  sample(time: number): void {
    if (this.smoothed === 0) {
      this.smoothed = time
      this.variation = time / 2
    } else {
      const error = time - this.smoothed
      this.variation += ((error < 0 ? -error : error) - this.variation) / 4
      this.smoothed += error / 8
    }
    const timeout = this.smoothed + 4 * this.variation
    this.timeout = timeout < LEAST_TIMEOUT ? LEAST_TIMEOUT : timeout > MOST_TIMEOUT ? MOST_TIMEOUT : timeout
  }

  /**
   * The timeout after the timer expired `times` times in a row. The first new acknowledgment ends the doubling (as in Linux; the RFC
   * would wait for a new sample, which after a long zero window means to start with a minute).
   */
  backedOff(times: number): number {
    const timeout = this.timeout * 2 ** times
    return timeout > MOST_TIMEOUT ? MOST_TIMEOUT : timeout
  }
}
