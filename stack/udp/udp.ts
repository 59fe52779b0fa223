/** UDP (RFC 768). Datagrams that do not fit one packet are refused; there is no fragmentation. */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Unreachable } from '../ip/icmp.ts'
import type { Interface } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import { SocketError } from '../socket.ts'
import { swap16 } from '../wire/ethernet.ts'
import { PROTOCOL_UDP, UDP_BYTES, UDP_CHECKSUM, UDP_DESTINATION, UDP_LENGTH, UDP_SOURCE } from '../wire/udp.ts'

/**
 * Receives a datagram: `length` bytes of `bytes` from `offset` on, valid during the call only. `from` has the sender's address (`peer`),
 * and `send` takes it for the answer.
 */
export type UdpReceiver = (bytes: Uint8Array, offset: number, length: number, from: Route, remotePort: number) => void

/** Who hears that datagrams to a peer do not arrive (ICMP): anybody can claim that who has guessed both ports. false: nothing went there. */
type UnreachableHandler = (peer: string, remotePort: number, code: number) => unknown

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

export class Udp {
  readonly #ip: Interface
  readonly #receivers = new Map<number, UdpReceiver>()
  readonly #unreachable = new Map<number, UnreachableHandler>()

  constructor(ip: Interface) {
    this.#ip = ip
  }

  /** Receives what is sent to `port`. Returns a function that ends it. Throws RangeError when the port is taken or not 1..65535. */
  bind(port: number, receiver: UdpReceiver): () => void {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`UDP port ${port} does not exist: use 1 to 65535`)
    if (this.#receivers.has(port)) throw new RangeError(`UDP port ${port} of this stack is in use already: choose another`)
    this.#receivers.set(port, receiver)
    return () => this.#receivers.delete(port)
  }

  /** Receives on a port that nobody can guess, until that is closed, and hears of peers that cannot be reached. Throws a SocketError (ENOBUFS) when too many are in use. */
  open(receiver: UdpReceiver, onUnreachable?: UnreachableHandler): UdpPort {
    const random = new Uint16Array(TRIES)
    this.#ip.abi.random(new Uint8Array(random.buffer))
    const number = Array.from(random, each => FIRST_PORT + (each & 0x7fff)).find(each => !this.#receivers.has(each))
    if (number === undefined) {
      throw new SocketError('ENOBUFS', `no local UDP port was free in ${TRIES} tries, ${this.#receivers.size} are in use: close some first`)
    }
    const unbind = this.bind(number, receiver)
    if (onUnreachable !== undefined) this.#unreachable.set(number, onUnreachable)
    return {
      number,
      close: () => {
        this.#unreachable.delete(number)
        unbind()
      },
    }
  }

  /** The way to an address, for `send`. Throws a SocketError (EHOSTUNREACH) when there is none, or no network (yet). */
  routeTo(address: string): Route {
    const route = this.#ip.routeTo(address)
    if (route?.hasLocal !== true || route.resolve() === undefined) {
      const why =
        route === undefined ? 'it is not an IPv4 address' : route.hasLocal ? 'no gateway leads to it' : 'there is no network (yet)'
      throw new SocketError('EHOSTUNREACH', `cannot send to ${JSON.stringify(address)}: ${why}`)
    }
    return route
  }

  /**
   * Sends one datagram to an address, or back to a sender. False when no frame was free: it is lost then, as datagrams may be. Throws
   * RangeError when the datagram is too big, or `to` is not an address.
   */
  send(localPort: number, to: string | Route, remotePort: number, payload: Uint8Array): boolean {
    const route = typeof to === 'string' ? this.#ip.routeTo(to) : to
    if (route === undefined) {
      throw new RangeError(`cannot send a datagram to ${JSON.stringify(to)}: it is not an IPv4 address; resolve names first`)
    }
    const { overhead, link } = route
    const length = UDP_BYTES + payload.length
    if (route.headerBytes + length > route.mtu) {
      const most = route.mtu - route.headerBytes - UDP_BYTES
      throw new RangeError(`a datagram of ${payload.length} bytes to ${route.peer} is too big: at most ${most} fit`)
    }
    const frame = link.reserve()
    if (frame === undefined) return false
    const { u8, u16 } = frame
    const word = overhead >>> 1
    u16[word + UDP_SOURCE] = swap16(localPort)
    u16[word + UDP_DESTINATION] = swap16(remotePort)
    u16[word + UDP_LENGTH] = swap16(length)
    u16[word + UDP_CHECKSUM] = 0
    link.abi.copy(u8, overhead + UDP_BYTES, payload, 0, payload.length)
    const sum = ~link.abi.checksum(u8, overhead, length, route.sum + (PROTOCOL_UDP << 8) + swap16(length)) & 0xffff
    u16[word + UDP_CHECKSUM] = sum === 0 ? 0xffff : sum // 0 would mean: no checksum
    route.send(frame, PROTOCOL_UDP, length)
    return true
  }

  /** A router or host says that a datagram was not delivered. That it was too big (RFC 1191) is no such message: they are all small. */
  unreachable({ route, localPort, remotePort, code, mtu }: Unreachable): void {
    const handler = mtu === undefined ? this.#unreachable.get(localPort) : undefined
    if (handler === undefined || handler(route.peer, remotePort, code) === false) this.#ip.counters.icmpIgnored++
  }

  receive({ u8, u16, checked }: Frame, at: number, length: number, route: Route): void {
    const { abi, counters } = this.#ip
    const word = at >>> 1
    const size = length < UDP_BYTES ? 0 : swap16(u16[word + UDP_LENGTH])
    if (size < UDP_BYTES || size > length) {
      counters.malformed++
      return
    }
    const sum = route.sum + (PROTOCOL_UDP << 8) + swap16(size)
    if (checked !== true && u16[word + UDP_CHECKSUM] !== 0 && abi.checksum(u8, at, size, sum) !== 0xffff) {
      counters.badChecksum++
      return
    }
    const receiver = this.#receivers.get(swap16(u16[word + UDP_DESTINATION]))
    if (receiver === undefined) {
      counters.udpNoPort++
      return
    }
    receiver(u8, at + UDP_BYTES, size - UDP_BYTES, route, swap16(u16[word + UDP_SOURCE]))
  }
}
