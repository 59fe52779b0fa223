/**
 * The engine room of TCP: makes and forgets connections, and is the environment of the protocol core. Segments come in through
 * demultiplexer.ts and go out through sending.ts; what programs see of it is in tcp.ts.
 */
import { describeError, type HostFunctions, type Machine, recently, type Timers } from '@xen-ts/runtime/machine'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import type { Interface } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import { LimitedLog } from '../limited.ts'
import { SocketError } from '../socket.ts'
import { ACK, RST, type Segment } from '../wire/tcp.ts'
import { HeldAcknowledgments } from './acks.ts'
import { Blocked } from './blocked.ts'
import { Connection, type Opener } from './connection.ts'
import { Cookies, cookieOptions, offeredOptions } from './cookies.ts'
import { Demultiplexer } from './demultiplexer.ts'
import type { Environment } from './environment.ts'
import { shiftFor, synchronize } from './handshake.ts'
import { InitialSequence } from './isn.ts'
import { PortListener } from './listener.ts'
import { startTimer, wakeBy } from './output.ts'
import { MemoryBudget } from './reassembly.ts'
import { LEAST_TIMEOUT } from './round-trip.ts'
import { answerWithCookie, emit, emitSyn } from './sending.ts'
import { SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'
import { portsOf, Table } from './table.ts'
import { TimeWait } from './time-wait.ts'
import { timerFired } from './timers.ts'
import { StampOffsets, Stamps } from './timestamps.ts'

export class TcpEngine implements Environment {
  readonly abi: HostFunctions
  readonly counters: Counters
  readonly limits: Limits
  readonly memory: MemoryBudget
  readonly ip: Interface
  readonly table = new Table()
  readonly timeWaiting: TimeWait
  readonly input: Demultiplexer
  readonly cookies: Cookies
  isClosed = false
  /** The time at which the segment arrived that is being dealt with: it serves all that follows from it. -1: none is. */
  segmentTime = -1
  readonly timers: Timers
  readonly #limited: LimitedLog
  readonly #isn: InitialSequence
  readonly #offsets: StampOffsets
  readonly #acks: HeldAcknowledgments
  readonly #blocked = new Blocked()
  readonly #fired = (c: Connection): void => timerFired(c, this.timers.now())

  constructor(machine: Machine, ip: Interface, limits: Limits) {
    this.abi = machine.abi
    this.counters = ip.counters
    this.limits = limits
    this.memory = new MemoryBudget(limits.receiveMemory)
    this.ip = ip
    this.timers = machine.timers
    this.#limited = new LimitedLog(machine.log('stack:tcp'), machine.timers)
    this.input = new Demultiplexer(this, this.#limited)
    this.#isn = new InitialSequence(machine.abi)
    this.cookies = new Cookies(machine.abi)
    this.#offsets = new StampOffsets(machine.abi)
    this.timeWaiting = new TimeWait(
      machine.timers,
      () => this.now(),
      limits.timeWait,
      () => ip.counters.tcpTimeWaitEvicted++,
    )
    this.#acks = new HeldAcknowledgments(machine.timers, limits.receiveWindow)
  }

  // ---- connections

  get isFull(): boolean {
    return this.table.size - this.timeWaiting.size >= this.limits.connections
  }

  /** A SYN arrived for a listener. */
  accept(listener: PortListener, route: Route, s: Segment): void {
    if (this.isFull) {
      this.counters.tcpSynDropped++ // the client tries again
      return
    }
    const now = this.now()
    if (listener.halfOpen.size >= listener.backlog) {
      this.counters.tcpSynCookies++
      const receiveWindow = this.limits.receiveWindow
      const stamp = (now + this.#offsets.of(route, s.localPort, s.remotePort)) | 0
      answerWithCookie(route, s, this.cookies.make(route, s, now), receiveWindow, cookieOptions(route, s, shiftFor(receiveWindow), stamp))
      return
    }
    const iss = this.#isn.next(now, route.words, s.localPort, s.remotePort)
    const c = new Connection(this, route, s.localPort, s.remotePort, iss, listener)
    c.state = SYN_RECEIVED
    if (s.stamped) c.stamps = this.#stamps(c)
    synchronize(c, s)
    this.table.add(c)
    listener.halfOpen.add(c)
    this.#startSyn(c, now)
  }

  /** The connection of whoever acknowledges a cookie; undefined when `s` acknowledges none, or there is no room. */
  acceptCookie(listener: PortListener, route: Route, s: Segment): Connection | undefined {
    const mss = this.cookies.check(route, s, this.now())
    if (mss === 0) return undefined
    if (this.isFull) {
      this.counters.tcpSynDropped++ // the client sends its data again
      return undefined
    }
    const c = new Connection(this, route, s.localPort, s.remotePort, (s.acknowledgment - 1) | 0, listener)
    c.state = SYN_RECEIVED
    c.sndNxt = c.sndMax = s.acknowledgment
    if (s.stamped) c.stamps = this.#stamps(c)
    const { stamped, stamp, stampHigh, stampLow } = s
    const options = offeredOptions(s)
    synchronize(c, { sequence: (s.sequence - 1) | 0, window: s.window, mss, ...options, stamped, stamp, stampHigh, stampLow })
    c.rcvAdv = (c.rcvNxt + Math.min(this.limits.receiveWindow, 0xffff)) | 0
    this.table.add(c)
    return c
  }

  /** Starts an active connection; the caller sets its handler before anything else happens. */
  open(route: Route, port: number, opener: Opener): Connection {
    if (this.isFull || this.isClosed) {
      const open = this.table.size - this.timeWaiting.size
      const what = `cannot connect to ${route.endpoint(port)}`
      throw new SocketError('ENOBUFS', `${what}: ${open} connections are open, the limit of this stack`)
    }
    const now = this.now()
    const localPort = this.#ephemeralPort(route, port)
    const c = new Connection(this, route, localPort, port, this.#isn.next(now, route.words, localPort, port), opener)
    c.state = SYN_SENT
    c.stamps = this.#stamps(c)
    c.rcvShift = shiftFor(this.limits.receiveWindow)
    this.table.add(c)
    this.#startSyn(c, now)
    return c
  }

  #stamps({ route, localPort, remotePort }: Connection): Stamps {
    return new Stamps(this.#offsets.of(route, localPort, remotePort))
  }

  #startSyn(c: Connection, now: number): void {
    c.sndNxt = c.sndMax = (c.iss + 1) | 0
    c.timedAt = now
    c.timedEnd = c.sndMax
    emitSyn(c)
    // Whoever called is answered soon, and then the timer is to fire sooner than for a SYN: it is set to that at once, and finds nothing due.
    if (c.state === SYN_RECEIVED) wakeBy(c, now + LEAST_TIMEOUT)
    startTimer(c, now)
  }

  /** A local port in the dynamic range, random (RFC 6056) and free towards this peer. */
  #ephemeralPort(route: Route, remotePort: number): number {
    const random = new Uint16Array(1)
    this.abi.random(new Uint8Array(random.buffer))
    const taken = route.peer === route.local ? remotePort : 0 // a connection has two ends, also one to ourselves
    for (let i = 0; i < 16384; i++) {
      const port = 49152 + ((random[0] + i) & 16383)
      if (port !== taken && !this.table.listeners.has(port) && route.connections?.has(portsOf(port, remotePort)) !== true) return port
    }
    throw new SocketError('ENOBUFS', `no local TCP port is free towards ${route.endpoint(remotePort)}: close connections first`)
  }

  /**
   * The stack gets other addresses by `change`. Connections on routes that are lost by it are reset: their peers are told from the old
   * address, their users when the new one is there, so that they can connect again at once. Listeners go on. Gives the number of connections.
   */
  readdress(change: () => void, isLost: (route: Route) => boolean, why: string): number {
    const all = [...this.table.all()].filter(({ route }) => isLost(route))
    const live = all.filter(({ state }) => state !== TIME_WAIT)
    for (const c of live) if (c.state !== SYN_SENT) emit(c, c.sndMax, RST | ACK, 0, 0)
    change()
    for (const c of all)
      this.#drop(c, c.state === TIME_WAIT ? undefined : c.failure('ENETRESET', `is reset, the network was changed: ${why}. Connect again.`))
    return live.length
  }

  #drop(c: Connection, error: SocketError | undefined): void {
    try {
      c.finish(error)
    } catch (error) {
      this.#limited.write('error', () => `the handler of a connection threw at its end: ${describeError(error)}`)
    }
  }

  /** Resets all connections. */
  close(): void {
    this.isClosed = true
    for (const c of [...this.table.all()]) {
      if (c.state === TIME_WAIT) c.finish(undefined)
      else c.abort()
    }
    this.timeWaiting.close()
    this.#acks.close()
  }

  // ---- what the device says

  /** A batch of received frames is over. */
  batchEnds(): void {
    this.#acks.batchEnds()
  }

  /** After there was none, there is a free frame again. */
  framesFree(): void {
    this.#blocked.framesFree(this.now())
  }

  // ---- environment of the protocol core

  now(): number {
    return this.segmentTime < 0 ? recently(this.timers) : this.segmentTime
  }

  block(c: Connection): void {
    this.#blocked.add(c)
  }

  wake(c: Connection): void {
    c.timer?.cancel()
    const timers = this.timers
    c.timer = timers.at === undefined ? timers.set(c.wakeAt - timers.now(), () => this.#fired(c)) : timers.at(c.wakeAt, this.#fired, c)
  }

  acknowledgeLater(c: Connection): void {
    this.#acks.add(c)
  }

  timeWait(c: Connection): void {
    this.timeWaiting.add(c)
  }

  closed(c: Connection): void {
    this.table.remove(c)
    this.timeWaiting.remove(c)
    if (c.opener instanceof PortListener) c.opener.halfOpen.delete(c)
  }
}
