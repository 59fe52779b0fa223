/** The user timeout of a connection (RFC 9293 section 3.9.1): how long a peer may take nothing of what it is sent. */
import type { Connection } from './connection.ts'

/** For how many milliseconds the peer may take nothing, since when it has taken nothing, and where it got stuck. */
export class Patience {
  readonly time: number
  endsAt = Infinity
  #since = -1
  #una = 0

  constructor(time: number) {
    this.time = time
  }

  /** The retransmission timer, or that of the probes, has expired. */
  expired(c: Connection, now: number): void {
    if (this.#since < 0 || this.#una !== c.sndUna) {
      this.#since = now - c.roundTrip.timeout // when it was set, the peer had just taken something, or was given something to take
      this.#una = c.sndUna
    }
    this.endsAt = this.#since + this.time
  }

  isOver(c: Connection, now: number): boolean {
    if (now < this.endsAt) return false
    this.endsAt = Infinity
    if (this.#una === c.sndUna && (c.sndMax !== c.sndUna || c.send.bytes > 0)) return true
    this.#since = -1
    return false
  }
}
