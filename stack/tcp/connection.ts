/**
 * The state of one connection (the transmission control block of RFC 9293 section 3.3.1) and what its user may do with it. What
 * happens when a segment arrives is in input.ts, what is sent when in output.ts, and what timers do in timers.ts: plain functions
 * over this object, because every access counts on the way of a packet.
 */
import { COMPLETE, type Timer } from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { type ByteSocket, type Endpoint, SocketError, type SocketHandler } from '../socket.ts'
import { ACK, RST, TCP_BYTES } from '../wire/tcp.ts'
import { Congestion } from './congestion.ts'
import type { Environment } from './environment.ts'
import type { Flight } from './flight.ts'
import { acknowledge, output } from './output.ts'
import { Patience } from './patience.ts'
import type { Reassembly } from './reassembly.ts'
import { RoundTrip } from './round-trip.ts'
import { mssOf } from './segments.ts'
import { SendQueue } from './send-queue.ts'
import { emit } from './sending.ts'
import { CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_SENT, TIME_WAIT } from './state.ts'
import { portsOf } from './table.ts'
import type { Stamps } from './timestamps.ts'

/** `timedAt` when no segment is timed; and when one was, but bytes have been sent twice since (Karn). */
export const UNTIMED = -1
export const RETRANSMITTED = -2

export interface Opener {
  /** Whether the peer called, and not we. */
  readonly isListener?: boolean
  opened(connection: Connection): boolean
}

export class Connection implements ByteSocket {
  readonly environment: Environment
  /** Way to the peer: both addresses. With both ports it is the connection's name. */
  readonly route: Route
  readonly localPort: number
  readonly remotePort: number
  readonly ports: number
  state = CLOSED
  /** Told when the connection is established; false when it is not wanted any more. */
  readonly opener: Opener
  handler: SocketHandler = silent

  // Send sequence (names of RFC 9293): una = oldest unacknowledged, nxt = next to send, max = highest ever sent (after a timeout
  // nxt goes back to una). wl1, wl2: segment of the last window update.
  iss: number
  sndUna: number
  sndNxt: number
  sndMax: number
  sndWnd = 0
  sndWl1 = 0
  sndWl2 = 0
  sndShift = 0
  /** Largest window the peer ever offered: half of it is worth a segment (silly window avoidance). */
  sndWndMax = 0
  /** Payload bytes of a full segment. */
  mss: number
  readonly send: SendQueue
  /** The user called end; and the FIN that follows from it was not acknowledged yet. */
  ended = false
  finPending = false
  /** The writer was told to wait. */
  full = false
  /** Waits for full segments while something is in flight (RFC 9293 section 3.7.4). Off: our writers gather before they flush. */
  nagle = false

  // Receive sequence: nxt = next expected, adv = right edge of the window as advertised; it never moves back.
  irs = 0
  rcvNxt = 0
  rcvAdv = 0
  rcvShift = 0
  /** Payload bytes of the largest packet that came; more than a segment from a peer on the same host, which does not cut them. */
  rcvLargest = 0
  /** Whether the peer offered window scaling. */
  scaling = false
  /** Whether both understand selective acknowledgments; what is under way, when that is more than one packet; and what it was last. */
  sack = false
  flight: Flight | undefined = undefined
  lastFlight: Flight | undefined = undefined

  /** Timestamps, when both sides send them, or our SYN has offered them. */
  stamps: Stamps | undefined = undefined
  /** Bytes delivered that the handler keeps. */
  retained = 0
  reassembly: Reassembly | undefined = undefined
  /** Bytes received since the last acknowledgment was sent, and whether one must go out at once. */
  unacknowledged = 0
  ackNow = false
  /** Whether the connection stands in the environment's lists of held-back acknowledgments. */
  inBatch = false
  inLate = false
  inDelayed = false
  inBlocked = false

  // Retransmission: the timed segment's end, when it was sent or why none is timed, expirations in a row.
  readonly roundTrip = new RoundTrip()
  readonly congestion: Congestion
  timedEnd = 0
  timedAt = UNTIMED
  retries = 0
  /** Zero-window probes since the window was shut. */
  probes = 0
  lastSent = 0

  // Keep-alive: after how many milliseconds of silence, when the peer was last heard, questions without an answer.
  keepAliveTime = Infinity
  heardAt: number
  questions = 0

  /** User timeout. */
  patience: Patience | undefined = undefined

  // Deadlines in milliseconds; one lazy timer serves all: it may fire early and then finds nothing due.
  retransmitAt = Infinity
  abortAt = Infinity
  keepAliveAt = Infinity
  /** When more will be lost of what is under way, or its end is to be probed for. */
  lossAt = Infinity
  wakeAt = Infinity
  timer: Timer | undefined = undefined
  /** In TIME-WAIT: a SYN came that is not above the old sequence numbers. */
  calledAgain = false
  /** When the last acknowledgment went out that a hostile segment could have asked for (RFC 5961 section 7). */
  challengedAt = -Infinity

  /** Bytes of a TCP header that is no SYN's. */
  headerBytes = TCP_BYTES
  // Prepared headers of the frames to the peer (segments.ts), and the version of the next hop that they are good for.
  header: Uint8Array | undefined = undefined
  headerVersion = -1
  pseudo = 0
  /** What is left to the device of a segment that it does not cut. */
  offload = COMPLETE

