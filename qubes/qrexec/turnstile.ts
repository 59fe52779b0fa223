/**
 * Lets a few outgoing calls at a time come to their connection. dom0 starts processes for each call, and the executor among them waits
 * only 5 s for this qube's server (qrexec-daemon.c): of many calls at once on a slow or busy dom0 most would be given up there.
 */
import type { Timers } from '@xen-ts/runtime/machine'

/** Calls on their way at a time. More would not make dom0 faster. */
const AT_ONCE = 4
/** How long (ms) a call keeps the next from starting: dom0 may be asking its user, who takes what time he likes. */
const PATIENCE = 10_000

export class Turnstile {
  readonly #timers: Timers
  #queue: (() => void)[] = []
  #inside = 0

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /**
   * Runs `work` when it is its turn, in the order of the calls.
   * @param signal gives the turn up
   * @throws the signal's reason, and what `work` throws
   */
  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    await this.#enter(signal)
    let inside = true
    const leave = (): void => {
      if (inside) this.#leave()
      inside = false
    }
    const timer = this.#timers.set(PATIENCE, leave)
    try {
      signal.throwIfAborted()
      return await work()
    } finally {
      timer.cancel()
      leave()
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (this.#inside === AT_ONCE) {
      // Who leaves makes room for the first of the queue, and for nobody who comes meanwhile.
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const giveUp = (): void => {
        this.#queue = this.#queue.filter(other => other !== resolve)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp)
      this.#queue.push(resolve)
      await promise.finally(() => signal.removeEventListener('abort', giveUp))
    } else {
      this.#inside++
    }
  }

  #leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#inside--
    else next()
  }
}
