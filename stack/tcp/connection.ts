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
  declare readonly environment: Environment
  /** Way to the peer: both addresses. With both ports it is the connection's name. */
  declare readonly route: Route
  declare readonly localPort: number
  declare readonly remotePort: number
  declare readonly ports: number
  declare state: number
  /** Told when the connection is established; false when it is not wanted any more. */
  declare readonly opener: Opener
  declare handler: SocketHandler

  // Send sequence (names of RFC 9293): una = oldest unacknowledged, nxt = next to send, max = highest ever sent (after a timeout
  // nxt goes back to una). wl1, wl2: segment of the last window update.
  declare iss: number
  declare sndUna: number
  declare sndNxt: number
  declare sndMax: number
  declare sndWnd: number
  declare sndWl1: number
  declare sndWl2: number
  declare sndShift: number
  /** Largest window the peer ever offered: half of it is worth a segment (silly window avoidance). */
  declare sndWndMax: number
  /** Payload bytes of a full segment. */
  declare mss: number
  declare readonly send: SendQueue
  /** The user called end; and the FIN that follows from it was not acknowledged yet. */
  declare ended: boolean
  declare finPending: boolean
  /** The writer was told to wait. */
  declare full: boolean
  /** Waits for full segments while something is in flight (RFC 9293 section 3.7.4). Off: our writers gather before they flush. */
  declare nagle: boolean

  // Receive sequence: nxt = next expected, adv = right edge of the window as advertised; it never moves back.
  declare irs: number
  declare rcvNxt: number
  declare rcvAdv: number
  declare rcvShift: number
  /** Payload bytes of the largest packet that came; more than a segment from a peer on the same host, which does not cut them. */
  declare rcvLargest: number
  /** Whether the peer offered window scaling. */
  declare scaling: boolean
  /** Whether both understand selective acknowledgments; what is under way, when that is more than one packet; and what it was last. */
  declare sack: boolean
  declare flight: Flight | undefined
  declare lastFlight: Flight | undefined

  /** Timestamps, when both sides send them, or our SYN has offered them. */
  declare stamps: Stamps | undefined
  /** Bytes delivered that the handler keeps. */
  declare retained: number
  declare reassembly: Reassembly | undefined
  /** Bytes received since the last acknowledgment was sent, and whether one must go out at once. */
  declare unacknowledged: number
  declare ackNow: boolean
  /** Whether the connection stands in the environment's lists of held-back acknowledgments. */
  declare inBatch: boolean
  declare inLate: boolean
  declare inDelayed: boolean
  declare inBlocked: boolean

  // Retransmission: the timed segment's end, when it was sent or why none is timed, expirations in a row.
  declare readonly roundTrip: RoundTrip
  declare readonly congestion: Congestion
  declare timedEnd: number
  declare timedAt: number
  declare retries: number
  /** Zero-window probes since the window was shut. */
  declare probes: number
  declare lastSent: number

  // Keep-alive: after how many milliseconds of silence, when the peer was last heard, questions without an answer.
  declare keepAliveTime: number
  declare heardAt: number
  declare questions: number

  /** User timeout. */
  declare patience: Patience | undefined

  // Deadlines in milliseconds; one lazy timer serves all: it may fire early and then finds nothing due.
  declare retransmitAt: number
  declare abortAt: number
  declare keepAliveAt: number
  /** When more will be lost of what is under way, or its end is to be probed for. */
  declare lossAt: number
  declare wakeAt: number
  declare timer: Timer | undefined
  /** In TIME-WAIT: a SYN came that is not above the old sequence numbers. */
  declare calledAgain: boolean
  /** When the last acknowledgment went out that a hostile segment could have asked for (RFC 5961 section 7). */
  declare challengedAt: number

  /** Bytes of a TCP header that is no SYN's. */
  declare headerBytes: number
  // Prepared headers of the frames to the peer (segments.ts), and the version of the next hop that they are good for.
  declare header: Uint8Array | undefined
  declare headerVersion: number
  declare pseudo: number
  /** What is left to the device of a segment that it does not cut. */
  declare offload: number

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
    this.state = CLOSED
    this.handler = silent
    this.sndWnd = 0
    this.sndWl1 = 0
    this.sndWl2 = 0
    this.sndWndMax = 0
    this.ended = false
    this.finPending = false
    this.irs = 0
    this.rcvNxt = 0
    this.rcvAdv = 0
    this.rcvLargest = 0
    this.retained = 0
    this.unacknowledged = 0
    this.ackNow = false
    this.inDelayed = false
    this.inLate = false
    this.timedEnd = 0
    this.timedAt = UNTIMED
    this.retries = 0
    this.lastSent = 0
    this.retransmitAt = Infinity
    this.wakeAt = Infinity
    this.timer = undefined
    this.header = undefined
    this.headerVersion = -1
    this.pseudo = 0
    this.offload = COMPLETE
    this.roundTrip = new RoundTrip()
    this.heardAt = environment.now()
    this.mss = mssOf(route, route.pathMtu)
    this.send = new SendQueue(environment.abi)
    this.congestion = new Congestion(this.mss, iss)
  }

  static {
    // What few connections change is none's own until then.
    Object.assign(Connection.prototype, {
      sndShift: 0,
      full: false,
      nagle: false,
      rcvShift: 0,
      scaling: false,
      sack: false,
      flight: undefined,
      lastFlight: undefined,
      stamps: undefined,
      reassembly: undefined,
      inBatch: false,
      inBlocked: false,
      probes: 0,
      keepAliveTime: Infinity,
      questions: 0,
      patience: undefined,
      abortAt: Infinity,
      keepAliveAt: Infinity,
      lossAt: Infinity,
      calledAgain: false,
      challengedAt: -Infinity,
      headerBytes: TCP_BYTES,
    })
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
    if (this.ended) throw new SocketError('EPIPE', `write to ${this.name()} after its end: write before calling end()`)
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
    if (this.state === SYN_SENT) this.finish(new SocketError('ECONNABORTED', `${this.name()} was closed before it was established`))
    else this.flush()
  }

  abort(error?: Error): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    if (this.state !== SYN_SENT) emit(this, this.sndMax, RST | ACK, 0, 0)
    this.finish(error ?? new SocketError('ECONNABORTED', `${this.name()} was aborted`))
  }

  abortAfter(milliseconds: number): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    this.abortAt = this.environment.now() + milliseconds
    this.wakeBy(this.abortAt)
  }

  keepAlive(milliseconds: number | undefined): void {
    if (milliseconds !== undefined && !(milliseconds > 0))
      throw new RangeError(`keepAlive(${milliseconds}): the time must be a number of milliseconds above 0, or undefined for never`)
    if (this.state === CLOSED || this.state === TIME_WAIT) return
    this.keepAliveTime = milliseconds ?? Infinity
    this.keepAliveAt = this.environment.now() + this.keepAliveTime
    this.questions = 0
    this.wakeBy(this.keepAliveAt)
  }

  /**
   * Gives up (ETIMEDOUT) once the peer has taken nothing for `milliseconds` of what was sent, or of what waits for its window (the user timeout
   * of RFC 9293 section 3.9.1), but not before the retransmission timer has expired. It takes the place of the usual number of
   * retransmissions.
   */
  giveUpAfter(milliseconds: number): void {
    this.patience = new Patience(milliseconds)
  }

  private wakeBy(deadline: number): void {
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
    this.tell(error)
  }

  /** Both sides are done, and this one waits for stray segments: only sequence numbers stay. */
  enterTimeWait(): void {
    this.state = TIME_WAIT
    this.release()
    this.environment.timeWait(this)
    this.tell(undefined)
  }

  release(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.retransmitAt = this.wakeAt = Infinity
    if (this.abortAt !== Infinity) this.abortAt = Infinity
    if (this.keepAliveAt !== Infinity) this.keepAliveAt = Infinity
    if (this.lossAt !== Infinity) this.lossAt = Infinity
    this.send.clear()
    if (this.flight !== undefined || this.lastFlight !== undefined) this.flight = this.lastFlight = undefined
    this.reassembly?.clear()
    this.environment.memory.give(this.retained)
    this.retained = 0
  }

  private tell(error: Error | undefined): void {
    const handler = this.handler
    this.handler = silent
    handler.onClosed(error)
  }

  /** For error texts and logs. */
  private name(): string {
    return `connection to ${this.route.endpoint(this.remotePort)}`
  }

  failure(code: 'ECONNRESET' | 'ECONNREFUSED' | 'ENETRESET' | 'ETIMEDOUT' | 'EHOSTUNREACH', what: string): SocketError {
    return new SocketError(code, `${this.name()} ${what}`)
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
