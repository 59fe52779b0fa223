/**
 * Suspend and resume: `xl save` and restore, checkpoints, migration, and Qubes' sleep of the host. After a resume the domain goes on
 * either in the world it left (`cancelled`: nothing was lost but time), or in a new one: another domain id, a new connection to
 * xenstore, no event channel, no grant, no foreign page, other backends. Drivers say here how they get over that.
 *
 * Timers follow the monotonic clock, which stands still while the domain is suspended: each has as much time left as it had. What
 * measures a peer's patience or repeats itself so neither fires in a burst nor gives up on peers that slept too. Only the wall
 * clock jumps; who needs it looks at `clockWall` after `onResume`.
 */
import type { Abi } from '@xen-ts/boot/abi'
import type { Log } from './log.ts'
import type { Timers } from './machine.ts'

/**
 * In which order subscribers hear of a resume: what others stand on comes first. Of a suspend they hear in the reverse order.
 * `ports`: event channels; `grants`: grant table; `store`: xenstore; `connections`: devices, vchans, control; `program`: agents and
 * programs.
 */
const stages = ['ports', 'grants', 'store', 'connections', 'program'] as const
export type Stage = (typeof stages)[number]

export interface SuspendSubscriber {
  /**
   * The domain is about to be suspended: the time to get quiet. The suspend waits for the promise, some seconds at most; a rejection calls
   * it off, and everybody hears `resume(true)`.
   */
  suspend?(): void | Promise<void>
  /** The domain goes on. `cancelled`: in the same world; otherwise nothing that Xen or another domain gave is there any more. */
  resume?(cancelled: boolean): void
}

/** `resumed` in a new world; `cancelled`: in the same; `refused`: somebody did not get quiet, and the domain was not suspended. */
export type SuspendResult = 'resumed' | 'cancelled' | 'refused'

/** SHUTDOWN_suspend of xen/include/public/sched.h. */
const SUSPEND = 2
/** Milliseconds for getting quiet. The toolstack waits 60 s for the whole. */
const PATIENCE = 10_000

export class Suspension {
  readonly #abi: Pick<Abi, 'shutdown'>
  readonly #timers: Timers
  readonly #log: Log
  readonly #subscribers = new Map<Stage, Set<SuspendSubscriber>>(stages.map(stage => [stage, new Set()]))
  #world = 0
  #running: Promise<SuspendResult> | undefined

  constructor(abi: Pick<Abi, 'shutdown'>, timers: Timers, log: Log) {
    this.#abi = abi
    this.#timers = timers
    this.#log = log
  }

  /**
   * Counts the worlds that the domain has lived in, from 0. A handle of Xen (a port, a mapping) means something only in the world that
   * gave it: another one may have the same number.
   */
  get world(): number {
    return this.#world
  }

  /** Until the returned function is called. */
  subscribe(stage: Stage, subscriber: SuspendSubscriber): () => void {
    const own = { suspend: () => subscriber.suspend?.(), resume: (cancelled: boolean) => subscriber.resume?.(cancelled) }
    const subscribers = this.#subscribers.get(stage)!
    subscribers.add(own)
    return () => {
      subscribers.delete(own)
    }
  }

  /**
   * Calls `run` after each resume, when the drivers work again, until the returned function is called. `cancelled`: see above. Agents then
   * ask for the time; their connections end by themselves when they are lost.
   */
  onResume(run: (cancelled: boolean) => void): () => void {
    return this.subscribe('program', { resume: run })
  }

  /** Suspends the domain. Never rejects; a call while another is under way is the same suspend. */
  suspend(): Promise<SuspendResult> {
    this.#running ??= this.#suspend().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #suspend(): Promise<SuspendResult> {
    try {
      for (const stage of stages.toReversed()) await this.#quiet(stage)
    } catch (error) {
      this.#log.error(`not suspended: ${(error as Error).message}`)
      this.#resume(true)
      return 'refused'
    }
    this.#log.info('suspending')
    // No job runs between the hypercall and the last subscriber: nobody can touch what is gone before he knows.
    const result = this.#abi.shutdown(SUSPEND)
    const cancelled = result !== 0
    if (!cancelled) this.#world++
    if (result < 0) this.#log.error(`Xen did not suspend the domain: errno ${-result}`)
    else this.#log.info(cancelled ? 'resumed' : 'resumed in a new domain')
    this.#resume(cancelled)
    return cancelled ? 'cancelled' : 'resumed'
  }

  async #quiet(stage: Stage): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = this.#timers.set(PATIENCE, () => late.reject(new Error(`${stage} did not get quiet within ${PATIENCE / 1000} s`)))
    try {
      await Promise.race([Promise.all([...this.#subscribers.get(stage)!].map(async subscriber => subscriber.suspend?.())), late.promise])
    } finally {
      timer.cancel()
    }
  }

  #resume(cancelled: boolean): void {
    for (const stage of stages) {
      for (const subscriber of [...this.#subscribers.get(stage)!]) {
        try {
          subscriber.resume?.(cancelled)
        } catch (error) {
          this.#log.error(`${stage} after the resume: ${(error as Error).message}`)
        }
      }
    }
  }
}
