/** UDP of the host. */
import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint, UdpOptions, UdpSocket, UdpSockets } from '@xen-ts/runtime'
import { SocketError } from '@xen-ts/runtime/machine'
import { checkPort, type DatagramDriver, DatagramSocket, notAddress, parseAddress } from '@xen-ts/stack/sockets'
import { endpoint, hostError, plainAddress, portError } from './errors.ts'
import type { HostNames } from './names.ts'
import type { PortMap } from './ports.ts'

/** Bytes of the largest datagram of IPv4 (RFC 768, with the 20 bytes of IP's header) and of IPv6. */
const MOST_4 = 65_507
const MOST_6 = 65_527

type Family = 'udp4' | 'udp6'
const familyOf = (address: string): Family => (address.includes(':') ? 'udp6' : 'udp4')

/** Addresses only: names are resolved before. Answers at once, so that a socket is bound when `bind` returns. */
const lookup = (host: string, _options: unknown, callback: (error: null, address: string, family: number) => void): void =>
  callback(null, host, host.includes(':') ? 6 : 4)

export class HostUdp implements UdpSockets {
  readonly #names: HostNames
  readonly #counters: { udpQueueFull: number }
  readonly #ports: PortMap

  constructor(names: HostNames, counters: { udpQueueFull: number }, ports: PortMap) {
    this.#names = names
    this.#counters = counters
    this.#ports = ports
  }

  bind(options: UdpOptions = {}): UdpSocket {
    const { signal } = options
    if (options.port !== undefined) checkPort('UDP', options.port)
    const port = options.port && (this.#ports.get(options.port) ?? options.port)
    signal?.throwIfAborted()
    // For both families, where the host has both.
    const bound = bindSocket('udp6', port) ?? bindSocket('udp4', port)!
    return this.#socket(bound, undefined, options)
  }

  async connect({ host, port, localPort, ...options }: Parameters<UdpSockets['connect']>[0]): Promise<UdpSocket> {
    const { signal } = options
    checkPort('UDP', port)
    if (localPort !== undefined) checkPort('UDP', localPort)
    signal?.throwIfAborted()
    const [address] = await this.#names.resolve(host, { signal })
    signal?.throwIfAborted()
    const family = familyOf(address)
    const bound = bindSocket(family, localPort)
    if (bound === undefined) throw new SocketError('EHOSTUNREACH', `cannot send to ${address}: this host has no IPv6`)
    try {
      await new Promise<void>((resolve, reject) => {
        bound.socket.connect(port, address, ((error?: Error) => (error ? reject(error) : resolve())) as () => void)
      })
    } catch (error) {
      bound.socket.close()
      throw hostError(error as Error, `sending to ${endpoint(address, port)}`)
    }
    return this.#socket(bound, { address, port }, options)
  }

  #socket(bound: Bound, remote: Endpoint | undefined, options: UdpOptions): UdpSocket {
    const { socket } = bound
    if (options.broadcast) socket.setBroadcast(true)
    const driver = new HostDriver(bound, remote)
    const ours = new DatagramSocket(driver, { ...options, counters: this.#counters, later: setImmediate })
    socket.on('message', (bytes, { address, port }) => {
      if (!ours.hasRoom(bytes.length)) return
      ours.arrived({ data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), address: plainAddress(address), port })
    })
    socket.off('error', bound.failed)
    socket.on('error', error => ours.failed(driver.error(error)))
    return ours
  }
}

interface Bound {
  readonly socket: Socket
  readonly family: Family
  readonly port: number
  readonly failed: (error: Error) => void
}

/** A socket on a port, at once. undefined when the host has not that family. Throws a SocketError. */
function bindSocket(type: Family, port = 0): Bound | undefined {
  const socket = createSocket({ type, lookup })
  let error: NodeJS.ErrnoException | undefined
  const failed = (reason: Error): void => {
    error = reason
  }
  socket.on('error', failed)
  socket.bind({ port, exclusive: true })
  if (error === undefined) return { socket, family: type, port: socket.address().port, failed }
  socket.close()
  if (type === 'udp6' && ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(error.code ?? '')) return undefined
  throw portError(error, 'UDP', port)
}

class HostDriver implements DatagramDriver {
  readonly port: number
  readonly remote: Endpoint | undefined
  readonly #socket: Socket
  readonly #family: Family

  constructor({ socket, family, port }: Bound, remote: Endpoint | undefined) {
    this.port = port
    this.remote = remote
    this.#socket = socket
    this.#family = family
  }

  send(data: Uint8Array, to: Endpoint | undefined): Promise<void> {
    const { address, port } = (to ?? this.remote)!
    checkPort('UDP', port)
    const parsed = to === undefined ? address : parseAddress(address)
    if (parsed === undefined) throw notAddress(address)
    const family = familyOf(parsed)
    const most = family === 'udp4' ? MOST_4 : MOST_6
    if (data.length > most) {
      const where = endpoint(parsed, port)
      throw new SocketError('EMSGSIZE', `a datagram of ${data.length} bytes to ${where} is too large: at most ${most} fit`)
    }
    if (family === 'udp6' && this.#family === 'udp4')
      throw new SocketError('EHOSTUNREACH', `cannot send to ${parsed}: this host has no IPv6`)
    return new Promise((resolve, reject) => {
      const sent = (error: Error | null): void => {
        if (error === null) resolve()
        else reject(this.error(error, to))
      }
      if (to === undefined) this.#socket.send(data, sent)
      else this.#socket.send(data, port, family === this.#family ? parsed : `::ffff:${parsed}`, sent)
    })
  }

  /** What the host says, in our words. */
  error(error: Error, to = this.remote): SocketError {
    return hostError(error, to === undefined ? `UDP port ${this.port}` : `a datagram to ${endpoint(to.address, to.port)}`)
  }

  close(): void {
    this.#socket.close()
  }
}
