/** Lines of the log that packets cause: whoever sends many of them shall not fill the log, nor keep the guest busy with writing it. */
import type { Log, Timers } from '@xen-ts/runtime/machine'

/** Lines in so many milliseconds. */
const LINES = 10
const PERIOD = 60_000

export class LimitedLog {
  readonly #log: Log
  readonly #timers: Pick<Timers, 'now'>
  #since = -Infinity
  #written = 0
  #leftOut = 0

  constructor(log: Log, timers: Pick<Timers, 'now'>) {
    this.#log = log
    this.#timers = timers
  }

  /** Ten lines a minute. The first one afterwards says how many were left out; `text` is made only when it is written. */
  write(level: 'error' | 'warn' | 'info' | 'debug', text: () => string): void {
    const now = this.#timers.now()
    if (now - this.#since >= PERIOD) {
      if (this.#leftOut > 0) this.#log[level](`left out since: ${this.#leftOut} lines such as the next`)
      this.#since = now
      this.#written = this.#leftOut = 0
    }
    if (this.#written < LINES) {
      this.#written++
      this.#log[level](text())
    } else {
      this.#leftOut++
    }
  }
}
