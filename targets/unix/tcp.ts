/** TCP of the host. */
import { createServer, connect as openSocket, type Socket } from 'node:net'
import type { TcpConnection, TcpSockets } from '@xen-ts/runtime'
import { type ByteSocket, type ListenOptions, type Machine, SocketError, type SocketHandler } from '@xen-ts/runtime/machine'
import {
  type ConnectOptions,
  checkPort,
  connectByName,
  listenForStreams,
  parseAddress,
  type StreamListenOptions,
  TcpStream,
} from '@xen-ts/stack/sockets'
import { HostByteSocket, SEND_BUFFER } from './byte-socket.ts'
import { endpoint, hostError, portError } from './errors.ts'
import type { HostNames } from './names.ts'
import type { PortMap } from './ports.ts'

const DEFAULT_BACKLOG = 128

export class HostTcp implements TcpSockets {
  readonly #machine: Machine
  readonly #names: HostNames
  readonly #ports: PortMap

  constructor(machine: Machine, names: HostNames, ports: PortMap) {
    this.#machine = machine
    this.#names = names
    this.#ports = ports
  }

  listen(options: StreamListenOptions, accept: (connection: TcpConnection) => void): Promise<void> {
    return listenForStreams(this, this.#machine, options, accept)
  }

  async connect(options: ConnectOptions): Promise<TcpConnection> {
    const { host, port, signal } = options
    checkPort('TCP', port)
    signal?.throwIfAborted()
    const address = parseAddress(host)
    if (address !== undefined) return this.#connect({ ...options, host: address })
    return connectByName(
      options,
      this.#machine.timers,
      (name, options) => this.#names.resolve(name, options),
      attempt => this.#connect(attempt),
    )
  }

  async bind(
    port: number,
    { backlog = DEFAULT_BACKLOG, signal }: ListenOptions,
    accept: (socket: ByteSocket) => SocketHandler,
  ): Promise<void> {
    checkPort('TCP', port)
    if (signal?.aborted) return
    const { timers } = this.#machine
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SEND_BUFFER }, socket => {
      const ours = new HostByteSocket(socket, timers)
      ours.serve(accept(ours))
    })
    const close = (): void => void server.close()
    signal?.addEventListener('abort', close, { once: true })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const number = this.#ports.get(port) ?? port
    server.once('error', error => reject(portError(error, 'TCP', number)))
    server.once('close', resolve)
    // Both families, where the host has both.
    server.listen({ port: number, backlog, exclusive: true }, resolve)
    try {
      await promise
    } catch (error) {
      signal?.removeEventListener('abort', close)
      throw error
    }
    server.on('error', error => this.#machine.log('net').warn(`${hostError(error, `a connection to TCP port ${port}`).message}`))
  }

  #connect({ host, port, timeout, signal }: ConnectOptions): Promise<TcpStream> {
    const { promise, resolve, reject } = Promise.withResolvers<TcpStream>()
    const { timers, abi } = this.#machine
    const name = `connection to ${endpoint(host, port)}`
    // The declaration lacks the high water mark, which goes to the stream.
    const settings = { host, port, noDelay: true, allowHalfOpen: true, highWaterMark: SEND_BUFFER }
    const socket: Socket = openSocket(settings)
    const give = (error: unknown): void => {
      socket.destroy()
      reject(error)
    }
    const late = (): void => give(new SocketError('ETIMEDOUT', `${name} is not there after ${timeout! / 1000} s: the peer does not answer`))
    const timer = timeout === undefined ? undefined : timers.set(timeout, late)
    const abort = (): void => give(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const failed = (error: Error): void => reject(hostError(error, name))
    socket.on('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      const ours = new HostByteSocket(socket, timers)
      const stream = new TcpStream(ours, abi, timers)
      ours.serve(stream.handler)
      resolve(stream)
    })
    return promise.finally(() => {
      timer?.cancel()
      signal?.removeEventListener('abort', abort)
    })
  }
}
