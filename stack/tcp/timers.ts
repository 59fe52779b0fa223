/**
 * What the timer of a connection does. There is one, lazy: deadlines are numbers that move with every segment, the timer is set
 * anew only when one moves forward, and finds out when it fires whether anything is due.
 */
import { ACK } from '../wire/tcp.ts'
import { type Connection, RETRANSMITTED } from './connection.ts'
import { output, setRetransmit, startTimer } from './output.ts'
import type { Patience } from './patience.ts'
import { flightTimedOut, lossTimerFired } from './recovery.ts'
import { emit, emitSyn } from './sending.ts'
import { ESTABLISHED, SYN_RECEIVED, SYN_SENT } from './state.ts'

/**
 * Expirations in a row before giving up: SYN 1+2+4+8+16+32 = 63 s, SYN-ACK 31 s (they only hold memory), data at least 100 s
 * (RFC 9293 section 3.8.3: R2).
 */
const SYN_TRIES = 5
const SYN_ACK_TRIES = 4
const DATA_TRIES = 10
/** Keep-alives without an answer. */
const QUESTIONS = 5

export function timerFired(c: Connection, now: number): void {
  c.timer = undefined
  c.wakeAt = Infinity
  if (now >= c.abortAt) {
    c.abort(c.failure('ETIMEDOUT', c.state === SYN_SENT ? 'was not answered in time' : 'did not close in time'))
    return
  }
  const { patience } = c
  if (patience?.isOver(c, now)) {
    giveUp(c, patience)
    return
  }
  if (now >= c.retransmitAt) expired(c, now)
  if (now >= c.lossAt) lossTimerFired(c, now)
  if (now >= c.keepAliveAt) keepAliveDue(c, now)
  let next = c.retransmitAt < c.abortAt ? c.retransmitAt : c.abortAt
  if (c.keepAliveAt < next) next = c.keepAliveAt
  if (c.lossAt < next) next = c.lossAt
  if (patience !== undefined && patience.endsAt < next) next = patience.endsAt
  if (next < c.wakeAt) {
    c.wakeAt = next
    c.environment.wake(c)
  }
}

function giveUp(c: Connection, { time }: Patience): void {
  c.abort(c.failure('ETIMEDOUT', `is given up, the peer has taken nothing for ${time / 1000} s`))
}

function expired(c: Connection, now: number): void {
  const patience = c.state >= ESTABLISHED ? c.patience : undefined
  if (patience !== undefined) {
    patience.expired(c, now)
    if (patience.isOver(c, now)) {
      giveUp(c, patience)
      return
    }
  }
  const tries = c.state === SYN_SENT ? SYN_TRIES : c.state === SYN_RECEIVED ? SYN_ACK_TRIES : DATA_TRIES
  if (c.retries >= tries && patience === undefined) {
    const error = c.failure('ETIMEDOUT', 'got no answer')
    if (c.state === SYN_RECEIVED)
      c.finish(error) // no RST: the address is likely forged
    else c.abort(error)
    return
  }
  const again = c.retries++ > 0
  c.timedAt = RETRANSMITTED
  c.retransmitAt = Infinity
  if (c.state < ESTABLISHED) {
    emitSyn(c)
    startTimer(c, now)
    return
  }
  const flight = (c.sndMax - c.sndUna) | 0
  if (flight > 0) {
    c.environment.counters.tcpTimeouts++
    c.congestion.timedOut(c.sndUna, flight, (c.sndMax - 1) | 0, again)
    if (c.sack) flightTimedOut(c, now, again)
    else c.sndNxt = c.sndUna // go back: what the peer has got, its acknowledgments will jump over
  }
  const before = c.sndNxt
  const lost = c.flight?.lost
  output(c, now, true)
  // The window is shut (Linux probes the same way, where RFC 9293 section 3.8.6.1 would send a byte of new data).
  if (c.sndNxt !== before || c.flight?.lost !== lost) return
  askForSign(c)
  // The pauses double, whether probes are answered or not, and the connection stays as long as they are (sections 3.8.6.1, MUST-37).
  c.probes++
  setRetransmit(c, now + c.roundTrip.backedOff(c.probes))
}

/** Keep-alive (RFC 9293 section 3.8.4): asks a peer of whom nothing was heard for long, unless the retransmission timer watches already. */
function keepAliveDue(c: Connection, now: number): void {
  const due = c.heardAt + c.keepAliveTime
  if (due > now || c.retransmitAt !== Infinity) {
    c.questions = 0
    c.keepAliveAt = due > now ? due : now + c.keepAliveTime
    return
  }
  if (c.questions === QUESTIONS) {
    c.abort(c.failure('ETIMEDOUT', 'is lost, the peer answers no keep-alive'))
    return
  }
  c.questions++
  c.keepAliveAt = now + c.keepAliveTime / QUESTIONS
  askForSign(c)
}

/** A segment below the window makes any peer answer with its present window, and moves nothing. */
function askForSign(c: Connection): void {
  emit(c, (c.sndUna - 1) | 0, ACK, 0, 0)
}
