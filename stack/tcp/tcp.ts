/**
 * TCP of a stack: finds the connection of a segment, makes and forgets connections, and is the environment of the protocol core. What
 * is and is not implemented is listed in the README of this folder.
 */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import type { Frame } from '@xen-ts/drivers/ethernet.ts'
import type { Machine, Timers } from '@xen-ts/runtime/machine.ts'
import { formatIpv4, parseIpv4, type Ipv4 } from '../address.ts'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import type { Unreachable } from '../ip/icmp.ts'
import type { Interface } from '../ip/interface.ts'
import { SocketError, type ByteSocket, type Listener, type ListenOptions, type SocketHandler } from '../socket.ts'
import { FRAGMENTATION_NEEDED } from '../wire/icmp.ts'
import { ACK, FIN, parseTcp, RST, Segment, SYN } from '../wire/tcp.ts'
import { HeldAcknowledgments } from './acks.ts'
import { Connection, type Opener } from './connection.ts'
import type { Environment } from './environment.ts'
import { NEW_CONNECTION, segmentArrives, SEND_RESET, shiftFor, synchronize } from './input.ts'
import { InitialSequence } from './isn.ts'
import { DEFAULT_BACKLOG, PortListener } from './listener.ts'
import { output, startTimer } from './output.ts'
import { MemoryBudget } from './reassembly.ts'
import { addSack, buildSegment, hasGoodChecksum, MSS_OVERHEAD, sendReset, sendSyn } from './segments.ts'
import { CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'
import { TcpConnection } from './stream.ts'
import { Table, type Port } from './table.ts'
import { TimeWait } from './time-wait.ts'
import { timerFired } from './timers.ts'

export interface ConnectOptions {
  /** Dotted decimal. */
  readonly host: string
  readonly port: number
  /** Milliseconds until the attempt fails with ETIMEDOUT. Default: after the sixth SYN, about a minute. */
  readonly timeout?: number
  /** Gives the attempt up when it aborts before the connection is established. */
  readonly signal?: AbortSignal
}

export class Tcp implements Environment, Listener {
  readonly abi: Abi
  readonly counters: Counters
  readonly limits: Limits
  readonly memory: MemoryBudget
  readonly address: Ipv4
  readonly mss: number
  readonly #ip: Interface
  readonly #timers: Timers
  readonly #isn: InitialSequence
  readonly #table = new Table()
  readonly #timeWait: TimeWait
  readonly #acks: HeldAcknowledgments
  readonly #segment = new Segment()
  /** Connections that had something to send when there was no free frame. */
  #blocked: Connection[] = []
  /** The time at which the segment arrived that is being dealt with: it serves all that follows from it. -1: none is. */
  #segmentTime = -1
  #closed = false

  constructor(machine: Machine, ip: Interface, limits: Limits) {
    this.abi = machine.abi
    this.counters = ip.counters
    this.limits = limits
    this.memory = new MemoryBudget(limits.receiveMemory)
    this.address = ip.address
    this.mss = ip.device.mtu - MSS_OVERHEAD
    this.#ip = ip
    this.#timers = machine.timers
    this.#isn = new InitialSequence(machine.abi)
    this.#timeWait = new TimeWait(machine.timers, limits.timeWait, () => ip.counters.tcpTimeWaitEvicted++)
    this.#acks = new HeldAcknowledgments(machine.timers, limits.receiveWindow)
  }

  /** Connections in all states, and those of them in TIME-WAIT. */
  get connections(): number {
    return this.#table.size
  }

  get timeWaiting(): number {
    return this.#timeWait.size
  }

  // ---- for programs

  /** Listens without promises: see socket.ts. */
  bind(port: number, options: ListenOptions, accept: (socket: ByteSocket) => SocketHandler): void {
    checkPort(port)
    if (options.signal?.aborted || this.#closed) return
    const entry = this.#table.open(port)
    if (entry.listener !== undefined) throw new SocketError('EADDRINUSE', `TCP port ${port} of this stack is listened to already: choose another`)
    const listener = new PortListener(options.backlog ?? DEFAULT_BACKLOG, accept)
    entry.listener = listener
    options.signal?.addEventListener('abort', () => {
      entry.listener = undefined
      listener.close()
      this.#table.tidy(port)
    }, { once: true })
  }

  /** Calls `accept` for each connection until `signal` aborts, then resolves; rejects with EADDRINUSE when the port is taken. */
  async listen(options: ListenOptions & { readonly port: number }, accept: (connection: TcpConnection) => void): Promise<void> {
    const { port, signal } = options
    this.bind(port, options, (socket) => {
      const connection = new TcpConnection(socket as Connection)
      accept(connection)
      return connection.handler
    })
    if (signal?.aborted) return
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  }

  /**
   * Connects to a peer. Rejects with a SocketError (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, ENOBUFS for the stack's limits),
   * or with the reason of `signal`.
   */
  async connect(options: ConnectOptions): Promise<TcpConnection> {
    const { host, port, timeout, signal } = options
    signal?.throwIfAborted()
    checkPort(port)
    const ip = parseIpv4(host)
    if (ip === undefined) throw new SocketError('EHOSTUNREACH', `cannot connect to ${JSON.stringify(host)}: it is not an IPv4 address, and names are not resolved here`)
    if (this.#ip.nextHop(ip) === undefined) throw new SocketError('EHOSTUNREACH', `no route to ${formatIpv4(ip)}: give the stack a gateway, or the prefix of its network`)
    const established = Promise.withResolvers<void>()
    const opener: Opener = {
      opened() {
        established.resolve()
        return true
      },
    }
    const connection = this.open(ip, port, opener)
    const stream = new TcpConnection(connection)
    connection.handler = stream.handler
    stream.closed.catch(established.reject)
    if (timeout !== undefined) connection.abortAfter(timeout)
    const abort = (): void => connection.abort(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await established.promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
    return stream
  }

  /** Starts an active connection; its handler is to be set by the caller before anything else happens. */
  open(ip: Ipv4, port: number, opener: Opener): Connection {
    if (this.#table.size >= this.limits.connections || this.#closed) {
      throw new SocketError('ENOBUFS', `cannot connect to ${formatIpv4(ip)}:${port}: ${this.#table.size} connections are open, the limit of this stack`)
    }
    const now = this.now()
    const localPort = this.#ephemeralPort(ip, port)
    const opened: Opener = {
      opened(c) {
        c.abortAt = Infinity
        return opener.opened(c)
      },
    }
    const c = new Connection(this, localPort, ip, port, this.#isn.next(now, this.address, localPort, ip, port), opened)
    c.state = SYN_SENT
    c.rcvShift = shiftFor(this.limits.receiveWindow)
    this.#table.add(c)
    this.#startSyn(c, now)
    return c
  }

  // ---- for the stack

  receive(frame: Frame, at: number, length: number, source: Ipv4): void {
    const s = this.#segment
    if (!parseTcp(frame.u8, frame.u16, at, length, s)) {
      this.counters.malformed++
      return
    }
    if (!hasGoodChecksum(this.#ip, frame, at, length)) {
      this.counters.badChecksum++
      return
    }
    s.remoteIp = source
    const port = this.#table.port(s.localPort)
    const c = port === undefined ? undefined : this.#table.find(port, s.remoteIp, s.remotePort)
    if (c === undefined) {
      this.#withoutConnection(port, s)
      return
    }
    const now = this.#segmentTime = this.#timers.now()
    const verdict = segmentArrives(c, s, now)
    this.#segmentTime = -1
    if (verdict === SEND_RESET) sendReset(this.#ip, s)
    else if (verdict === NEW_CONNECTION) {
      c.finish(undefined)
      this.#withoutConnection(port, s)
    }
  }

  #withoutConnection(port: Port | undefined, s: Segment): void {
    const listener = port?.listener
    const kind = s.flags & (SYN | ACK | RST | FIN)
    if (listener !== undefined && kind === SYN) {
      this.#synReceived(listener, s)
      return
    }
    this.counters.tcpNoConnection++
    sendReset(this.#ip, s)
  }

  #synReceived(listener: PortListener, s: Segment): void {
    if (listener.halfOpen.size >= listener.backlog) {
      for (const oldest of listener.halfOpen) {
        this.counters.tcpSynDropped++
        oldest.finish(undefined)
        break
      }
    }
    if (this.#table.size - this.#timeWait.size >= this.limits.connections) {
      this.counters.tcpSynDropped++ // the client tries again
      return
    }
    const now = this.now()
    const iss = this.#isn.next(now, this.address, s.localPort, s.remoteIp, s.remotePort)
    const c = new Connection(this, s.localPort, s.remoteIp, s.remotePort, iss, listener)
    c.state = SYN_RECEIVED
    synchronize(c, s)
    this.#table.add(c)
    listener.halfOpen.add(c)
    this.#startSyn(c, now)
  }

  #startSyn(c: Connection, now: number): void {
    c.sndNxt = c.sndMax = (c.iss + 1) | 0
    c.timedAt = now
    c.timedEnd = c.sndMax
    this.emitSyn(c)
    startTimer(c, now)
  }

  /** What ICMP says about a segment of ours; believed only when the segment is in flight (RFC 5927). */
  unreachable(message: Unreachable): void {
    const port = this.#table.port(message.localPort)
    const c = port === undefined ? undefined : this.#table.find(port, message.remoteIp, message.remotePort)
    const inFlight = c !== undefined && ((message.sequence - c.sndUna) | 0) >= 0 && ((message.sequence - c.sndMax) | 0) < 0
    if (!inFlight) {
      this.counters.icmpIgnored++
    } else if (c.state === SYN_SENT) {
      if (message.code === FRAGMENTATION_NEEDED) return
      c.finish(c.failure('EHOSTUNREACH', `is not possible: the network answers unreachable (ICMP code ${message.code})`))
    } else if (message.code === FRAGMENTATION_NEEDED) {
      // RFC 1191; 576 - 40 is the least that we go down to, so that nobody can make us send crumbs.
      const mss = Math.max(message.mtu - MSS_OVERHEAD, 536)
      if (mss >= c.mss) return
      c.mss = mss
      c.congestion.mss = mss
      c.sndNxt = c.sndUna
      output(c, this.now(), true)
    }
  }

  batchEnds(): void {
    this.#acks.batchEnds()
  }

  framesFree(): void {
    const blocked = this.#blocked
    this.#blocked = []
    for (const c of blocked) {
      c.inBlocked = false
      if (c.state !== CLOSED) output(c, this.now(), false)
    }
  }

  /** Resets all connections and stops listening. */
  close(): void {
    this.#closed = true
    for (const c of [...this.#table.all()]) {
      if (c.state === TIME_WAIT) c.finish(undefined)
      else c.abort()
    }
    this.#timeWait.close()
    this.#acks.close()
  }

  // ---- environment of the protocol core

  now(): number {
    return this.#segmentTime < 0 ? this.#timers.now() : this.#segmentTime
  }

  emit(c: Connection, sequence: number, flags: number, at: number, length: number): boolean {
    let hop = c.hop
    if (hop === undefined || hop.version !== c.headerVersion || hop.version === 0) {
      hop = this.#ip.nextHop(c.remoteIp)
      if (hop === undefined) {
        this.counters.noRoute++
        return true // lost, as on any wire
      }
    }
    const frame = this.#ip.reserve()
    if (frame === undefined) {
      if (!c.inBlocked) {
        c.inBlocked = true
        this.#blocked.push(c)
      }
      return false
    }
    c.unacknowledged = 0
    c.ackNow = false
    let size = buildSegment(this.#ip, c, hop, frame, sequence, flags, at, length)
    if (length === 0 && flags === ACK && c.sack && c.reassembly !== undefined && !c.reassembly.isEmpty) size = addSack(this.#ip, c, frame)
    this.#ip.transmit(hop, frame, size)
    return true
  }

  emitSyn(c: Connection): void {
    sendSyn(this.#ip, c)
  }

  wake(c: Connection): void {
    c.timer?.cancel()
    c.timer = this.#timers.set(c.wakeAt - this.#timers.now(), () => timerFired(c, this.#timers.now()))
  }

  acknowledgeLater(c: Connection): void {
    this.#acks.add(c)
  }

  timeWait(c: Connection): void {
    this.#timeWait.add(c)
  }

  closed(c: Connection): void {
    this.#table.remove(c)
    this.#timeWait.remove(c)
    if (c.opener instanceof PortListener) c.opener.halfOpen.delete(c)
  }

  /** A local port in the dynamic range, random (RFC 6056) and free towards this peer. */
  #ephemeralPort(ip: Ipv4, remotePort: number): number {
    const random = new Uint16Array(1)
    this.abi.random(new Uint8Array(random.buffer))
    for (let i = 0; i < 16384; i++) {
      const number = 49152 + ((random[0] + i) & 16383)
      const port = this.#table.port(number)
      if (port === undefined || (port.listener === undefined && this.#table.find(port, ip, remotePort) === undefined)) return number
    }
    throw new SocketError('ENOBUFS', `no local TCP port is free towards ${formatIpv4(ip)}:${remotePort}: close connections first`)
  }
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`TCP port ${port} does not exist: use 1 to 65535`)
}
