/** Finds the connection of a segment, or the listener, and does what connections leave to do: resets, and new connections. */
import { describeError, type Frame, recently } from '@xen-ts/runtime/machine'
import type { Unreachable } from '../ip/icmp.ts'
import type { PacketReceiver } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import type { LimitedLog } from '../limited.ts'
import { ACK, FIN, parseTcp, RST, Segment, SYN, TCP_BYTES, takeArrival } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import type { TcpEngine } from './engine.ts'
import { segmentArrives } from './input.ts'
import { challenge, output } from './output.ts'
import { resendAll } from './recovery.ts'
import { hasGoodChecksum, mssOf } from './segments.ts'
import { sendReset } from './sending.ts'
import { SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'
import { portsOf } from './table.ts'
import { DONE, NEW_CONNECTION, SEND_RESET } from './verdict.ts'

export class Demultiplexer implements PacketReceiver {
  readonly #engine: TcpEngine
  readonly #log: LimitedLog
  readonly #segment = new Segment()

  constructor(engine: TcpEngine, log: LimitedLog) {
    this.#engine = engine
    this.#log = log
  }

  receive(frame: Frame, at: number, length: number, route: Route): void {
    const s = this.#segment
    if (!parseTcp(frame.u8, frame.u16, at, length, s)) {
      this.#engine.counters.malformed++
      return
    }
    if (!hasGoodChecksum(route, frame, at, length)) {
      this.#engine.counters.badChecksum++
      return
    }
    this.#taken(s, route)
  }

  /** What the ABI's packetIn has read and found good. */
  arrived(frame: Frame, record: Int32Array, route: Route): void {
    const s = this.#segment
    takeArrival(frame.u8, record, s)
    this.#taken(s, route)
  }

  #taken(s: Segment, route: Route): void {
    const c = route.connections?.get((s.localPort << 16) | s.remotePort)
    if (c === undefined) {
      this.#withoutConnection(route, s)
      return
    }
    if (s.length > c.rcvLargest) c.rcvLargest = s.length
    const verdict = this.#arrives(c, s)
    if (verdict === SEND_RESET) this.#refused(c, route, s)
    else if (verdict === NEW_CONNECTION) this.#calledAgain(c, s)
  }

  /** An error in here, be it a handler's, costs the connection and not the domain. */
  #arrives(c: Connection, s: Segment): number {
    const engine = this.#engine
    try {
      return segmentArrives(c, s, (engine.segmentTime = recently(engine.timers)))
    } catch (error) {
      const peer = c.route.endpoint(c.remotePort)
      this.#log.write('error', () => `connection from ${peer} to port ${c.localPort} is reset: ${describeError(error)}`)
      c.abort()
      return DONE
    } finally {
      engine.segmentTime = -1
    }
  }

  /**
   * A half-open connection's peer acknowledges another number than ours. When its SYN came twice, the first time answered with a cookie, and
   * that answer took so long that the second made this connection, it is the cookie that it has.
   */
  #refused(c: Connection, route: Route, s: Segment): void {
    const { cookies } = this.#engine
    const now = this.#engine.now()
    const isCookie =
      c.state === SYN_RECEIVED && (s.flags & (SYN | ACK | RST)) === ACK && cookies.areOut(now) && cookies.check(route, s, now) !== 0
    if (isCookie && this.#engine.table.listeners.has(s.localPort)) {
      c.finish(undefined)
      this.#withoutConnection(route, s)
    } else {
      this.#engine.counters.tcpUnacceptable++
      sendReset(route, s)
    }
  }

  #withoutConnection(route: Route, s: Segment): void {
    const engine = this.#engine
    const listener = engine.table.listeners.get(s.localPort)
    if (listener !== undefined) {
      if ((s.flags & (SYN | ACK | RST | FIN)) === SYN) {
        engine.accept(listener, route, s)
        return
      }
      if ((s.flags & (SYN | ACK | RST)) === ACK && engine.cookies.areOut(engine.now())) {
        // What fits no cookie may be a later segment of one: it is not reset, the first comes again.
        const c = engine.acceptCookie(listener, route, s)
        if (c === undefined) engine.counters.tcpNoConnection++
        else this.#arrives(c, s)
        return
      }
    }
    engine.counters.tcpNoConnection++
    // Where someone listens, what is neither a SYN nor an acknowledgment is dropped (RFC 9293 section 3.10.7.2).
    if (listener === undefined || (s.flags & ACK) !== 0) sendReset(route, s)
  }

  /** A SYN with a new number for a connection in TIME-WAIT. */
  #calledAgain(c: Connection, s: Segment): void {
    if (this.#engine.table.listeners.has(s.localPort)) {
      c.finish(undefined)
      this.#withoutConnection(c.route, s)
    } else {
      challenge(c)
    }
  }

  /** What ICMP says about a segment of ours; believed only when the segment is in flight (RFC 5927). */
  unreachable({ route, localPort, remotePort, sequence, code, refused, mtu }: Unreachable): void {
    const c = route.connections?.get(portsOf(localPort, remotePort))
    const inFlight = c !== undefined && ((sequence - c.sndUna) | 0) >= 0 && ((sequence - c.sndMax) | 0) < 0
    if (!inFlight) {
      this.#engine.counters.icmpIgnored++
    } else if (mtu !== undefined) {
      if (c.state > SYN_RECEIVED && c.state !== TIME_WAIT) this.#shrink(c, mssOf(route, route.tooBig(mtu)) + TCP_BYTES - c.headerBytes)
      else this.#engine.counters.icmpIgnored++
    } else if (c.state !== SYN_SENT) {
      this.#engine.counters.icmpIgnored++ // on an established connection these are passing troubles (RFC 5461)
    } else if (refused) {
      c.finish(c.failure('ECONNREFUSED', `was refused: nobody listens there, says the network (ICMP code ${code})`))
    } else {
      c.finish(c.failure('EHOSTUNREACH', `is not possible: the network answers unreachable (ICMP code ${code})`))
    }
  }

  #shrink(c: Connection, mss: number): void {
    if (mss >= c.mss) return
    c.mss = mss
    c.congestion.mss = mss
    if (c.sndMax === c.sndUna) return
    if (c.sack) resendAll(c)
    else c.sndNxt = c.sndUna
    output(c, this.#engine.now(), true)
  }
}
