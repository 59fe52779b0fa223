/** The HTTP server: listens, keeps the connections' time, and stops in good order. */

import type { HttpHandler, HttpServer } from '@xen-ts/runtime'
import type { Machine, Timer } from '@xen-ts/runtime/machine'
import type { Listener } from '../../socket.ts'
import { dateLine } from './answer.ts'
import { HttpConnection } from './connection.ts'
import { HeadCache } from './head-cache.ts'
import { defaultHttpLimits, type HttpLimits } from './options.ts'
import type { Service } from './service.ts'

export type { HttpHandler }

export interface ServeOptions {
  readonly port: number
  readonly signal?: AbortSignal
  /** Connections that may be half open at a time. */
  readonly backlog?: number
  readonly limits?: Partial<HttpLimits>
}

export interface Http1Server extends HttpServer {
  /**
   * Serves HTTP/1.1 on `port` until `signal` aborts: then nothing new is accepted, requests under way are answered, and the promise
   * resolves when the last connection is closed. Rejects with a SocketError when the port is taken. What the handler throws is logged
   * and answered with 500.
   */
  serve(options: ServeOptions, handler: HttpHandler): Promise<void>
}

const SECOND = 1000

/** An HTTP server on `listener`: the TCP of a stack, or Node's sockets. */
export function httpServer(machine: Pick<Machine, 'abi' | 'timers' | 'log'>, listener: Listener): Http1Server {
  return { serve: (options, handler) => new Server(machine, listener, options, handler).run() }
}

class Server implements Service {
  readonly abi
  readonly log
  readonly limits: HttpLimits
  readonly heads = new HeadCache()
  readonly handler: HttpHandler
  readonly connections = new Set<HttpConnection>()
  date = ''
  stopping = false
  readonly #timers
  readonly #listener: Listener
  readonly #options: ServeOptions
  readonly #stopped = Promise.withResolvers<void>()
  #timer: Timer | undefined = undefined
  #secondsLeft = Infinity

  constructor(machine: Pick<Machine, 'abi' | 'timers' | 'log'>, listener: Listener, options: ServeOptions, handler: HttpHandler) {
    this.abi = machine.abi
    this.log = machine.log('http')
    this.limits = { ...defaultHttpLimits, ...options.limits }
    this.handler = handler
    this.#timers = machine.timers
    this.#listener = listener
    this.#options = options
  }

  async run(): Promise<void> {
    const { port, signal, backlog } = this.#options
    if (signal?.aborted) return
    this.#listener.bind(port, { backlog, signal }, socket => {
      const connection = new HttpConnection(this, socket)
      this.connections.add(connection)
      if (this.#timer === undefined) this.#tick()
      return connection
    })
    signal?.addEventListener('abort', () => this.#stop(), { once: true })
    await this.#stopped.promise
  }

  closed(): void {
    if (this.connections.size > 0) return
    this.#timer?.cancel() // an idle server does not wake up
    this.#timer = undefined
    if (this.stopping) this.#stopped.resolve()
  }

  #stop(): void {
    this.stopping = true
    this.#secondsLeft = this.limits.drainTimeout
    for (const connection of this.connections) connection.drain()
    this.closed()
  }

  /** Once a second while there are connections: the date, and all their time limits. */
  #tick(): void {
    this.#timer = this.#timers.set(SECOND, () => this.#tick())
    this.date = dateLine(this.abi.clockWall())
    const expired = this.stopping && --this.#secondsLeft < 0
    for (const connection of this.connections) {
      if (expired) connection.abort()
      else connection.tick()
    }
  }
}
