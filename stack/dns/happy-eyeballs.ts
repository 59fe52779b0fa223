/** Happy Eyeballs (RFC 8305): which of several addresses to try first, and how to try them. */
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import { familyOf } from './name.ts'

/** Section 4: the families take turns, that of the first address begins; within a family the order stays. */
export function interleave(addresses: readonly string[]): string[] {
  if (addresses.length === 0) return []
  const first = familyOf(addresses[0])
  const preferred = addresses.filter(address => familyOf(address) === first)
  const others = addresses.filter(address => familyOf(address) !== first)
  const order: string[] = []
  for (let i = 0; i < preferred.length || i < others.length; i++) order.push(...preferred.slice(i, i + 1), ...others.slice(i, i + 1))
  return order
}

export interface RaceOptions<T> {
  readonly timers: Timers
  /** Connects; gives up, and gives back what it took, when `signal` aborts. */
  connect(address: string, signal: AbortSignal): Promise<T>
  /** For a connection that was made although another one won. */
  close(connection: T): void
  /** Milliseconds until the next address is tried while the ones before it say nothing. Default 250 (section 5). */
  readonly delay?: number
  /** Gives all attempts up. */
  readonly signal?: AbortSignal
}

export interface Winner<T> {
  readonly address: string
  readonly connection: T
}

/**
 * Connects to the first of `addresses` (one at least) that answers. A new attempt starts when the one before failed, or after a delay; the
 * first connection ends the others. Rejects with the error of the only attempt, with an AggregateError of all, or with the reason of `signal`.
 */
export function race<T>(addresses: readonly string[], options: RaceOptions<T>): Promise<Winner<T>> {
  const { timers, connect, close, delay = 250, signal } = options
  const { promise, resolve, reject } = Promise.withResolvers<Winner<T>>()
  const running = new Map<string, AbortController>()
  const errors: Error[] = []
  let next = 0
  let timer: Timer | undefined
  let over = false

  const end = (reason: unknown): void => {
    over = true
    timer?.cancel()
    signal?.removeEventListener('abort', abort)
    for (const controller of running.values()) controller.abort(reason)
  }
  const abort = (): void => {
    end(signal?.reason)
    reject(signal?.reason)
  }
  const lost = (address: string, error: Error): void => {
    running.delete(address)
    errors.push(error)
    if (over) return
    if (next < addresses.length) {
      start()
    } else if (running.size === 0) {
      end(error)
      reject(errors.length === 1 ? error : new AggregateError(errors, summary(errors)))
    }
  }
  const start = (): void => {
    timer?.cancel()
    const address = addresses[next++]
    const controller = new AbortController()
    running.set(address, controller)
    if (next < addresses.length) timer = timers.set(delay, start)
    const won = (connection: T): void => {
      running.delete(address)
      if (over) return close(connection)
      end(new Error(`${address} answered first`))
      resolve({ address, connection })
    }
    // An attempt that throws at once is one that failed.
    void new Promise<T>(done => done(connect(address, controller.signal))).then(won, error => lost(address, error))
  }

  if (signal?.aborted) return Promise.reject(signal.reason)
  if (addresses.length === 0) return Promise.reject(new RangeError('no address to connect to: give one at least'))
  signal?.addEventListener('abort', abort, { once: true })
  start()
  return promise
}

const summary = (errors: readonly Error[]): string =>
  `none of ${errors.length} addresses answers: ${errors.map(error => error.message).join('; ')}`
