/** Lines of the log that packets cause: whoever sends many of them shall not fill the log, nor keep the guest busy with writing it. */
import type { Log, Timers } from '@xen-ts/runtime/machine'

/** Lines of a level in so many milliseconds. */
const LINES = 10
const PERIOD = 60_000

type Level = 'error' | 'warn' | 'info' | 'debug'

export class LimitedLog {
  readonly #log: Log
  readonly #timers: Pick<Timers, 'now'>
  /** Each level has its own: what is only for `debug`, and not shown mostly, must not silence an error. */
  readonly #levels = new Map<Level, { since: number; written: number; leftOut: number }>()

  constructor(log: Log, timers: Pick<Timers, 'now'>) {
    this.#log = log
    this.#timers = timers
  }

  /** Ten lines a minute. The first one afterwards says how many were left out; `text` is made only when it is written. */
  write(level: Level, text: () => string): void {
    const now = this.#timers.now()
    let count = this.#levels.get(level)
    if (count === undefined || now - count.since >= PERIOD) {
      if (count !== undefined && count.leftOut > 0) this.#log[level](`left out since: ${count.leftOut} lines such as the next`)
      count = { since: now, written: 0, leftOut: 0 }
      this.#levels.set(level, count)
    }
    if (count.written < LINES) {
      count.written++
      this.#log[level](text())
    } else {
      count.leftOut++
    }
  }
}
