/** The connections of a client: a few for each origin, used again, bounded for all, and their time. */
import type { HostFunctions, Machine, Timer, Timers } from '@xen-ts/runtime/machine'
import { type ByteStream, ClientConnection, type Owner } from './connection.ts'
import { HttpError } from './error.ts'
import type { HttpClientLimits } from './options.ts'
import type { Place } from './request.ts'

/** What makes connections: the TCP of a stack. */
export type Connector = (options: { host: string; port: number; timeout?: number; signal?: AbortSignal }) => Promise<ByteStream>

interface Origin {
  readonly idle: ClientConnection[]
  /** Idle, busy, and being made. */
  count: number
}

interface Waiter {
  readonly authority: string
  /** With a connection, or the right to make one. */
  resolve(connection: ClientConnection | undefined): void
  reject(error: unknown): void
}

const SECOND = 1000

export class Pool implements Owner {
  readonly abi: HostFunctions
  readonly limits: HttpClientLimits
  readonly #timers: Timers
  readonly #connect: Connector
  /** By authority; only those with connections. */
  readonly #origins = new Map<string, Origin>()
  readonly #connections = new Set<ClientConnection>()
  readonly #waiters: Waiter[] = []
  #count = 0
  #timer: Timer | undefined = undefined
  #isClosed = false
  /** What gives way now is for who asks now. */
  #isReserving = false

  constructor({ abi, timers }: Pick<Machine, 'abi' | 'timers'>, connect: Connector, limits: HttpClientLimits) {
    this.abi = abi
    this.limits = limits
    this.#timers = timers
    this.#connect = connect
  }

  /** Connections, those being made included; of them idle ones; and who waits for one. */
  get connections(): number {
    return this.#count
  }
  get idle(): number {
    let idle = 0
    for (const origin of this.#origins.values()) idle += origin.idle.length
    return idle
  }
  get waiting(): number {
    return this.#waiters.length
  }

  /**
   * A connection to where a URL leads, for one request. Rejects as `connect` does, with a time-out of the wait, or the reason of `signal`.
   * @param fresh one that had no request before
   */
  async get(place: Place, signal: AbortSignal | undefined, fresh: boolean): Promise<ClientConnection> {
    if (this.#isClosed) throw closedError()
    const { authority } = place
    const idle = fresh ? undefined : this.#origins.get(authority)?.idle.pop()
    if (idle !== undefined) return idle
    if (!this.#reserve(authority)) {
      const given = await this.#wait(place, signal)
      if (given !== undefined) return given
    }
    return this.#open(place, signal)
  }

  close(): void {
    this.#isClosed = true
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closedError())
    for (const connection of [...this.#connections]) connection.fail(closedError())
  }

  // ---- what connections say

  free(connection: ClientConnection): void {
    const { authority } = connection
    const waiter = this.#waiters.findIndex(one => one.authority === authority)
    if (waiter >= 0) {
      this.#waiters.splice(waiter, 1)[0].resolve(connection)
      return
    }
    this.#origins.get(authority)!.idle.push(connection)
    connection.rest(connection.idleLimit)
    if (this.#waiters.length > 0) this.#serve()
  }

  gone(connection: ClientConnection): void {
    this.#connections.delete(connection)
    const idle = this.#origins.get(connection.authority)!.idle
    const at = idle.indexOf(connection)
    if (at >= 0) idle.splice(at, 1)
    this.#release(connection.authority)
    if (this.#connections.size > 0) return
    this.#timer?.cancel() // who has no connections does not wake up
    this.#timer = undefined
  }

  // ---- bounds

  /** Takes the right to one more connection, if there is one; an idle one gives way. */
  #reserve(authority: string): boolean {
    this.#isReserving = true
    const isRoom = this.#makeRoom(authority)
    this.#isReserving = false
    if (!isRoom) return false
    this.#count++
    const origin = this.#origins.get(authority)
    if (origin === undefined) this.#origins.set(authority, { idle: [], count: 1 })
    else origin.count++
    return true
  }

  #makeRoom(authority: string): boolean {
    const origin = this.#origins.get(authority)
    if (origin !== undefined && origin.count >= this.limits.connectionsPerOrigin) {
      // One that is idle was passed by because a fresh one is wanted.
      if (origin.idle.length === 0) return false
      origin.idle[0].close()
    }
    if (this.#count >= this.limits.connections) {
      const other = [...this.#origins.values()].find(({ idle }) => idle.length > 0)
      if (other === undefined) return false
      other.idle[0].close()
    }
    return true
  }

  #release(authority: string): void {
    this.#count--
    const origin = this.#origins.get(authority)!
    if (--origin.count === 0) this.#origins.delete(authority)
    if (!this.#isReserving) this.#serve()
  }

  /** Gives out what has become free, to who has waited longest. */
  #serve(): void {
    for (let i = 0; i < this.#waiters.length; i++) {
      const waiter = this.#waiters[i]
      if (!this.#reserve(waiter.authority)) continue
      this.#waiters.splice(i--, 1)
      waiter.resolve(undefined)
    }
  }

  async #wait({ authority }: Place, signal: AbortSignal | undefined): Promise<ClientConnection | undefined> {
    const { connectTimeout, connectionsPerOrigin, connections } = this.limits
    const { promise, resolve, reject } = Promise.withResolvers<ClientConnection | undefined>()
    const waiter: Waiter = { authority, resolve, reject }
    this.#waiters.push(waiter)
    const giveUp = (error: unknown): void => {
      const at = this.#waiters.indexOf(waiter)
      if (at < 0) return
      this.#waiters.splice(at, 1)
      reject(error)
    }
    const timer = this.#timers.set(connectTimeout * SECOND, () => {
      const what = `no connection to ${authority} became free within ${connectTimeout} s`
      const limits = `there are at most ${connectionsPerOrigin} to one origin and ${connections} to all`
      giveUp(new HttpError('ETIMEDOUT', `${what}: ${limits}; read the bodies of responses to their end, or cancel them`))
    })
    const abort = (): void => giveUp(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await promise
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
  }

  async #open({ authority, host, port }: Place, signal: AbortSignal | undefined): Promise<ClientConnection> {
    let stream: ByteStream
    try {
      signal?.throwIfAborted()
      stream = await this.#connect({ host, port, timeout: this.limits.connectTimeout * SECOND, signal })
    } catch (error) {
      this.#release(authority)
      throw error
    }
    const connection = new ClientConnection(this, stream, authority)
    this.#connections.add(connection)
    this.#timer ??= this.#timers.set(SECOND, () => this.#tick())
    if (this.#isClosed) {
      connection.fail(closedError())
      throw closedError()
    }
    return connection
  }

  /** Once a second while there are connections: all their time limits. */
  #tick(): void {
    this.#timer = this.#timers.set(SECOND, () => this.#tick())
    for (const connection of [...this.#connections]) connection.tick()
  }
}

const closedError = (): HttpError => new HttpError('ECANCELED', 'the client was closed')
