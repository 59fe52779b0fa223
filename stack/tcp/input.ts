/**
 * A segment arrives (RFC 9293 section 3.10.7), with the defences of RFC 5961: a reset or SYN must hit exactly, an acknowledgment must
 * be of something sent.
 */
import { ACK, DEFAULT_MSS, FIN, LEAST_MSS, RST, type Segment, SYN } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { acknowledge, challenge, output, retransmitFirst, startTimer } from './output.ts'
import { deliver, keepForLater } from './receive.ts'
import { emitSyn } from './sending.ts'
import { CLOSED, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'

/** What the caller must do with a segment that the connection has no use for. */
export const DONE = 0
export const SEND_RESET = 1
/** A SYN for a connection in TIME-WAIT: forget that one, and treat the segment as for a listener. */
export const NEW_CONNECTION = 2

export function segmentArrives(c: Connection, s: Segment, now: number): number {
  if (c.state === SYN_SENT) return inSynSent(c, s, now)
  if (c.state === TIME_WAIT) return inTimeWait(c, s)
  // The usual segment is the next one, fits the window and has no flags but ACK and PSH.
  if (s.sequence !== c.rcvNxt || (s.flags & (SYN | RST | FIN)) !== 0 || s.length > ((c.rcvAdv - c.rcvNxt) | 0)) {
    if (!isAcceptable(c, s)) return DONE
  }
  if ((s.flags & ACK) === 0) return ignored(c)
  if (c.state === SYN_RECEIVED) {
    if (((s.acknowledgment - c.sndUna) | 0) <= 0 || ((s.acknowledgment - c.sndMax) | 0) > 0) return SEND_RESET
    if (!established(c, s, s.window << c.sndShift)) return SEND_RESET
  }
  if (!acknowledged(c, s, now)) return DONE
  c.heardAt = now
  if (s.length > 0 || (s.flags & FIN) !== 0) dataArrives(c, s)
  if (c.state === TIME_WAIT) {
    if (c.ackNow) acknowledge(c) // the peer's FIN
  } else if (c.state >= ESTABLISHED) {
    if (c.ackNow || (c.send.bytes > 0 && c.sndNxt !== ((c.sndUna + c.send.bytes) | 0)) || c.finPending) output(c, now, false)
    if (c.unacknowledged > 0 && !c.inBatch) c.environment.acknowledgeLater(c)
  }
  return DONE
}

/** Nothing is to be done with this segment: RFC 9293 says to drop it. */
function ignored(c: Connection): number {
  c.environment.counters.tcpUnacceptable++
  return DONE
}

/** First, second and fourth checks: sequence number, RST, SYN. Cuts off what lies outside the window. */
function isAcceptable(c: Connection, s: Segment): boolean {
  const window = (c.rcvAdv - c.rcvNxt) | 0
  const begin = (s.sequence - c.rcvNxt) | 0
  if ((s.flags & RST) !== 0) {
    if (begin === 0) reset(c)
    else if (begin > 0 && begin < window) challenge(c)
    else c.environment.counters.tcpUnacceptable++
    return false
  }
  if ((s.flags & SYN) !== 0) {
    if (c.state !== SYN_RECEIVED || s.sequence !== c.irs) challenge(c)
    else if ((s.flags & ACK) === 0)
      emitSyn(c) // ours was lost
    else if (s.acknowledgment === c.sndMax) bothCalled(c, s)
    else challenge(c)
    return false
  }
  const end = begin + s.length + ((s.flags & FIN) !== 0 ? 1 : 0)
  if ((begin < 0 && end <= 0) || (begin >= window && begin > 0)) {
    // All of it is old or beyond the window. Old data means that our acknowledgment was lost: say it again at once.
    if (s.length > 0 || (s.flags & FIN) !== 0) {
      c.environment.counters.tcpUnacceptable++
      acknowledge(c)
    } else {
      challenge(c)
    }
    return false
  }
  if (begin < 0) {
    s.offset -= begin
    s.length += begin
    s.sequence = c.rcvNxt
  }
  if (end > window) {
    const cut = end - window
    c.environment.counters.tcpCut++
    c.ackNow = true
    if ((s.flags & FIN) !== 0) {
      s.flags &= ~FIN
      s.length -= cut - 1
    } else {
      s.length -= cut
    }
  }
  return true
}

function reset(c: Connection): void {
  if (c.state === CLOSING || c.state === LAST_ACK)
    c.finish(undefined) // all was said and done
  else c.finish(c.failure('ECONNRESET', 'was reset by the peer'))
}

/** SYN-RECEIVED ends. False when nobody wants the connection any more. */
function established(c: Connection, s: Segment, window: number): boolean {
  c.state = ESTABLISHED
  c.sndUna = (c.iss + 1) | 0
  c.sndWnd = window
  c.sndWndMax = window
  c.sndWl1 = s.sequence
  c.sndWl2 = s.acknowledgment
  c.retransmitAt = Infinity
  if (c.timedAt >= 0 && c.retries === 0) c.roundTrip.sample(c.environment.now() - c.timedAt)
  c.timedAt = -1
  c.retries = 0
  return c.opener.opened(c)
}

/**
 * Both sides called at the same time, and the peer's SYN-ACK, with the SYN that is known already, acknowledges ours (RFC 9293 figure 7).
 * It is answered with an ACK: two sides that answer SYN-ACK with SYN-ACK never come to an end.
 */
function bothCalled(c: Connection, s: Segment): void {
  if (!established(c, s, s.window)) return // the window of a SYN is not scaled
  c.ackNow = true
  output(c, c.environment.now(), false)
}

/** Fifth check: the acknowledgment. False when the segment must not be looked at further. */
function acknowledged(c: Connection, s: Segment, now: number): boolean {
  const ack = s.acknowledgment
  const bytes = (ack - c.sndUna) | 0
  if (bytes > ((c.sndMax - c.sndUna) | 0) || bytes < -c.sndWndMax) {
    challenge(c) // of something never sent, or too old to be true (RFC 5961 section 5)
    return false
  }
  const window = s.window << c.sndShift
  const sameWindow = window === c.sndWnd
  if (bytes >= 0 && (((s.sequence - c.sndWl1) | 0) > 0 || (s.sequence === c.sndWl1 && ((ack - c.sndWl2) | 0) >= 0))) {
    c.sndWnd = window
    if (window > c.sndWndMax) c.sndWndMax = window
    c.sndWl1 = s.sequence
    c.sndWl2 = ack
  }
  if (bytes > 0) {
    advanced(c, ack, bytes, now)
    return c.state !== CLOSED && c.state !== TIME_WAIT
  }
  if (c.probes > 0) {
    probeAnswered(c, now)
  } else if (bytes === 0 && c.sndMax !== c.sndUna && s.length === 0 && sameWindow && (s.flags & FIN) === 0) {
    const flight = (c.sndMax - c.sndUna) | 0
    if (c.congestion.duplicate(ack, flight, (c.sndMax - 1) | 0)) {
      c.environment.counters.tcpFastRetransmits++
      retransmitFirst(c)
      startTimer(c, now)
    }
    output(c, now, false)
  }
  return true
}

/**
 * The peer answers probes; what may be in flight is what it had no room for when its window shrank (RFC 9293 section 3.8.6). Once its window
 * is open, the timer is there for data again.
 */
function probeAnswered(c: Connection, now: number): void {
  c.retries = 0
  if (c.sndWnd === 0) return
  c.probes = 0
  if (c.sndMax === c.sndUna) c.retransmitAt = Infinity
  else startTimer(c, now)
}

/** `bytes` more, SYN and FIN included, were acknowledged. */
function advanced(c: Connection, ack: number, bytes: number, now: number): void {
  if (c.timedAt >= 0 && ((ack - c.timedEnd) | 0) >= 0) {
    c.roundTrip.sample(now - c.timedAt)
    c.timedAt = -1
  }
  c.retries = 0
  const send = c.send
  const finAcknowledged = bytes > send.bytes
  send.drop(finAcknowledged ? send.bytes : bytes)
  c.sndUna = ack
  if (((c.sndNxt - ack) | 0) < 0) c.sndNxt = ack
  const flight = (c.sndMax - ack) | 0
  if (c.congestion.acknowledged(bytes, ack, flight)) retransmitFirst(c)
  if (flight === 0) c.retransmitAt = Infinity
  else startTimer(c, now)
  if (finAcknowledged) finAcked(c)
  else if (c.full && send.bytes <= c.environment.limits.sendBuffer >>> 1) {
    c.full = false
    c.handler.onWritable()
  }
}

function finAcked(c: Connection): void {
  c.finPending = false
  if (c.state === FIN_WAIT_1) c.state = FIN_WAIT_2
  else if (c.state === CLOSING) c.enterTimeWait()
  else if (c.state === LAST_ACK) c.finish(undefined)
}

/** Seventh and eighth checks: data and FIN. */
function dataArrives(c: Connection, s: Segment): void {
  // After its FIN a peer has nothing to say.
  if (c.state > FIN_WAIT_2) {
    ignored(c)
    return
  }
  const fin = (s.flags & FIN) !== 0
  if (s.sequence !== c.rcvNxt) {
    keepForLater(c, s.sequence, s.bytes, s.offset, s.length, fin)
    return
  }
  deliver(c, s.bytes, s.offset, s.length, fin)
}

function inSynSent(c: Connection, s: Segment, now: number): number {
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
export function synchronize(c: Connection, s: Pick<Segment, 'sequence' | 'window' | 'mss' | 'scale' | 'sack'>): void {
  c.irs = s.sequence
  c.rcvNxt = (s.sequence + 1) | 0
  c.rcvAdv = c.rcvNxt
  const offered = s.mss === 0 ? DEFAULT_MSS : s.mss < LEAST_MSS ? LEAST_MSS : s.mss
  if (offered < c.mss) {
    c.mss = offered
    c.congestion.mss = offered
  }
  c.sack = s.sack
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

function inTimeWait(c: Connection, s: Segment): number {
  if ((s.flags & RST) !== 0) {
    // An old duplicate that we answer makes a peer reset who has forgotten the connection; that must not end our wait (RFC 1337). But
    // a peer that is calling anew with a lower number resets what we answered to its SYN, or it would have to wait as long as we.
    if (!c.calledAgain || s.sequence !== c.rcvNxt) return ignored(c)
    c.finish(undefined)
    return DONE
  }
  if ((s.flags & (SYN | ACK)) === SYN) {
    if (((s.sequence - c.rcvNxt) | 0) > 0) return NEW_CONNECTION
    c.calledAgain = true
  }
  if ((s.flags & FIN) !== 0) {
    c.environment.timeWait(c) // our last acknowledgment was lost
    acknowledge(c)
  } else if (s.sequence !== c.rcvNxt || s.length > 0 || (s.flags & SYN) !== 0) {
    challenge(c) // but not what is in order: two sides in TIME-WAIT would acknowledge acknowledgments
  }
  return DONE
}
