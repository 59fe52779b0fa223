/** What to send and when (RFC 9293 section 3.8): the one place that decides it, called whenever something may have changed. */
import { ACK, FIN, PSH } from '../wire/tcp.ts'
import { type Connection, RETRANSMITTED } from './connection.ts'
import { isUnderWay, recover } from './recovery.ts'
import { emit, largest } from './sending.ts'
import { ESTABLISHED } from './state.ts'

/**
 * Sends all that the peer's window, congestion control and silly window avoidance allow, then an acknowledgment if one is due and no
 * segment carried it. `force`: the timer has expired, send even a segment that is not worth it.
 */
export function output(c: Connection, now: number, force: boolean): void {
  if (c.state < ESTABLISHED) return
  const send = c.send
  if (send.bytes > 0 || c.finPending) {
    const mss = c.mss
    const congestion = c.congestion
    if (c.sndMax === c.sndUna && now - c.lastSent > c.roundTrip.timeout) congestion.idle()
    let limit = congestion.window + congestion.extra
    if (c.flight !== undefined) {
      if (!c.flight.isWhole) limit = recover(c, c.flight, now)
      if (limit < 0) return
      if (c.retransmitAt === Infinity && c.sndMax !== c.sndUna) startTimer(c, now)
    }
    if (c.sndWnd < limit) limit = c.sndWnd
    for (;;) {
      const sent = (c.sndNxt - c.sndUna) | 0
      const unsent = send.bytes - sent // -1 when the FIN was sent as well
      let length = unsent
      if (unsent > mss) {
        const most = largest(c)
        if (length > most) length = most > mss ? most : mss
      }
      if (length > limit - sent) length = limit - sent
      const last = length === unsent
      if (length > mss && !last) length -= length % mss
      const fin = last && c.finPending
      if (length < 0 || (length === 0 && !fin)) {
        // Nothing in flight that could bring a window update, so ask for one: zero-window probes (section 3.8.6.1).
        if (unsent > 0 && c.retransmitAt === Infinity) startTimer(c, now)
        break
      }
      if (!last && length < mss && !force && (sent > 0 || length < c.sndWndMax >>> 1)) {
        if (c.retransmitAt === Infinity) startTimer(c, now)
        break
      }
      if (c.nagle && length < mss && !fin && c.sndNxt === c.sndMax && c.sndMax !== c.sndUna) break
      const flags = fin ? ACK | PSH | FIN : last ? ACK | PSH : ACK
      if (!emit(c, c.sndNxt, flags, sent, length)) return
      force = false
      let end = (c.sndNxt + length) | 0
      if (fin) {
        end = (end + 1) | 0
        c.finSent()
      }
      if (sent > 0 && c.sack) isUnderWay(c, end, now)
      c.lastSent = now
      if (((end - c.sndMax) | 0) > 0) {
        if (c.timedAt < 0 && c.sndNxt === c.sndMax) {
          c.timedAt = now
          c.timedEnd = end
        }
        c.sndMax = end
      } else {
        c.environment.counters.tcpRetransmits++
      }
      c.sndNxt = end
      if (c.retransmitAt === Infinity) startTimer(c, now)
      if (fin || (last && unsent === length)) break
    }
  }
  if (c.ackNow) acknowledge(c)
}

/** Sends an acknowledgment without data. Its sequence number is the highest, or the peer would not accept it after a timeout. */
export function acknowledge(c: Connection): void {
  c.ackNow = true // until it is out: without a free frame it is tried again
  emit(c, c.sndMax, ACK, 0, 0)
}

/** Acknowledgments that a segment of nobody's could have caused go out at most every half second (RFC 5961 section 7). */
export function challenge(c: Connection): void {
  c.environment.counters.tcpUnacceptable++
  const now = c.environment.now()
  if (now - c.challengedAt < 500) return
  c.challengedAt = now
  acknowledge(c)
}

/** Sends the first unacknowledged segment again. */
export function retransmitFirst(c: Connection): void {
  const bytes = c.send.bytes
  const sent = (c.sndMax - c.sndUna) | 0
  const length = Math.min(c.mss, bytes, sent)
  const fin = c.finPending && length === bytes && sent > bytes
  c.timedAt = RETRANSMITTED
  c.lastSent = c.environment.now()
  c.environment.counters.tcpRetransmits++
  emit(c, c.sndUna, fin ? ACK | PSH | FIN : ACK, 0, length)
}

/** (Re)starts the retransmission timer, which also makes the zero-window probes. */
export function startTimer(c: Connection, now: number): void {
  setRetransmit(c, now + (c.retries === 0 ? c.roundTrip.timeout : c.roundTrip.backedOff(c.retries)))
}

export function setRetransmit(c: Connection, at: number): void {
  c.retransmitAt = at
  wakeBy(c, at)
}

/** The timer of the connection fires at `at` or before. */
export function wakeBy(c: Connection, at: number): void {
  if (at < c.wakeAt) {
    c.wakeAt = at
    c.environment.wake(c)
  }
}
