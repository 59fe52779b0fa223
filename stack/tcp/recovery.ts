/**
 * Recovery from loss with peers that acknowledge selectively: what is learnt from a segment, what is sent again for it (RFC 6675 section 5,
 * RFC 8985), and probes for the end of what was sent, of which nothing later could tell that it is lost (TLP, RFC 8985 section 7).
 */
import { ACK, FIN, PSH, type Segment } from '../wire/tcp.ts'
import { type Connection, RETRANSMITTED } from './connection.ts'
import { Flight } from './flight.ts'
import { output, startTimer, wakeBy } from './output.ts'
import { emit } from './sending.ts'

/** Milliseconds that a probe waits beyond two round trips: a peer is not always at once in its turn. */
const PROBE_DELAY = 10

/** A packet goes out up to `end` while others are under way, the last of them since `c.lastSent`. */
export function isUnderWay(c: Connection, end: number, now: number): void {
  let flight = c.flight
  if (flight === undefined) flight = startFlight(c, c.sndNxt)
  flight.add(end, now)
  if (c.lossAt === Infinity) setProbe(c, flight, now)
}

/** From now on it is known what is under way: until now one packet, up to `end`. */
function startFlight(c: Connection, end: number): Flight {
  const flight = (c.lastFlight ??= new Flight())
  flight.begin(c.sndUna, end, c.lastSent)
  c.flight = flight
  return flight
}

// ---- what the peer says

/** More was acknowledged in the usual way; what is under way is known, or blocks say something about it. */
export function flightAdvances(c: Connection, s: Segment, now: number): void {
  const flight = c.flight
  const congestion = c.congestion
  if (flight !== undefined) {
    if (!flight.advance(c.sndUna, now)) {
      // The peer has thrown away what it had acknowledged selectively, as it may (RFC 2018 section 8): nothing of that is to be relied on.
      c.environment.counters.tcpSackReneged++
      flight.forget()
    }
    if (flight.probeEnd !== undefined && ((c.sndUna - flight.probeEnd) | 0) >= 0) probeArrived(c, flight, s, now)
    if (flight.isMending && !congestion.isRecovering) flight.mended()
    // A window that is not used says nothing about the way.
    if (2 * ((c.sndMax - c.sndUna) | 0) >= congestion.window) congestion.roundTrip(flight.rtt, c.sndUna, c.sndMax)
  }
  if (s.blocks > 0) blocksArrive(c, s, now)
  if (c.sndUna !== c.sndMax) {
    if (c.flight !== undefined) lookForLosses(c, c.flight, now)
  } else if (flight !== undefined) {
    c.flight = undefined
    c.lossAt = Infinity
  }
}

/**
 * Takes the blocks of a segment whose acknowledgment was taken. True when there is news in them. A block below what is acknowledged, or
 * inside the next one, tells that something arrived twice (RFC 2883); one that was never sent, or that the acknowledgment should
 * have covered, is a lie or too old.
 */
export function blocksArrive(c: Connection, s: Segment, now: number): boolean {
  const { counters } = c.environment
  const { edges } = s
  let news = false
  for (let i = 0; i < 2 * s.blocks; i += 2) {
    const begin = (edges[i] - c.sndUna) | 0
    const end = (edges[i + 1] - c.sndUna) | 0
    if (i === 0 && (end <= 0 || isInside(edges, s.blocks))) {
      counters.tcpDuplicateSacks++
      c.lastFlight?.arrivedTwice(c.sndMax)
      if (c.congestion.arrivedTwice(end - begin, edges[1])) {
        counters.tcpUndone++
        c.flight?.mended()
      }
    } else if (begin <= 0 || end <= begin || end > ((c.sndMax - c.sndUna) | 0)) {
      counters.tcpBadSacks++
    } else {
      const flight = c.flight ?? startFlight(c, c.sndMax)
      if (flight.hold(edges[i], edges[i + 1], now)) news = true
    }
  }
  return news
}

const isInside = (edges: readonly number[], blocks: number): boolean =>
  blocks > 1 && ((edges[0] - edges[2]) | 0) >= 0 && ((edges[1] - edges[3]) | 0) <= 0

/** An acknowledgment of nothing more has blocks that tell something new. */
export function heardOfMore(c: Connection, s: Segment, now: number): void {
  c.flight?.listen()
  if (!blocksArrive(c, s, now)) return
  lookForLosses(c, c.flight!, now)
  output(c, now, false)
}

// ---- what is lost

/** Something new is known of what is under way, or time has passed. */
export function lookForLosses(c: Connection, flight: Flight, now: number): void {
  if (flight.isWhole) {
    if (c.lossAt === Infinity) setProbe(c, flight, now)
    return
  }
  const { congestion } = c
  const wait = flight.detect(now, c.mss, c.roundTrip.smoothed, congestion.isRecovering)
  if (flight.lost > 0 && congestion.lossSeen(c.sndUna, (c.sndMax - c.sndUna) | 0, (c.sndMax - 1) | 0)) {
    c.environment.counters.tcpFastRetransmits++
    flight.mustResend = flight.isMending = true
    startTimer(c, now)
  }
  setLossTimer(c, wait > 0 ? now + wait : Infinity)
}

