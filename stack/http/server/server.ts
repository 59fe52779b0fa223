/** The HTTP server: listens, keeps the connections' time, and stops in good order. */
import type { HttpHandler, HttpServer, Lifecycle } from '@xen-ts/runtime'
import type { Log, Machine, Timer } from '@xen-ts/runtime/machine'
import { LimitedLog } from '../../limited.ts'
import type { Listener } from '../../socket.ts'
import { Answer, dateLine } from './answer.ts'
import { HttpConnection } from './connection.ts'
import { HttpCounters } from './counters.ts'
import { Gathering } from './gathering.ts'
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
   * Serves HTTP/1.1 on `port` until `signal` aborts: then nothing new is accepted, requests under way are answered, responses that are
   * streams are told by `request.signal`, and the promise resolves when the last connection is closed, after limits.drainTimeout at
   * the latest. Rejects with a SocketError when the port is taken. What the handler throws is logged and answered with 500.
   *
   * `request.signal` also aborts (AbortError) when the client has gone before it had its whole answer; a body that is a stream is
   * cancelled with the same reason. A client that has only ended its side still gets its answer, as long as there is something to
   * send: it is taken for gone after a second in which a stream said nothing, or ten in which the handler did not answer.
   */
  serve(options: ServeOptions, handler: HttpHandler): Promise<void>
}

const SECOND = 1000

/**
 * An HTTP server on `listener`: the TCP of a stack, or the host's (target unix).
 * @param lifecycle learns that the program serves, and what it waits for
 * @param counters of the stack's HTTP servers
 */
export function httpServer(
  machine: Pick<Machine, 'abi' | 'timers' | 'log'>,
  listener: Listener,
  lifecycle?: Pick<Lifecycle, 'serves' | 'waitsFor'>,
  counters = new HttpCounters(),
): Http1Server {
  return {
    async serve(options, handler) {
      const server = new Server(machine, listener, options, handler, counters)
      const stopped = server.run()
      lifecycle?.serves()
      const over = lifecycle?.waitsFor('http', () => server.waiting)
      await stopped.finally(over)
    },
  }
}

class Server implements Service {
  readonly abi
  readonly limited: LimitedLog
  readonly limits: HttpLimits
  readonly heads = new HeadCache()
  readonly counters: HttpCounters
  readonly handler: HttpHandler
  readonly connections = new Set<HttpConnection>()
  readonly gathering: Gathering
  readonly answer = new Answer()
  date = ''
  second = 0
  stopping = false
  stopReason: unknown = undefined
  readonly #log: Log
  readonly #timers
  readonly #listener: Listener
  readonly #options: ServeOptions
  readonly #stopped = Promise.withResolvers<void>()
  #timer: Timer | undefined = undefined
  #secondsLeft = Infinity

  constructor(
    machine: Pick<Machine, 'abi' | 'timers' | 'log'>,
    listener: Listener,
    options: ServeOptions,
    handler: HttpHandler,
    counters: HttpCounters,
  ) {
    this.counters = counters
    this.abi = machine.abi
    this.#log = machine.log('http')
    this.limited = new LimitedLog(this.#log, machine.timers)
    this.limits = { ...defaultHttpLimits, ...options.limits }
    this.gathering = new Gathering(this.limits.bodies)
    this.handler = handler
    this.#timers = machine.timers
    this.#listener = listener
    this.#options = options
  }

  async run(): Promise<void> {
    const { port, signal, backlog } = this.#options
    if (signal?.aborted) return
    const bound = this.#listener.bind(port, { backlog, signal }, socket => {
      const connection = new HttpConnection(this, socket)
      this.connections.add(connection)
      if (this.#timer === undefined) this.#tick()
      return connection
    })
    if (bound !== undefined) await bound
    signal?.addEventListener('abort', () => this.#stop(), { once: true })
    if (signal?.aborted) this.#stop()
    await this.#stopped.promise
  }

  /** What is not over, in words; undefined when nothing is. */
  get waiting(): string | undefined {
    let sending = 0
    let handling = 0
    let upgraded = 0
    for (const connection of this.connections) {
      if (connection.isSending) sending++
      else if (connection.isHandling) handling++
      else if (connection.isUpgraded) upgraded++
    }
    const parts = []
    if (sending > 0) parts.push(sending === 1 ? '1 response is still being sent' : `${sending} responses are still being sent`)
    if (handling > 0) parts.push(handling === 1 ? '1 request is not answered' : `${handling} requests are not answered`)
    if (upgraded > 0) parts.push(upgraded === 1 ? '1 WebSocket is open' : `${upgraded} WebSockets are open`)
    return parts.length === 0 ? undefined : parts.join(' and ')
  }

  closed(): void {
    if (!this.stopping || this.connections.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#stopped.resolve()
  }

  #stop(): void {
    this.stopping = true
    this.stopReason = this.#options.signal?.reason
    this.#secondsLeft = this.limits.drainTimeout
    for (const connection of this.connections) connection.drain()
    this.closed()
  }

  /** Once a second while there are connections: the date, and all their time limits. An idle server does not wake up but once. */
  #tick(): void {
    if (this.connections.size === 0) {
      this.#timer = undefined
      return
    }
    this.#timer = this.#timers.set(SECOND, () => this.#tick())
    this.second++
    this.date = dateLine(this.abi.clockWall())
    const expired = this.stopping && --this.#secondsLeft <= 0
    if (expired) this.#giveUp()
    else for (const connection of this.connections) connection.tick()
  }

  #giveUp(): void {
    const { waiting } = this
    if (waiting !== undefined) {
      const what = waiting.startsWith('1 ') && !waiting.includes(' and ') ? 'it is' : 'they are'
      this.#log.warn(`${waiting} after ${this.limits.drainTimeout} s: ${what} cut off`)
    }
    for (const connection of this.connections) {
      if (connection.isSending || connection.isHandling) this.counters.abandoned++
      connection.abort()
    }
  }
}
