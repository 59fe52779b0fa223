/**
 * Lets a few outgoing calls at a time come to their connection. dom0 starts processes for each call, and the executor among them waits
 * only 5 s for this qube's server (qrexec-daemon.c): of many calls at once on a slow or busy dom0 most would be given up there.
 */
import type { Timers } from '@xen-ts/runtime/machine'

/** Calls on their way at a time. More would not make dom0 faster. */
const AT_ONCE = 4
/** How long (ms) a call whose answer does not come keeps the next from starting: dom0 is asking its user, and has nothing else to do. */
const ASKING = 1_000
/** The same for one that was allowed, and whose executor does not come. */
const CONNECTING = 10_000

export class Turnstile {
  readonly #timers: Timers
  #queue: (() => void)[] = []
  #inside = 0

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /**
   * Runs `ask` when it is its turn, in the order of the calls, then `connect` with the answer.
   * @param signal gives the turn up
   * @throws the signal's reason, and what `ask` and `connect` throw
   */
  async pass<A, T>(signal: AbortSignal, ask: () => Promise<A>, connect: (answer: A) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    await this.#enter(signal)
    let inside = true
    const leave = (): void => {
      if (inside) this.#leave()
      inside = false
    }
    let timer = this.#timers.set(ASKING, leave)
    try {
      signal.throwIfAborted()
      const answer = await ask()
      // Counts again without a place in the queue: dom0 has allowed it, and its executor is waiting.
      if (!inside) this.#inside++
      inside = true
      timer.cancel()
      timer = this.#timers.set(CONNECTING, leave)
      return await connect(answer)
    } finally {
      timer.cancel()
      leave()
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (this.#inside < AT_ONCE) {
      this.#inside++
      return
    }
    // Who leaves makes room for the first of the queue, and for nobody who comes meanwhile.
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = (): void => {
      this.#queue = this.#queue.filter(other => other !== resolve)
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp)
    this.#queue.push(resolve)
    await promise.finally(() => signal.removeEventListener('abort', giveUp))
  }

  #leave(): void {
    this.#inside--
    if (this.#inside >= AT_ONCE) return
    const next = this.#queue.shift()
    if (next === undefined) return
    this.#inside++
    next()
  }
}
