/**
 * A simulated Xen: several domains in one process that share pages, event channels and a xenstore, on a virtual clock. The same
 * drivers run on it that run in the guest. Nothing happens by itself: `run` delivers one event after the other until a promise
 * is settled, and jumps over time in which nothing would happen.
 */
import type { Timer } from '@xen-ts/runtime/machine'
import type { AccessWatcher, MemoryAccess } from './accesses.ts'
import { reportOrder } from './accesses.ts'
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
  /** Events and timers after which `run` and `advance` give up: without it, two ends that wake each other for ever hang the test. */
  readonly stepLimit?: number
}

/** Something that can happen; `domain` is whose doing it is, undefined for the xenstore daemon and tests. */
interface Work {
  readonly run: () => void
  readonly domain: SimulatedDomain | undefined
}

interface PendingTimer extends Work {
  readonly at: number
  readonly order: number
}

type Macrotask = (run: () => void) => unknown

/**
 * Simulations that were made while `leakCheck.on` and whose end nobody has checked yet: where each was made. Test files import
 * leak-check.ts, which checks them when all tests are over.
 */
export const leakCheck = { on: false, pending: new Map<SimulatedXen, string>() }

const defaultIdle = (): Promise<void> => {
  const host = globalThis as { setImmediate?: Macrotask; setTimeout?: Macrotask }
  const macrotask = host.setImmediate ?? host.setTimeout
  if (macrotask === undefined) throw new Error('the simulated Xen needs setImmediate or setTimeout, or the option `idle`')
  return new Promise(resolve => {
    macrotask(resolve)
  })
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
  /** See accesses.ts: called before each access of a domain to its shared memory, if watchMemory() was. */
  readonly watchers: AccessWatcher[] = []
  readonly #idle: () => Promise<void>
  readonly #timeLimit: number
  readonly #stepLimit: number
  readonly #seeded: boolean
  #randomState: number
  #ready: Work[] = []
  readonly #timers = new Set<PendingTimer>()
  #timerOrder = 0

  constructor({ seed, idle = defaultIdle, timeLimit = 600_000, stepLimit = 1_000_000 }: SimulationOptions = {}) {
    this.#seeded = seed !== undefined
    this.#randomState = (seed ?? 1) | 1
    this.#idle = idle
    this.#timeLimit = timeLimit
    this.#stepLimit = stepLimit
    this.store = new SimulatedXenstore(this)
    if (leakCheck.on) leakCheck.pending.set(this, new Error().stack ?? '')
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
  enqueue(run: () => void, domain?: SimulatedDomain): void {
    this.#ready.push({ run, domain })
  }

  /** Does one thing that is ready and is not the doing of one of `busy`. False when there is none. */
  runBeside(busy: ReadonlySet<SimulatedDomain>): boolean {
    const candidates = this.#ready.filter(({ domain }) => domain === undefined || !busy.has(domain))
    if (candidates.length === 0) return false
    const work = candidates[this.random(candidates.length)]
    this.#ready.splice(this.#ready.indexOf(work), 1)
    work.run()
    return true
  }

  /** @internal called by accesses.ts */
  watch(access: MemoryAccess): void {
    for (const watcher of this.watchers) watcher(access)
  }

  setTimer(delay: number, run: () => void, domain?: SimulatedDomain): Timer {
    const timer: PendingTimer = { at: this.now + Math.max(0, delay), order: this.#timerOrder++, run, domain }
    this.#timers.add(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
      },
    }
  }

  /** Does one thing that is ready; without one, fires the next timer, and moves the clock there. False when nothing is left. */
  step(until = Infinity): boolean {
    if (this.#ready.length > 0) {
      const [work] = this.#ready.splice(this.#seeded ? this.random(this.#ready.length) : 0, 1)
      work.run()
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
    promise.then(
      value => {
        outcome = { value }
      },
      (error: unknown) => {
        outcome = { error }
      },
    )
    const limit = this.now + this.#timeLimit
    for (let steps = 0; ; steps++) {
      await this.#rest(steps)
      if (outcome !== undefined) {
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }
      if (!this.step(limit))
        throw new Error(
          `simulated Xen: nothing can happen any more at ${this.now} ms, or not before the time limit, and the work is not done`,
        )
    }
  }

  /** Runs everything that happens within the next `ms` virtual milliseconds. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms
    let steps = 0
    do await this.#rest(steps++)
    while (this.step(until))
    this.now = until
  }

  /** Runs until nothing is ready, without moving the clock. */
  async settle(): Promise<void> {
    await this.advance(0)
  }

  /** @throws Error that lists everything the living domains did not give back */
  assertNoLeaks(): void {
    const leaks = [...[...this.domains.values()].flatMap(domain => domain.leaks()), ...this.store.leaks()]
    if (leaks.length > 0) throw new Error(`not given back:\n  ${leaks.join('\n  ')}`)
    leakCheck.pending.delete(this)
  }

  /** Lets promise jobs run: the end of a turn of every domain. */
  async #rest(steps: number): Promise<void> {
    if (steps > this.#stepLimit) throw new Error(`simulated Xen: still busy after ${steps} events and timers at ${this.now} ms`)
    await this.#idle()
    if (this.watchers.length > 0) for (const domain of this.domains.values()) reportOrder(domain, 'rest')
  }
}