/** The timer of lost segments and probes has fired. */
export function lossTimerFired(c: Connection, now: number): void {
  c.lossAt = Infinity
  const flight = c.flight
  if (flight === undefined) return
  if (flight.isWhole) {
    probe(c, flight, now)
  } else {
    lookForLosses(c, flight, now)
    output(c, now, false)
  }
}

/** The retransmission timer expired: what is known of the flight is lost, and after the second time in a row all of it. */
export function flightTimedOut(c: Connection, now: number, again: boolean): void {
  const flight = c.flight ?? startFlight(c, c.sndMax)
  if (again) flight.forget()
  else flight.timedOut(now, c.roundTrip.smoothed)
  c.lossAt = Infinity
}

/** Segments have another size from now on: all that is under way goes out again. */
export function resendAll(c: Connection): void {
  const flight = c.flight ?? startFlight(c, c.sndMax)
  flight.forget()
}

// ---- what is sent again

/**
 * Sends again what is lost, as far as congestion control allows. Returns how many bytes from the first unacknowledged one on may be in flight
 * after it, new ones included; -1 when there was no free frame.
 */
export function recover(c: Connection, flight: Flight, now: number): number {
  const { congestion, mss } = c
  const out = (c.sndMax - c.sndUna) | 0
  let free = congestion.window + congestion.extra - flight.pipe
  while (flight.lost > 0) {
    if (free < mss && !flight.mustResend) return out
    const at = flight.firstLost()
    const length = retransmit(c, at, flight.length)
    if (length < 0) return -1
    if (length === 0) return out // beyond the peer's window
    flight.resend(length, now)
    flight.mustResend = false
    free -= length
  }
  return out + (free > 0 ? free : 0)
}

/** Sends a segment of what was sent before: at most `length` bytes, FIN included, from `at` on. How many went out; 0 when the window is too small, -1 without a frame. */
function retransmit(c: Connection, at: number, length: number): number {
  if (at >= c.sndWnd) return 0
  if (length > c.mss) length = c.mss
  if (length > c.sndWnd - at) length = c.sndWnd - at
  const data = c.send.bytes - at
  const fin = length > data
  c.timedAt = RETRANSMITTED
  c.lastSent = c.environment.now()
  if (!emit(c, (c.sndUna + at) | 0, fin ? ACK | PSH | FIN : ACK, at, fin ? data : length)) return -1
  c.environment.counters.tcpRetransmits++
  c.congestion.resent(length)
  return length
}

// ---- probes

/**
 * Nothing is missing by all we know, and more than a segment is under way: when nothing is heard of it for two round trips, its end is sent once
 * more. For a single segment, whose acknowledgment may be held back, the retransmission timer comes as early. What is sent and heard
 * meanwhile does not move the timer: it finds that out when it fires.
 */
function setProbe(c: Connection, flight: Flight, now: number): void {
  if (isWorthProbing(c, flight)) setLossTimer(c, now + 2 * c.roundTrip.smoothed + PROBE_DELAY)
}

const isWorthProbing = (c: Connection, flight: Flight): boolean =>
  flight.pipe > c.mss && flight.probeEnd === undefined && c.roundTrip.smoothed > 0 && !c.congestion.isRecovering && c.probes === 0

function probe(c: Connection, flight: Flight, now: number): void {
  if (!isWorthProbing(c, flight) || now + PROBE_DELAY >= c.retransmitAt) return
  const due = (c.heardAt > c.lastSent ? c.heardAt : c.lastSent) + 2 * c.roundTrip.smoothed + PROBE_DELAY
  if (due > now) {
    setLossTimer(c, due)
    return
  }
  c.environment.counters.tcpTailProbes++
  // Something new is as good, also when congestion control would not have it yet.
  const max = c.sndMax
  c.congestion.extra = c.mss
  output(c, now, true)
  if (c.flight !== flight) return
  flight.probeEnd = c.sndMax
  flight.probedAt = Infinity
  if (c.sndMax === max) {
    const at = flight.lastSegment(c.mss)
    if (at < 0 || retransmit(c, at, flight.length) <= 0) return
    flight.resendLast(now)
    flight.probedAt = now
  }
  c.lossAt = Infinity
  startTimer(c, now)
}

/** The end that was sent once more is acknowledged: if that took a round trip, and the peer does not say that it had it, it had been lost (section 7.4). */
function probeArrived(c: Connection, flight: Flight, { blocks, edges }: Segment, now: number): void {
  const arrivedTwice = blocks > 0 && ((edges[1] - c.sndUna) | 0) <= 0
  if (!arrivedTwice && now - flight.probedAt >= flight.leastRtt) c.congestion.lossMended()
  flight.probeEnd = undefined
}

function setLossTimer(c: Connection, at: number): void {
  c.lossAt = at
  wakeBy(c, at)
}