  constructor(environment: Environment, route: Route, localPort: number, remotePort: number, iss: number, opener: Opener) {
    this.environment = environment
    this.route = route
    this.localPort = localPort
    this.remotePort = remotePort
    this.ports = portsOf(localPort, remotePort)
    this.opener = opener
    this.iss = iss
    this.sndUna = iss
    this.sndNxt = iss
    this.sndMax = iss
    this.heardAt = environment.now()
    this.mss = mssOf(route, route.pathMtu)
    this.send = new SendQueue(environment.abi)
    this.congestion = new Congestion(this.mss, iss)
  }

  get remote(): Endpoint {
    return { address: this.route.peer, port: this.remotePort }
  }

  get local(): Endpoint {
    return { address: this.route.local, port: this.localPort }
  }

  get room(): number {
    return this.environment.limits.sendBuffer - this.send.bytes
  }

  queue(bytes: Uint8Array, offset: number, length: number): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    if (this.ended) throw new SocketError('EPIPE', `write to ${this.#name()} after its end: write before calling end()`)
    this.send.push(bytes, offset, length)
    if (this.send.bytes >= this.environment.limits.sendBuffer) this.full = true
  }

  flush(): void {
    if (this.state >= ESTABLISHED && this.state !== TIME_WAIT) output(this, this.environment.now(), false)
  }

  consumed(length: number): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return // all was given back already
    this.retained -= length
    this.environment.memory.give(length)
    if (this.state < ESTABLISHED || this.state >= CLOSE_WAIT) return
    if (this.inLate && this.unacknowledged > 0) {
      if (this.retained === 0) acknowledge(this) // with the whole window
      return
    }
    // Tell the peer once the window has opened by a good piece (RFC 9293 section 3.8.6.2.2): an eighth, and two segments, or
    // two packets of a peer who does not cut them into segments. Smaller steps ride on other segments.
    const { receiveWindow } = this.environment.limits
    const opened = receiveWindow - this.retained - ((this.rcvAdv - this.rcvNxt) | 0)
    const isGood = opened >= 2 * this.mss && opened >= 2 * this.rcvLargest && opened >= receiveWindow >>> 3
    if (isGood || opened >= receiveWindow >>> 1) acknowledge(this)
  }

  end(): void {
    if (this.ended || this.state === CLOSED || this.state === TIME_WAIT) return
    this.ended = this.finPending = true
    if (this.state === SYN_SENT) this.finish(new SocketError('ECONNABORTED', `${this.#name()} was closed before it was established`))
    else this.flush()
  }

  abort(error?: Error): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    if (this.state !== SYN_SENT) emit(this, this.sndMax, RST | ACK, 0, 0)
    this.finish(error ?? new SocketError('ECONNABORTED', `${this.#name()} was aborted`))
  }

  abortAfter(milliseconds: number): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    this.abortAt = this.environment.now() + milliseconds
    this.#wakeBy(this.abortAt)
  }

  keepAlive(milliseconds: number | undefined): void {
    if (milliseconds !== undefined && !(milliseconds > 0))
      throw new RangeError(`keepAlive(${milliseconds}): the time must be a number of milliseconds above 0, or undefined for never`)
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    this.keepAliveTime = milliseconds ?? Infinity
    this.keepAliveAt = this.environment.now() + this.keepAliveTime
    this.questions = 0
    this.#wakeBy(this.keepAliveAt)
  }

  /**
   * Gives up (ETIMEDOUT) once the peer has taken nothing for `milliseconds` of what was sent, or of what waits for its window (the user timeout
   * of RFC 9293 section 3.9.1), but not before the retransmission timer has expired. It takes the place of the usual number of
   * retransmissions.
   */
  giveUpAfter(milliseconds: number): void {
    this.patience = new Patience(milliseconds)
  }

  #wakeBy(deadline: number): void {
    if (deadline >= this.wakeAt) return
    this.wakeAt = deadline
    this.environment.wake(this)
  }

  /** Whether the peer can still send. */
  get isReceiving(): boolean {
    return this.state === ESTABLISHED || this.state === FIN_WAIT_1 || this.state === FIN_WAIT_2
  }

  /** Ends in state CLOSED, gives everything back and tells the handler; `error` when that was not the plan. */
  finish(error: Error | undefined): void {
    if (this.state === CLOSED) return
    this.state = CLOSED
    this.release()
    this.environment.closed(this)
    this.#tell(error)
  }

  /** Both sides are done, and this one waits for stray segments: only sequence numbers stay. */
  enterTimeWait(): void {
    this.state = TIME_WAIT
    this.release()
    this.environment.timeWait(this)
    this.#tell(undefined)
  }

  release(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.retransmitAt = this.abortAt = this.keepAliveAt = this.lossAt = this.wakeAt = Infinity
    this.send.clear()
    this.flight = this.lastFlight = undefined
    this.reassembly?.clear()
    this.environment.memory.give(this.retained)
    this.retained = 0
  }

  #tell(error: Error | undefined): void {
    const handler = this.handler
    this.handler = silent
    handler.onClosed(error)
  }

  /** For error texts and logs. */
  #name(): string {
    return `connection to ${this.route.endpoint(this.remotePort)}`
  }

  failure(code: 'ECONNRESET' | 'ECONNREFUSED' | 'ENETRESET' | 'ETIMEDOUT' | 'EHOSTUNREACH', what: string): SocketError {
    return new SocketError(code, `${this.#name()} ${what}`)
  }

  /** The FIN went out. */
  finSent(): void {
    if (this.state === ESTABLISHED) this.state = FIN_WAIT_1
    else if (this.state === CLOSE_WAIT) this.state = LAST_ACK
  }
}

/** Handler of a connection that has none yet, or no more. */
const silent: SocketHandler = {
  onData: () => 0,
  onEnd() {},
  onWritable() {},
  onClosed() {},
}
