/** UDP (RFC 768). A datagram that does not fit one packet goes in fragments. */
import type { UdpOptions, UdpSocket, UdpSockets } from '@xen-ts/runtime'
import type { Timers } from '@xen-ts/runtime/machine'
import type { Unreachable } from '../ip/icmp.ts'
import { type Interface, noAddress } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import { checkPort } from '../port.ts'
import { SocketError } from '../socket.ts'
import type { Resolver } from '../tcp/by-name.ts'
import { swap16 } from '../wire/ethernet.ts'
import { PROTOCOL_UDP, UDP_BYTES, UDP_CHECKSUM, UDP_DESTINATION, UDP_LENGTH, UDP_SOURCE } from '../wire/udp.ts'
import { notAddress } from './datagram-socket.ts'
import { UdpInput, type UdpReceiver } from './input.ts'
import { UdpDriver } from './socket.ts'

/**
 * Who hears that datagrams of a port do not arrive (ICMP): anybody can claim that who has guessed both ports. False: they went elsewhere,
 * or it does not matter.
 */
type UnreachableHandler = (message: Unreachable) => boolean

/** A local port that was chosen for its user. */
export interface UdpPort {
  readonly number: number
  /** Gives it back: what still arrives for it is dropped. Once. */
  close(): void
}

/**
 * Ports that `open` chooses from: as many as can be without those that services have (RFC 6056 section 3.2), so that one is 15 bits to
 * guess. Nobody learns from one which will be next: each is random (section 3.3.2).
 */
const FIRST_PORT = 0x8000
const TRIES = 64
/** How many datagrams of programs wait for a free frame, for how many milliseconds, and how many there are between two tries. */
const MOST_WAITING = 256
const PATIENCE = 1_000
const RETRY = 10

export class Udp extends UdpInput implements UdpSockets {
  readonly #resolve: Resolver
  readonly #unreachable = new Map<number, UnreachableHandler>()
  /** Of programs. */
  readonly #sockets = new Set<UdpDriver>()
  readonly #timers: Timers
  /** Datagrams of programs that wait for a free frame. */
  readonly #waiting = new Set<() => void>()
  /** Those that found too few, and try again. */
  readonly #pausing = new Set<() => void>()
  #patient = 0
  #isClosed = false

  constructor(ip: Interface, timers: Timers, resolve: Resolver) {
    super(ip)
    this.#timers = timers
    this.#resolve = resolve
  }

  /** A socket for programs: see UdpSockets. */
  bind(options?: UdpOptions): UdpSocket
  /**
   * Without promises, for drivers: `receiver` is given what is sent to `port`. Returns a function that ends it. Throws a SocketError
   * (EADDRINUSE) when the port is taken, a RangeError when it is not 1..65535.
   */
  bind(port: number, receiver: UdpReceiver): () => void
  bind(first: number | UdpOptions = {}, receiver?: UdpReceiver): UdpSocket | (() => void) {
    if (typeof first === 'number') return this.#receive(first, receiver!)
    first.signal?.throwIfAborted()
    return this.#socket(first.port, undefined, first)
  }

  /** A socket for programs that talks to one peer: see UdpSockets. */
  async connect({ host, port, localPort, ...options }: Parameters<UdpSockets['connect']>[0]): Promise<UdpSocket> {
    checkPort('UDP', port)
    const { signal } = options
    signal?.throwIfAborted()
    const addresses = await this.#resolve(host, { signal })
    signal?.throwIfAborted()
    const route = this.#firstRoute(host, addresses)
    return this.#socket(localPort, { address: route.peer, port }, options)
  }

