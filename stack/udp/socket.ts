/** UDP sockets of programs on this stack. */
import type { Datagram, Endpoint, UdpOptions } from '@xen-ts/runtime'
import type { Unreachable } from '../ip/icmp.ts'
import type { Route } from '../ip/route.ts'
import { SocketError } from '../socket.ts'
import { type DatagramDriver, DatagramSocket } from './datagram-socket.ts'
import type { Udp, UdpPort } from './udp.ts'

/** What a peer's address is as text, and the way to it: datagrams come and go in rows. */
interface Peer {
  readonly address: string
  readonly route: Route
}

export class UdpDriver implements DatagramDriver {
  readonly socket: DatagramSocket
  readonly remote: Endpoint | undefined
  readonly #udp: Udp
  readonly #port: UdpPort
  readonly #canBroadcast: boolean
  readonly #unbind: () => void
  readonly #closed: (driver: UdpDriver) => void
  /** Who was heard or sent to last. */
  #peer: Peer | undefined

  /** @param closed called once */
  constructor(udp: Udp, port: number | undefined, remote: Endpoint | undefined, options: UdpOptions, closed: (driver: UdpDriver) => void) {
    this.#udp = udp
    this.remote = remote
    this.#closed = closed
    this.#canBroadcast = options.broadcast === true
    const { counters, abi } = udp.ip
    const receiver: Parameters<Udp['open']>[0] = (bytes, offset, length, from, remotePort) => {
      const address = this.#peer?.route === from ? this.#peer.address : from.peer
      if (remote !== undefined && (remotePort !== remote.port || address !== remote.address)) {
        counters.udpNoPort++
        return
      }
      if (this.#peer?.route !== from) this.#peer = { address, route: from }
      if (!this.socket.hasRoom(length)) return
      const data = new Uint8Array(length)
      abi.copy(data, 0, bytes, offset, length)
      this.socket.arrived({ data, address, port: remotePort } satisfies Datagram)
    }
    this.#port = udp.open(receiver, remote && (message => this.#unreachable(message)), port)
    this.#unbind = options.broadcast === true ? udp.receiveBroadcast(this.port) : () => {}
    this.socket = new DatagramSocket(this, { ...options, counters })
  }

  get port(): number {
    return this.#port.number
  }

  send(data: Uint8Array, to: Endpoint | undefined): void | Promise<void> {
    const { address, port } = (to ?? this.remote)!
    if (!this.#udp.send(this.port, this.#routeTo(address), port, data)) return this.#sendLater(data, address, port)
  }

  /** No frame is free: a program that sends much waits for those before. */
  #sendLater(data: Uint8Array, address: string, port: number): Promise<void> {
    return this.#udp.whenFree(() => this.socket.isClosed || this.#udp.send(this.port, this.#routeTo(address), port, data))
  }

  close(): void {
    this.#unbind()
    this.#port.close()
    this.#closed(this)
  }

  /** The way to a peer as it is now: addresses and gateway may have changed. */
  #routeTo(address: string): Route {
    if (this.#peer?.address === address) {
      const { route } = this.#peer
      const isResolved = route.hop !== undefined && route.hop.version !== 0
      if (route.hasLocal && (isResolved || route.resolve() !== undefined)) return route
    }
    const broadcast = this.#udp.ip.broadcastTo(address)
    if (broadcast !== undefined && !this.#canBroadcast)
      throw new SocketError('EACCES', `cannot send to ${address}, to all hosts of the link: give the socket the option broadcast`)
    const route = broadcast ?? this.#udp.routeTo(address)
    this.#peer = { address, route }
    return route
  }

  #unreachable({ route, remotePort, refused, code }: Unreachable): boolean {
    const { address, port } = this.remote!
    if (remotePort !== port || route.peer !== address) return false
    const peer = route.endpoint(port)
    const error = refused
      ? new SocketError('ECONNREFUSED', `datagrams to ${peer} are refused: nobody receives them there`)
      : new SocketError('EHOSTUNREACH', `${peer} cannot be reached, says the network (ICMP code ${code})`)
    this.socket.failed(error)
    return true
  }
}
