/** TCP as programs and servers see it: listen, connect, and the raw interface without promises. */
import { ANY, formatIpv4, parseIpv4 } from '../address.ts'
import { type ByteSocket, type Listener, type ListenOptions, SocketError, type SocketHandler } from '../socket.ts'
import type { Connection, Opener } from './connection.ts'
import type { TcpEngine } from './engine.ts'
import { DEFAULT_BACKLOG, PortListener } from './listener.ts'
import type { MemoryBudget } from './reassembly.ts'
import { TcpStream } from './stream.ts'

export interface ConnectOptions {
  /** Dotted decimal. */
  readonly host: string
  readonly port: number
  /** Milliseconds until the attempt fails with ETIMEDOUT. Default: after the sixth SYN, about a minute. */
  readonly timeout?: number
  /** Gives the attempt up when it aborts before the connection is established. */
  readonly signal?: AbortSignal
}

export class Tcp implements Listener {
  readonly #engine: TcpEngine

  constructor(engine: TcpEngine) {
    this.#engine = engine
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
  async listen(options: ListenOptions & { readonly port: number }, accept: (connection: TcpStream) => void): Promise<void> {
    const { port, signal } = options
    this.bind(port, options, socket => {
      const connection = new TcpStream(socket as Connection)
      accept(connection)
      return connection.handler
    })
    if (signal?.aborted) return
    await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve(), { once: true }))
  }

  /**
   * Connects to a peer. Rejects with a SocketError (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, ENETRESET when the
   * stack's address changes, ENOBUFS for the stack's limits), or with the reason of `signal`.
   */
  async connect({ host, port, timeout, signal }: ConnectOptions): Promise<TcpStream> {
    checkPort(port)
    signal?.throwIfAborted()
    const ip = parseIpv4(host)
    if (ip === undefined) {
      const what = `cannot connect to ${JSON.stringify(host)}`
      throw new SocketError('EHOSTUNREACH', `${what}: it is not an IPv4 address, and names are not resolved here`)
    }
    if (this.#engine.address === ANY)
      throw new SocketError('EHOSTUNREACH', `cannot connect to ${formatIpv4(ip)}: this stack has no address, there is no network (yet)`)
    if (this.#engine.ip.nextHop(ip) === undefined) {
      throw new SocketError('EHOSTUNREACH', `no route to ${formatIpv4(ip)}: give the stack a gateway, or the prefix of its network`)
    }
    const established = Promise.withResolvers<void>()
    const opener: Opener = {
      opened(c) {
        c.abortAt = Infinity
        established.resolve()
        return true
      },
    }
    const connection = this.#engine.open(ip, port, opener)
    const stream = new TcpStream(connection)
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
    checkPort(port)
    const { table, isClosed } = this.#engine
    if (options.signal?.aborted || isClosed) return
    const entry = table.open(port)
    if (entry.listener !== undefined) {
      throw new SocketError('EADDRINUSE', `TCP port ${port} of this stack is listened to already: choose another`)
    }
    const listener = new PortListener(options.backlog ?? DEFAULT_BACKLOG, accept)
    entry.listener = listener
    options.signal?.addEventListener(
      'abort',
      () => {
        entry.listener = undefined
        listener.close()
        table.tidy(port)
      },
      { once: true },
    )
  }
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`TCP port ${port} does not exist: use 1 to 65535`)
}
