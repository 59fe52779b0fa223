/**
 * The engine room of TCP: finds the connection of a segment, makes and forgets connections, and is the environment of the protocol
 * core. What programs see of it is in tcp.ts.
 */

import {
  CHECKSUM,
  COMPLETE,
  describeError,
  type EthernetDevice,
  type Frame,
  type HostFunctions,
  type Log,
  type Machine,
  type Timers,
} from '@xen-ts/runtime/machine'
import { formatIpv4, type Ipv4 } from '../address.ts'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import type { Unreachable } from '../ip/icmp.ts'
import type { Interface } from '../ip/interface.ts'
import { SocketError } from '../socket.ts'
import { FRAGMENTATION_NEEDED } from '../wire/icmp.ts'
import { ACK, FIN, parseTcp, RST, Segment, SYN } from '../wire/tcp.ts'
import { HeldAcknowledgments } from './acks.ts'
import { Connection, type Opener } from './connection.ts'
import type { Environment } from './environment.ts'
import { DONE, NEW_CONNECTION, SEND_RESET, segmentArrives, shiftFor, synchronize } from './input.ts'
import { InitialSequence } from './isn.ts'
import { PortListener } from './listener.ts'
import { output, startTimer } from './output.ts'
import { MemoryBudget } from './reassembly.ts'
import { addSack, buildSegment, FRAME_OVERHEAD, hasGoodChecksum, MSS_OVERHEAD, payloadOf, sendReset, sendSyn } from './segments.ts'
import { CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts'
import { type Port, Table } from './table.ts'
import { TimeWait } from './time-wait.ts'
import { timerFired } from './timers.ts'

/** Whatever routers report, segments do not get smaller than for a path MTU of 576 (RFC 1191): nobody shall make us send crumbs. */
const LEAST_PATH_MSS = 536

export class TcpEngine implements Environment {
  readonly abi: HostFunctions
  readonly counters: Counters
  readonly limits: Limits
  readonly memory: MemoryBudget
  readonly ip: Interface
  readonly #device: EthernetDevice
  readonly table = new Table()
  readonly timeWaiting: TimeWait
  isClosed = false
  readonly #timers: Timers
  readonly #log: Log
  readonly #isn: InitialSequence
  readonly #acks: HeldAcknowledgments
  readonly #segment = new Segment()
  /** Connections that had something to send when there was no free frame. */
  #blocked: Connection[] = []
  /** The time at which the segment arrived that is being dealt with: it serves all that follows from it. -1: none is. */
  #segmentTime = -1

  constructor(machine: Machine, ip: Interface, limits: Limits) {
    this.abi = machine.abi
    this.counters = ip.counters
    this.limits = limits
    this.memory = new MemoryBudget(limits.receiveMemory)
    this.ip = ip
    this.#device = ip.device
    this.#timers = machine.timers
    this.#log = machine.log('stack:tcp')
    this.#isn = new InitialSequence(machine.abi)
    this.timeWaiting = new TimeWait(machine.timers, limits.timeWait, () => ip.counters.tcpTimeWaitEvicted++)
    this.#acks = new HeldAcknowledgments(machine.timers, limits.receiveWindow)
  }

  // ---- segments

  receive(frame: Frame, at: number, length: number, source: Ipv4): void {
    const s = this.#segment
    if (!parseTcp(frame.u8, frame.u16, at, length, s)) {
      this.counters.malformed++
      return
    }
    if (!hasGoodChecksum(this.ip, frame, at, length)) {
      this.counters.badChecksum++
      return
    }
    s.remoteIp = source
    const port = this.table.port(s.localPort)
    const c = port === undefined ? undefined : this.table.find(port, source, s.remotePort)
    if (c === undefined) {
      this.#withoutConnection(port, s)
      return
    }
    if (s.length > c.rcvLargest) c.rcvLargest = s.length
    const verdict = this.#arrives(c, s)
    if (verdict === SEND_RESET) sendReset(this.ip, s)
    else if (verdict === NEW_CONNECTION) {
      c.finish(undefined)
      this.#withoutConnection(port, s)
    }
  }

  /** An error in here, be it a handler's, costs the connection and not the domain. */
  #arrives(c: Connection, s: Segment): number {
    try {
      return segmentArrives(c, s, (this.#segmentTime = this.#timers.now()))
    } catch (error) {
      const peer = `${formatIpv4(c.remoteIp)}:${c.remotePort}`
      this.#log.error(`connection from ${peer} to port ${c.localPort} is reset: ${describeError(error)}`)
      c.abort()
      return DONE
    } finally {
      this.#segmentTime = -1
    }
  }

  #withoutConnection(port: Port | undefined, s: Segment): void {
    const listener = port?.listener
    if (listener !== undefined && (s.flags & (SYN | ACK | RST | FIN)) === SYN) {
      this.#synReceived(listener, s)
      return
    }
    this.counters.tcpNoConnection++
    sendReset(this.ip, s)
  }

  #synReceived(listener: PortListener, s: Segment): void {
    if (listener.halfOpen.size >= listener.backlog) {
      for (const oldest of listener.halfOpen) {
        this.counters.tcpSynDropped++
        oldest.finish(undefined)
        break
      }
    }
    if (this.isFull) {
      this.counters.tcpSynDropped++ // the client tries again
      return
    }
    const now = this.now()
    const iss = this.#isn.next(now, this.address, s.localPort, s.remoteIp, s.remotePort)
    const c = new Connection(this, s.localPort, s.remoteIp, s.remotePort, iss, listener)
    c.state = SYN_RECEIVED
    synchronize(c, s)
    this.table.add(c)
    listener.halfOpen.add(c)
    this.#startSyn(c, now)
  }

  /** What ICMP says about a segment of ours; believed only when the segment is in flight (RFC 5927). */
  unreachable(message: Unreachable): void {
    const port = this.table.port(message.localPort)
    const c = port === undefined ? undefined : this.table.find(port, message.remoteIp, message.remotePort)
    const inFlight = c !== undefined && ((message.sequence - c.sndUna) | 0) >= 0 && ((message.sequence - c.sndMax) | 0) < 0
    if (!inFlight) {
      this.counters.icmpIgnored++
    } else if (message.code === FRAGMENTATION_NEEDED) {
      if (c.state > SYN_RECEIVED && c.state !== TIME_WAIT) this.#shrink(c, Math.max(message.mtu - MSS_OVERHEAD, LEAST_PATH_MSS))
    } else if (c.state === SYN_SENT) {
      // On an established connection these are passing troubles (RFC 5461).
      c.finish(c.failure('EHOSTUNREACH', `is not possible: the network answers unreachable (ICMP code ${message.code})`))
    }
  }

  #shrink(c: Connection, mss: number): void {
    if (mss >= c.mss) return
    c.mss = mss
    c.congestion.mss = mss
    c.sndNxt = c.sndUna
    output(c, this.now(), true)
  }

  // ---- connections

  get isFull(): boolean {
    return this.table.size - this.timeWaiting.size >= this.limits.connections
  }

  /** Starts an active connection; the caller sets its handler before anything else happens. */
  open(ip: Ipv4, port: number, opener: Opener): Connection {
    if (this.isFull || this.isClosed) {
      const open = this.table.size - this.timeWaiting.size
      const what = `cannot connect to ${formatIpv4(ip)}:${port}`
      throw new SocketError('ENOBUFS', `${what}: ${open} connections are open, the limit of this stack`)
    }
    const now = this.now()
    const localPort = this.#ephemeralPort(ip, port)
    const c = new Connection(this, localPort, ip, port, this.#isn.next(now, this.address, localPort, ip, port), opener)
    c.state = SYN_SENT
    c.rcvShift = shiftFor(this.limits.receiveWindow)
    this.table.add(c)
    this.#startSyn(c, now)
    return c
  }

  #startSyn(c: Connection, now: number): void {
    c.sndNxt = c.sndMax = (c.iss + 1) | 0
    c.timedAt = now
    c.timedEnd = c.sndMax
    this.emitSyn(c)
    startTimer(c, now)
  }

  /** A local port in the dynamic range, random (RFC 6056) and free towards this peer. */
  #ephemeralPort(ip: Ipv4, remotePort: number): number {
    const random = new Uint16Array(1)
    this.abi.random(new Uint8Array(random.buffer))
    for (let i = 0; i < 16384; i++) {
      const number = 49152 + ((random[0] + i) & 16383)
      const port = this.table.port(number)
      const isFree = port === undefined || (port.listener === undefined && this.table.find(port, ip, remotePort) === undefined)
      if (isFree) return number
    }
    const peer = `${formatIpv4(ip)}:${remotePort}`
    throw new SocketError('ENOBUFS', `no local TCP port is free towards ${peer}: close connections first`)
  }

  /**
   * The stack gets other addresses by `change`. All connections are reset: their peers are told from the old address, their users
   * when the new one is there, so that they can connect again at once. Listeners go on. Gives the number of connections.
   */
  readdress(change: () => void, why: string): number {
    const all = [...this.table.all()]
    const live = all.filter(({ state }) => state !== TIME_WAIT)
    for (const c of live) if (c.state !== SYN_SENT) this.emit(c, c.sndMax, RST | ACK, 0, 0)
    change()
    for (const c of all)
      this.#drop(c, c.state === TIME_WAIT ? undefined : c.failure('ENETRESET', `is reset, the network was changed: ${why}. Connect again.`))
    return live.length
  }

  #drop(c: Connection, error: SocketError | undefined): void {
    try {
      c.finish(error)
    } catch (error) {
      this.#log.error(`the handler of a connection threw at its end: ${describeError(error)}`)
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
    const blocked = this.#blocked
    this.#blocked = []
    for (const c of blocked) {
      c.inBlocked = false
      if (c.state !== CLOSED) output(c, this.now(), false)
    }
  }

  // ---- environment of the protocol core

  get address(): Ipv4 {
    return this.ip.address
  }

  get mss(): number {
    return this.ip.device.mtu - MSS_OVERHEAD
  }

  now(): number {
    return this.#segmentTime < 0 ? this.#timers.now() : this.#segmentTime
  }

  emit(c: Connection, sequence: number, flags: number, at: number, length: number): boolean {
    let hop = c.hop
    if (hop === undefined || hop.version !== c.headerVersion || hop.version === 0) {
      hop = this.ip.nextHop(c.remoteIp)
      if (hop === undefined) {
        this.counters.noRoute++
        return true // lost, as on any wire
      }
    }
    const isLarge = length > c.mss
    const frame = this.ip.reserve(isLarge ? length + FRAME_OVERHEAD : 0)
    if (frame === undefined) {
      if (!c.inBlocked) {
        c.inBlocked = true
        this.#blocked.push(c)
      }
      return false
    }
    c.unacknowledged = 0
    c.ackNow = false
    let offload = isLarge ? c.mss : this.#device.checksums === true ? CHECKSUM : COMPLETE
    let size = buildSegment(this.ip, c, hop, frame, sequence, flags, at, length, offload)
    if (length === 0 && flags === ACK && c.sack && c.reassembly !== undefined && !c.reassembly.isEmpty) {
      size = addSack(this.ip, c, frame)
      offload = COMPLETE
    }
    this.ip.transmit(hop, frame, size, offload)
    return true
  }

  largest(): number {
    const device = this.#device
    return device.largest === undefined ? 0 : payloadOf(device.largest())
  }

  emitSyn(c: Connection): void {
    sendSyn(this.ip, c)
  }

  wake(c: Connection): void {
    c.timer?.cancel()
    c.timer = this.#timers.set(c.wakeAt - this.#timers.now(), () => timerFired(c, this.#timers.now()))
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
