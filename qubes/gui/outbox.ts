/**
 * What windows have to tell the GUI daemon, at its pace: each window once a turn, one after the other, and the next when the daemon has
 * taken the one before. What changes meanwhile is told as it is then, so the program's own pace fills no memory.
 */
import { describeBriefly, type Log, recently, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Link } from './window-context.ts'

export interface Teller {
  /** For a log, such as `window 1`. */
  readonly name: string
  /** What is to be told now; undefined when it is nothing. */
  tell(link: Link): Uint8Array | undefined
  /** The daemon has taken it. */
  told(): void
}

/** How long (ms) windows may be told again and again in one turn of the event loop: others get their turn whatever a program draws. */
const SHARE = 2

export class Outbox {
  readonly #timers: Timers
  readonly #log: Log
  #link: Link | undefined
  #waiting = new Set<Teller>()
  /** Of them who came last: as a rule there is no other. */
  #newest: Teller | undefined
  #timer: Timer | undefined
  /** When the timer was set, which fires at the end of the turn: the turn is not older. */
  #since = 0
  /** How often the time was asked for. */
  #asked = 0
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
    this.#newest = teller
    this.#schedule()
  }

  /** Tells now what is to be told, unless the daemon takes no more now, or this turn has had its share. */
  flush(): void {
    if (this.#isBusy || this.#link === undefined || this.#waiting.size === 0) return
    if (this.#timer !== undefined && this.#time() - this.#since > SHARE) return
    this.#tell(this.#link)
  }

  remove(teller: Teller): void {
    this.#waiting.delete(teller)
  }

  #schedule(): void {
    if (this.#isBusy || this.#timer !== undefined || this.#link === undefined || this.#waiting.size === 0) return
    this.#since = recently(this.#timers)
    this.#timer = this.#timers.set(0, this.#turn)
  }

  /** To the millisecond now and then is enough: what draws long is seen by the other. */
  #time(): number {
    return (++this.#asked & 15) === 0 ? this.#timers.now() : recently(this.#timers)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    if (!this.#isBusy && this.#link !== undefined) this.#tell(this.#link)
  }

  #tell(link: Link): void {
    const teller = this.#newest
    if (teller === undefined || this.#waiting.size !== 1 || !this.#waiting.delete(teller)) return this.#work(link, [...this.#waiting])
    this.#isBusy = true
    const bytes = this.#ask(teller, link)
    if (bytes !== undefined && !link.trySend(bytes)) return this.#sendAndGoOn(link, bytes, [teller])
    teller.told()
    this.#isBusy = false
    if (this.#waiting.size > 0) this.#schedule()
  }

  /** @param batch those that are asked now, one after the other */
  #work(link: Link, batch: Teller[]): void {
    this.#isBusy = true
    for (let next = 0; next < batch.length; next++) {
      const teller = batch[next]
      // A window that was closed meanwhile has taken itself out.
      if (!this.#waiting.delete(teller)) continue
      const bytes = this.#ask(teller, link)
      if (bytes !== undefined && !link.trySend(bytes)) return this.#sendAndGoOn(link, bytes, batch.slice(next))
      teller.told()
    }
    this.#isBusy = false
    this.#schedule()
  }

  /** The daemon takes no more now. @param batch who has told this, and the others */
  #sendAndGoOn(link: Link, bytes: Uint8Array, [teller, ...others]: Teller[]): void {
    // Without a rejection: the agent sees by itself that the daemon is gone.
    const sending = link.send(bytes).catch(() => {})
    void sending.then(() => {
      // Another daemon, which is told everything anew.
      if (link !== this.#link) return
      teller.told()
      this.#work(link, others)
    })
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
