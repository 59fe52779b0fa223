import type { Log, Timers } from '@xen-ts/runtime/machine'

/**
 * Warnings about what a peer did, at most one a second: a hostile peer must not be able to flood the console, nor to keep the
 * guest busy with writing its log.
 */
export class PeerWarnings {
  readonly #log: Log
  readonly #timers: Timers
  #quietUntil = -Infinity
  #suppressed = 0

  constructor(log: Log, timers: Timers) {
    this.#log = log
    this.#timers = timers
  }

  warn(text: string): void {
    const now = this.#timers.now()
    if (now < this.#quietUntil) {
      this.#suppressed++
      return
    }
    this.#log.warn(this.#suppressed === 0 ? text : `${text} (and ${this.#suppressed} warnings before it)`)
    this.#suppressed = 0
    this.#quietUntil = now + 1000
  }
}
