/** How a connection comes about: what SYNs say, and the segments that end SYN-SENT and SYN-RECEIVED. */
import { ACK, DEFAULT_MSS, LEAST_MSS, RST, type Segment, STAMP_BYTES, SYN, TCP_BYTES } from '../wire/tcp.ts'
import { type Connection, UNTIMED } from './connection.ts'
import { output } from './output.ts'
import { emitSyn } from './sending.ts'
import { ESTABLISHED, SYN_RECEIVED } from './state.ts'
import { DONE, ignored, SEND_RESET } from './verdict.ts'

/** SYN-RECEIVED ends. False when nobody wants the connection any more. */
export function established(c: Connection, s: Segment, window: number): boolean {
  c.state = ESTABLISHED
  c.sndUna = (c.iss + 1) | 0
  c.sndWnd = window
  c.sndWndMax = window
  c.sndWl1 = s.sequence
  c.sndWl2 = s.acknowledgment
  c.retransmitAt = Infinity
  if (c.timedAt >= 0 && c.retries === 0) c.roundTrip.sample(c.environment.now() - c.timedAt)
  c.timedAt = UNTIMED
  c.retries = 0
  return c.opener.opened(c)
}

/**
 * Both sides called at the same time, and the peer's SYN-ACK, with the SYN that is known already, acknowledges ours (RFC 9293 figure 7).
 * It is answered with an ACK: two sides that answer SYN-ACK with SYN-ACK never come to an end.
 */
export function bothCalled(c: Connection, s: Segment): void {
  if (!established(c, s, s.window)) return // the window of a SYN is not scaled
  c.ackNow = true
  output(c, c.environment.now(), false)
}

/** A segment arrives in SYN-SENT (RFC 9293 section 3.10.7.3). */
export function inSynSent(c: Connection, s: Segment, now: number): number {
  const hasAck = (s.flags & ACK) !== 0
  if (hasAck && s.acknowledgment !== c.sndMax) return (s.flags & RST) !== 0 ? ignored(c) : SEND_RESET
  if ((s.flags & RST) !== 0) {
    if (!hasAck) return ignored(c)
    c.finish(c.failure('ECONNREFUSED', 'was refused'))
    return DONE
  }
  if ((s.flags & SYN) === 0) return ignored(c)
  synchronize(c, s)
  if (!hasAck) {
    c.state = SYN_RECEIVED // both called at the same time
    emitSyn(c)
    return DONE
  }
  established(c, s, s.window) // the window of a SYN is not scaled
  if (c.state !== ESTABLISHED) return DONE
  c.ackNow = true
  output(c, now, false)
  return DONE
}

/** Takes over what the peer's SYN says. */
export function synchronize(
  c: Connection,
  s: Pick<Segment, 'sequence' | 'window' | 'mss' | 'scale' | 'sack' | 'stamped' | 'stamp' | 'stampHigh' | 'stampLow'>,
): void {
  c.irs = s.sequence
  c.rcvNxt = (s.sequence + 1) | 0
  c.rcvAdv = c.rcvNxt
  const offered = s.mss === 0 ? DEFAULT_MSS : s.mss < LEAST_MSS ? LEAST_MSS : s.mss
  if (offered < c.mss) {
    c.mss = offered
    c.congestion.mss = offered
  }
  c.sack = s.sack
  if (!s.stamped) {
    c.stamps = undefined
  } else if (c.stamps !== undefined) {
    c.stamps.begin(s, c.rcvNxt)
    c.headerBytes = TCP_BYTES + STAMP_BYTES
    c.mss -= STAMP_BYTES // the option tells of segments without options (RFC 6691)
    c.congestion.mss = c.mss
  }
  if (s.scale >= 0) {
    c.scaling = true
    c.sndShift = s.scale
    c.rcvShift = shiftFor(c.environment.limits.receiveWindow)
  }
  c.sndWnd = s.window
  c.sndWndMax = s.window
  c.sndWl1 = s.sequence
}

/** The window scale (RFC 7323) that lets 16 bits express `window`. */
export function shiftFor(window: number): number {
  let shift = 0
  while (window >>> shift > 0xffff) shift++
  return shift
}
