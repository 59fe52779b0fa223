/**
 * A simulated Xen: several domains in one process that share pages, event channels and a xenstore, on a virtual clock. The same
 * drivers run on it that run in the guest. Nothing happens by itself: `run` delivers one event after the other until a promise
 * is settled, and jumps over time in which nothing would happen.
 */
import type { Timer } from '@xen-ts/runtime/machine.ts'
import { SimulatedDomain } from './domain.ts'
import { BulkMappings } from './memory.ts'
import { SimulatedXenstore } from './xenstored.ts'

export interface SimulationOptions {
  /** Delivers events that are ready at the same time in an order drawn from this seed; without it, in the order they were sent. */
  readonly seed?: number
  /** Lets all pending promise jobs run. The default uses a macrotask of the host. */
  readonly idle?: () => Promise<void>
  /** Virtual milliseconds after which `run` gives up. */
  readonly timeLimit?: number
}

interface PendingTimer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

type Macrotask = (run: () => void) => unknown

const defaultIdle = (): Promise<void> => {
  const host = globalThis as { setImmediate?: Macrotask; setTimeout?: Macrotask }
  const macrotask = host.setImmediate ?? host.setTimeout
  if (macrotask === undefined) throw new Error('the simulated Xen needs setImmediate or setTimeout, or the option `idle`')
  return new Promise((resolve) => { macrotask(resolve) })
}

export class SimulatedXen {
  /** Virtual milliseconds since the start. */
  now = 0
  /** Wall clock at the start, 2026-11-22 18:00 UTC. */
  readonly epoch = Date.UTC(2026, 10, 22, 18)
  readonly store: SimulatedXenstore
  readonly domains = new Map<number, SimulatedDomain>()
  readonly bulk = new BulkMappings()
  /** The domain that ordered its memory last. */
  current: SimulatedDomain | undefined
  readonly #idle: () => Promise<void>
  readonly #timeLimit: number
  readonly #seeded: boolean
  #randomState: number
  #ready: (() => void)[] = []
  readonly #timers = new Set<PendingTimer>()
  #timerOrder = 0

  constructor({ seed, idle = defaultIdle, timeLimit = 600_000 }: SimulationOptions = {}) {
    this.#seeded = seed !== undefined
    this.#randomState = (seed ?? 1) | 1
    this.#idle = idle
    this.#timeLimit = timeLimit
    this.store = new SimulatedXenstore(this)
  }

  /** Creates a domain the way libxl does: its directory in the store, a xenstore ring, and what a guest may write. */
  createDomain(domid: number): SimulatedDomain {
    if (this.domains.get(domid)?.alive === true) throw new Error(`domain ${domid} exists`)
    const domain = new SimulatedDomain(this, domid)
    this.domains.set(domid, domain)
    this.store.introduce(domain)
    return domain
  }

  domain(domid: number): SimulatedDomain | undefined {
    return this.domains.get(domid)
  }

  /** @internal called by a domain that ended */
  domainGone(domain: SimulatedDomain): void {
    this.store.release(domain)
  }

  /** A number from 0 to below `limit`, from the seed. */
  random(limit: number): number {
    let x = this.#randomState
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#randomState = x
    return (x >>> 0) % limit
  }

  /** Something that can happen now. */
  enqueue(run: () => void): void {
    this.#ready.push(run)
  }

  setTimer(delay: number, run: () => void): Timer {
    const timer: PendingTimer = { at: this.now + Math.max(0, delay), order: this.#timerOrder++, run }
    this.#timers.add(timer)
    return { cancel: () => { this.#timers.delete(timer) } }
  }

  /** Does one thing that is ready; without one, fires the next timer, and moves the clock there. False when nothing is left. */
  step(until = Infinity): boolean {
    if (this.#ready.length > 0) {
      const [run] = this.#ready.splice(this.#seeded ? this.random(this.#ready.length) : 0, 1)
      run()
      return true
    }
    let next: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    if (next === undefined || next.at > until) return false
    this.now = Math.max(this.now, next.at)
    this.#timers.delete(next)
    next.run()
    return true
  }

  /** Runs the simulation until `work` is settled. */
  async run<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    let outcome: { value: T } | { error: unknown } | undefined
    const promise = typeof work === 'function' ? work() : work
    promise.then((value) => { outcome = { value } }, (error: unknown) => { outcome = { error } })
    const limit = this.now + this.#timeLimit
    for (;;) {
      await this.#idle()
      if (outcome !== undefined) {
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }
      if (!this.step(limit)) throw new Error(`simulated Xen: nothing can happen any more at ${this.now} ms, or not before the time limit, and the work is not done`)
    }
  }

  /** Runs everything that happens within the next `ms` virtual milliseconds. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms
    do await this.#idle()
    while (this.step(until))
    this.now = until
  }

  /** Runs until nothing is ready, without moving the clock. */
  async settle(): Promise<void> {
    await this.advance(0)
  }

  /** @throws Error that lists everything the living domains did not give back */
  assertNoLeaks(): void {
    const leaks = [...[...this.domains.values()].flatMap((domain) => domain.leaks()), ...this.store.leaks()]
    if (leaks.length > 0) throw new Error(`not given back:\n  ${leaks.join('\n  ')}`)
  }
}
