/**
 * A segment arrives (RFC 9293 section 3.10.7), with the defences of RFC 5961: a reset or SYN must hit exactly, an acknowledgment must
 * be of something sent.
 */
import { ACK, FIN, RST, type Segment, SYN } from '../wire/tcp.ts'
import { type Connection, RETRANSMITTED, UNTIMED } from './connection.ts'
import { bothCalled, established, inSynSent } from './handshake.ts'
import { acknowledge, challenge, output, retransmitFirst, startTimer } from './output.ts'
import { arrivedTwice, deliver, keepForLater } from './receive.ts'
import { flightAdvances, heardOfMore } from './recovery.ts'
import { emitSyn } from './sending.ts'
import { CLOSED, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'
import { isTimely, sampleEcho, takeStamp } from './timestamps.ts'
import { DONE, ignored, NEW_CONNECTION, SEND_RESET } from './verdict.ts'

export function segmentArrives(c: Connection, s: Segment, now: number): number {
  if (c.state === SYN_SENT) return inSynSent(c, s, now)
  if (c.state === TIME_WAIT) return inTimeWait(c, s)
  // The same stamp as last time needs no second look (RFC 7323 section 5.3).
  const stamps = c.stamps
  const isNew = stamps !== undefined && (s.stampLow !== stamps.low || s.stampHigh !== stamps.high)
  if (isNew && !isTimely(c, stamps, s, now)) {
    if (s.stamped) {
      c.environment.counters.tcpPaws++
      refuse(c, s)
    } else {
      c.environment.counters.tcpNoTimestamp++
    }
    return DONE
  }
  // The usual segment is the next one, fits the window and has no flags but ACK and PSH.
  if (s.sequence !== c.rcvNxt || (s.flags & (SYN | RST | FIN)) !== 0 || s.length > ((c.rcvAdv - c.rcvNxt) | 0)) {
    if (!isAcceptable(c, s)) return DONE
  }
  if ((s.flags & ACK) === 0) return ignored(c)
  // Only what begins where our last acknowledgment ended, or before: a later segment may overtake others (RFC 7323 section 4.3).
  if (isNew && ((s.sequence - c.rcvNxt + c.unacknowledged) | 0) <= 0) takeStamp(c, stamps, s, now)
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
    const hasNew = c.send.bytes > 0 && c.sndNxt !== ((c.sndUna + c.send.bytes) | 0)
    if (c.ackNow || hasNew || c.finPending || c.flight !== undefined) output(c, now, false)
    if (c.unacknowledged > 0 && !c.inBatch) c.environment.acknowledgeLater(c)
  }
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
    // Another call where one was heard: back to LISTEN (section 3.10.7.4, fourth check), and the caller's next SYN is answered.
    if (c.state === SYN_RECEIVED && c.opener.isListener && begin >= 0 && begin < window) c.finish(undefined)
    else if (c.state !== SYN_RECEIVED || s.sequence !== c.irs) challenge(c)
    else if ((s.flags & ACK) === 0)
      emitSyn(c) // ours was lost
    else if (s.acknowledgment === c.sndMax) bothCalled(c, s)
    else challenge(c)
    return false
  }
  const end = begin + s.length + ((s.flags & FIN) !== 0 ? 1 : 0)
  if ((begin < 0 && end <= 0) || (begin >= window && begin > 0)) {
    refuse(c, s) // all of it is old or beyond the window
    return false
  }
  if (begin < 0) {
    arrivedTwice(c, s.sequence, -begin)
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

/** Says again what is expected. Old data means that our acknowledgment was lost: at once. */
function refuse(c: Connection, s: Segment): void {
  if (s.length > 0 || (s.flags & FIN) !== 0) {
    c.environment.counters.tcpUnacceptable++
    const isOld = ((s.sequence - c.rcvNxt) | 0) < 0
    if (isOld && s.length > 0) arrivedTwice(c, s.sequence, s.length)
    acknowledge(c)
  } else {
    challenge(c)
  }
}

function reset(c: Connection): void {
  if (c.state === CLOSING || c.state === LAST_ACK)
    c.finish(undefined) // all was said and done
  else c.finish(c.failure('ECONNRESET', 'was reset by the peer'))
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
    advanced(c, s, bytes, now)
    return c.state !== CLOSED && c.state !== TIME_WAIT
  }
  if (c.probes > 0) {
    probeAnswered(c, now)
  } else if (bytes === 0) {
    // An acknowledgment may tell of a segment that came out of turn: by its blocks, else by saying nothing else (RFC 5681).
    if (c.sack) {
      if (s.blocks > 0) heardOfMore(c, s, now)
    } else if (c.sndMax !== c.sndUna && s.length === 0 && sameWindow && (s.flags & FIN) === 0) {
      duplicate(c, ack, now)
    }
  }
  return true
}

