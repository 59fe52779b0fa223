/**
 * What windows have to tell the GUI daemon, at its pace: each window once a turn, one after the other, and the next when the daemon has
 * taken the one before. What changes meanwhile is told as it is then, so the program's own pace fills no memory.
 */
import { describeBriefly, type Log, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Link } from './window-context.ts'

export interface Teller {
  /** For a log, such as `window 1`. */
  readonly name: string
  /** What is to be told now; undefined when it is nothing. */
  tell(link: Link): Uint8Array | undefined
  /** The daemon has taken it. */
  told(): void
}

export class Outbox {
  readonly #timers: Timers
  readonly #log: Log
  #link: Link | undefined
  #waiting = new Set<Teller>()
  #timer: Timer | undefined
  #isBusy = false

  constructor(timers: Timers, log: Log) {
    this.#timers = timers
    this.#log = log
  }

  /** @param link a new connection, undefined when there is none */
  connect(link: Link | undefined): void {
    this.#link = link
    this.#isBusy = false
    this.#schedule()
  }

  /** The window has something to tell: it is asked at the end of the turn, or later. */
  add(teller: Teller): void {
    this.#waiting.add(teller)
    this.#schedule()
  }

  remove(teller: Teller): void {
    this.#waiting.delete(teller)
  }

  #schedule(): void {
    if (this.#isBusy || this.#link === undefined || this.#waiting.size === 0) return
    this.#timer ??= this.#timers.set(0, this.#turn)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    if (!this.#isBusy && this.#link !== undefined) void this.#work(this.#link)
  }

  async #work(link: Link): Promise<void> {
    this.#isBusy = true
    const batch = [...this.#waiting]
    for (const teller of batch) {
      // A window that was closed meanwhile has taken itself out.
      if (!this.#waiting.delete(teller)) continue
      const bytes = this.#ask(teller, link)
      // Without a rejection: the agent sees by itself that the daemon is gone.
      if (bytes !== undefined) await link.send(bytes).catch(() => {})
      // Another daemon, which is told everything anew.
      if (link !== this.#link) return
      teller.told()
    }
    this.#isBusy = false
    this.#schedule()
  }

  #ask(teller: Teller, link: Link): Uint8Array | undefined {
    try {
      return teller.tell(link)
    } catch (error) {
      this.#log.error(`${teller.name} cannot be told to the GUI daemon: ${describeBriefly(error)}`)
      return undefined
    }
  }
}