  #firstRoute(host: string, addresses: readonly string[]): Route {
    let error: unknown
    for (const address of addresses) {
      try {
        return this.routeTo(address)
      } catch (reason) {
        error ??= reason
      }
    }
    throw error ?? new SocketError('EHOSTUNREACH', `cannot send to ${host}: it has no address`)
  }

  #socket(port: number | undefined, remote: UdpDriver['remote'], options: UdpOptions): UdpSocket {
    const driver = new UdpDriver(this, port, remote, options, closed => this.#sockets.delete(closed))
    this.#sockets.add(driver)
    return driver.socket
  }

  #receive(port: number, receiver: UdpReceiver): () => void {
    checkPort('UDP', port)
    if (this.receivers.has(port))
      throw new SocketError(
        'EADDRINUSE',
        `UDP port ${port} of this stack is in use already: close the other socket, or choose another port`,
      )
    this.receivers.set(port, receiver)
    return () => this.receivers.delete(port)
  }

  /**
   * Without promises, for drivers: receives on a port, by default one that nobody can guess, until that is closed, and hears of peers that
   * cannot be reached. Throws a SocketError: ENOBUFS when too many are in use, EADDRINUSE when `port` is.
   */
  open(receiver: UdpReceiver, onUnreachable?: UnreachableHandler, port?: number): UdpPort {
    const number = port ?? this.#freePort()
    const unbind = this.#receive(number, receiver)
    if (onUnreachable !== undefined) this.#unreachable.set(number, onUnreachable)
    return {
      number,
      close: () => {
        this.#unreachable.delete(number)
        unbind()
      },
    }
  }

  #freePort(): number {
    const random = new Uint16Array(TRIES)
    this.ip.abi.random(new Uint8Array(random.buffer))
    const number = Array.from(random, each => FIRST_PORT + (each & 0x7fff)).find(each => !this.receivers.has(each))
    if (number !== undefined) return number
    throw new SocketError('ENOBUFS', `no local UDP port was free in ${TRIES} tries, ${this.receivers.size} are in use: close some first`)
  }

  /** The receiver of `port` wants what is sent to all hosts of the link, too (RFC 919). Returns a function that ends it. */
  receiveBroadcast(port: number): () => void {
    this.broadcast.add(port)
    return () => void this.broadcast.delete(port)
  }

  /**
   * Calls `attempt` when a frame is free again, and now and then until it gives true. When no frame is for too long, or too many wait already,
   * what is to be sent is lost, as on any wire.
   */
  async whenFree(attempt: () => boolean): Promise<void> {
    if (this.#isClosed || this.#patient >= MOST_WAITING) return
    this.#patient++
    const until = this.#timers.now() + PATIENCE
    try {
      await this.#wait(PATIENCE, this.#waiting)
      // Not as soon as one is free: fragments that found too few frames give those back, and would wake themselves.
      while (!attempt() && this.#timers.now() < until && !this.#isClosed) await this.#wait(RETRY, this.#pausing)
    } finally {
      this.#patient--
    }
  }

  #wait(milliseconds: number, among: Set<() => void>): Promise<void> {
    return new Promise(resolve => {
      const over = (): void => {
        timer.cancel()
        among.delete(over)
        resolve()
      }
      const timer = this.#timers.set(milliseconds, over)
      among.add(over)
    })
  }

  /** After there was none, there is a free frame again. */
  framesFree(): void {
    for (const over of [...this.#waiting]) over()
  }

  /** Closes the sockets of programs. */
  close(): void {
    this.#isClosed = true
    for (const { socket } of [...this.#sockets]) socket.close()
    for (const over of [...this.#waiting, ...this.#pausing]) over()
  }

  /** The way to an address, for `send`. Throws a RangeError when it is none, a SocketError (EHOSTUNREACH) when there is no way, or no network (yet). */
  routeTo(address: string): Route {
    const route = this.ip.routeTo(address)
    if (route?.hasLocal === true && route.resolve() !== undefined) return route
    if (route === undefined) throw notAddress(address)
    const why = route.hasLocal ? 'no gateway leads there' : noAddress(this.ip, route)
    throw new SocketError('EHOSTUNREACH', `cannot send to ${address}: ${why}`)
  }

  /**
   * Sends one datagram to an address, or back to a sender. False when no frame was free: it is lost then, as datagrams may be. Throws a
   * SocketError (EMSGSIZE) when the datagram is too large, a RangeError when `to` is not an address.
   */
  send(localPort: number, to: string | Route, remotePort: number, payload: Uint8Array): boolean {
    const route = typeof to === 'string' ? this.ip.routeTo(to) : to
    if (route === undefined) throw notAddress(to as string)
    checkPort('UDP', remotePort)
    const overhead = route.overhead
    const link = route.link
    const length = UDP_BYTES + payload.length
    if (length > route.mostBytes) {
      const most = route.mostBytes - UDP_BYTES
      throw new SocketError(
        'EMSGSIZE',
        `a datagram of ${payload.length} bytes to ${route.endpoint(remotePort)} is too large: at most ${most} fit`,
      )
    }
    const frame = route.reserve(length)
    if (frame === undefined) return false
    const u8 = frame.u8
    const u16 = frame.u16
    const word = overhead >>> 1
    u16[word + UDP_SOURCE] = swap16(localPort)
    u16[word + UDP_DESTINATION] = swap16(remotePort)
    u16[word + UDP_LENGTH] = swap16(length)
    u16[word + UDP_CHECKSUM] = 0
    link.abi.copy(u8, overhead + UDP_BYTES, payload, 0, payload.length)
    const sum = ~link.abi.checksum(u8, overhead, length, route.sum + (PROTOCOL_UDP << 8) + swap16(length)) & 0xffff
    u16[word + UDP_CHECKSUM] = sum === 0 ? 0xffff : sum // 0 would mean: no checksum
    return route.send(frame, PROTOCOL_UDP, length)
  }

  /** A router or host says that a datagram was not delivered. When it was too big (RFC 1191), the next ones go in fragments. */
  unreachable(message: Unreachable): void {
    const { route, localPort, mtu } = message
    if (mtu !== undefined && this.receivers.has(localPort)) {
      route.tooBig(mtu)
      return
    }
    if (this.#unreachable.get(localPort)?.(message) !== true) this.ip.counters.icmpIgnored++
  }
}