function duplicate(c: Connection, ack: number, now: number): void {
  if (c.congestion.duplicate(ack, (c.sndMax - c.sndUna) | 0, (c.sndMax - 1) | 0)) {
    c.environment.counters.tcpFastRetransmits++
    retransmitFirst(c)
    startTimer(c, now)
  }
  output(c, now, false)
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
function advanced(c: Connection, s: Segment, bytes: number, now: number): void {
  const ack = s.acknowledgment
  if (c.timedAt >= 0) {
    if (((ack - c.timedEnd) | 0) >= 0) {
      c.roundTrip.sample(now - c.timedAt)
      c.timedAt = UNTIMED
    }
  } else if (c.timedAt === RETRANSMITTED) {
    if (c.stamps !== undefined) sampleEcho(c, c.stamps, s, now)
    c.timedAt = UNTIMED
  }
  c.retries = 0
  const send = c.send
  const finAcknowledged = bytes > send.bytes
  send.drop(finAcknowledged ? send.bytes : bytes)
  c.sndUna = ack
  if (((c.sndNxt - ack) | 0) < 0) c.sndNxt = ack
  const flight = (c.sndMax - ack) | 0
  if (c.congestion.acknowledged(bytes, ack, flight, now, c.roundTrip.smoothed)) retransmitFirst(c)
  if (c.flight !== undefined || (s.blocks > 0 && c.sack)) flightAdvances(c, s, now)
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

function inTimeWait(c: Connection, s: Segment): number {
  if ((s.flags & RST) !== 0) {
    // An old duplicate that we answer makes a peer reset who has forgotten the connection; that must not end our wait (RFC 1337). But
    // a peer that is calling anew with a lower number resets what we answered to its SYN, or it would have to wait as long as we.
    if (!c.calledAgain || s.sequence !== c.rcvNxt) return ignored(c)
    c.finish(undefined)
    return DONE
  }
  const age = c.stamps !== undefined && s.stamped ? (s.stamp - c.stamps.recent) | 0 : 0
  if ((s.flags & (SYN | ACK)) === SYN) {
    // The stamp tells more than the sequence number (RFC 6191).
    if (age > 0 || (age === 0 && ((s.sequence - c.rcvNxt) | 0) > 0)) return NEW_CONNECTION
    c.calledAgain = true
  } else if (age < 0) {
    c.environment.counters.tcpPaws++
    challenge(c)
    return DONE
  }
  const begin = (s.sequence - c.rcvNxt) | 0
  const isInside = begin < 0 ? begin + s.length > 0 : begin < ((c.rcvAdv - c.rcvNxt) | 0)
  if ((s.flags & (SYN | ACK)) === 0 && isInside) return ignored(c)
  if ((s.flags & FIN) !== 0) {
    c.environment.timeWait(c) // our last acknowledgment was lost
    acknowledge(c)
  } else if (s.sequence !== c.rcvNxt || s.length > 0 || (s.flags & SYN) !== 0) {
    challenge(c) // but not what is in order: two sides in TIME-WAIT would acknowledge acknowledgments
  }
  return DONE
}
