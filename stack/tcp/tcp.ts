/** TCP as programs and servers see it: listen, connect, and the raw interface without promises. */

import type { TcpSockets } from '@xen-ts/runtime'
import { noAddress } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import { checkPort } from '../port.ts'
import { type ByteSocket, type ListenOptions, SocketError, type SocketHandler } from '../socket.ts'
import { connectByName, type Resolver } from './by-name.ts'
import type { Opener } from './connection.ts'
import type { TcpEngine } from './engine.ts'
import { DEFAULT_BACKLOG, PortListener } from './listener.ts'
import type { MemoryBudget } from './reassembly.ts'
import { TcpStream } from './stream.ts'
import { checkTimeout, listenForStreams, type StreamListenOptions } from './stream-listener.ts'

export interface ConnectOptions {
  /** An address, or a name, whose addresses are tried in their order. */
  readonly host: string
  readonly port: number
  /** Milliseconds until the attempt, the question for the name included, fails with ETIMEDOUT. Default: after the sixth SYN, about a minute. */
  readonly timeout?: number
  /**
   * Milliseconds after which the connection, once established, fails with ETIMEDOUT when its peer has taken nothing of what was sent, at the
   * earliest when the retransmission timer expires. Default: after ten retransmissions, two minutes or more.
   */
  readonly userTimeout?: number
  /** Gives the attempt up when it aborts before the connection is established. */
  readonly signal?: AbortSignal
}

export class Tcp implements TcpSockets {
  readonly #engine: TcpEngine
  readonly #resolve: Resolver

  constructor(engine: TcpEngine, resolve: Resolver) {
    this.#engine = engine
    this.#resolve = resolve
  }

  /** Connections in all states, and those of them in TIME-WAIT. */
  get connections(): number {
    return this.#engine.table.size
  }

  get timeWaiting(): number {
    return this.#engine.timeWaiting.size
  }

  /** What is held of received data. */
  get memory(): MemoryBudget {
    return this.#engine.memory
  }

  /** Calls `accept` for each connection until `signal` aborts, then resolves. Rejects with EADDRINUSE when the port is taken. */
  listen(options: StreamListenOptions, accept: (connection: TcpStream) => void): Promise<void> {
    return listenForStreams(this, this.#engine, options, accept)
  }

  /**
   * Connects to a peer. Rejects with a SocketError (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, ENETRESET when the
   * stack's address changes, ENOBUFS for the stack's limits), with a DnsError for a name that is not resolved, or with the reason of
   * `signal`.
   */
  async connect(options: ConnectOptions): Promise<TcpStream> {
    const { host, port, signal } = options
    checkPort('TCP', port)
    checkTimeout(options.userTimeout)
    signal?.throwIfAborted()
    const route = this.#engine.ip.routeTo(host)
    if (route !== undefined) return this.#connect(route, options)
    return connectByName(options, this.#engine.timers, this.#resolve, async attempt => {
      const route = this.#engine.ip.routeTo(attempt.host)
      if (route === undefined) throw new SocketError('EHOSTUNREACH', `no route to ${attempt.host}: it is not an address`)
      return this.#connect(route, { ...attempt, userTimeout: options.userTimeout })
    })
  }

  async #connect(route: Route, { port, timeout, userTimeout, signal }: ConnectOptions): Promise<TcpStream> {
    if (!route.hasLocal) {
      throw new SocketError('EHOSTUNREACH', `cannot connect to ${route.peer}: ${noAddress(this.#engine.ip, route)}`)
    }
    if (route.resolve() === undefined) {
      throw new SocketError('EHOSTUNREACH', `no route to ${route.peer}: give the stack a gateway, or the prefix of its network`)
    }
    const established = Promise.withResolvers<void>()
    const opener: Opener = {
      opened(c) {
        c.abortAfter(Infinity)
        established.resolve()
        return true
      },
    }
    const connection = this.#engine.open(route, port, opener)
    if (userTimeout !== undefined) connection.giveUpAfter(userTimeout)
    const stream = new TcpStream(connection, this.#engine.abi, this.#engine.timers)
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

  /** Listens without promises: see socket.ts. Throws a SocketError when the port is taken, a RangeError when there is no such port. */
  bind(port: number, options: ListenOptions, accept: (socket: ByteSocket) => SocketHandler): void {
    checkPort('TCP', port)
    const { table, isClosed } = this.#engine
    if (options.signal?.aborted || isClosed) return
    if (table.listeners.has(port)) {
      throw new SocketError(
        'EADDRINUSE',
        `TCP port ${port} of this stack is listened to already: close the other listener, or choose another port`,
      )
    }
    const listener = new PortListener(options.backlog ?? DEFAULT_BACKLOG, accept)
    table.listeners.set(port, listener)
    options.signal?.addEventListener(
      'abort',
      () => {
        table.listeners.delete(port)
        listener.close()
      },
      { once: true },
    )
  }
}
