/**
 * Acknowledgments that are held back (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2): a segment's is due when its batch of frames is
 * over and two full segments have come, or one while the way is bad (reassembly.ts); otherwise it may wait for an answer to ride on, up to DELAY. One timer serves all
 * connections: nobody waits longer than DELAY, some less.
 *
 * A due one still waits for a handler that has kept some of the data, until it has read all of it, or the event loop comes round: else the window would be
 * told twice, without what was kept and with it.
 */
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import type { Connection } from './connection.ts'
import { acknowledge } from './output.ts'
import { CLOSED } from './state.ts'

/** Milliseconds; the RFC's bound is 500. */
const DELAY = 40

export class HeldAcknowledgments {
  readonly #timers: Timers
  /** Bytes of a receive window that are worth an acknowledgment even when they are not two full segments. */
  readonly #quarter: number
  #batch: Connection[] = []
  #late: Connection[] = []
  #lateTimer: Timer | undefined = undefined
  #delayed: Connection[] = []
  #timer: Timer | undefined = undefined

  constructor(timers: Timers, receiveWindow: number) {
    this.#timers = timers
    this.#quarter = receiveWindow >>> 2
  }

  add(c: Connection): void {
    if (c.unacknowledged >= 2 * c.mss || c.unacknowledged >= this.#quarter || c.reassembly?.takesEagerly()) {
      c.inBatch = true
      this.#batch.push(c)
    } else if (!c.inDelayed) {
      c.inDelayed = true
      this.#delayed.push(c)
      this.#timer ??= this.#timers.set(DELAY, () => this.#expired())
    }
  }

  /** The batch of received frames is over. */
  batchEnds(): void {
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    for (const c of batch) {
      c.inBatch = false
      if (c.retained > 0 && c.unacknowledged > 0) this.#wait(c)
      else send(c)
    }
  }

  #wait(c: Connection): void {
    if (c.inLate) return
    c.inLate = true
    this.#late.push(c)
    this.#lateTimer ??= this.#timers.set(0, () => this.#roundEnds())
  }

  #roundEnds(): void {
    this.#lateTimer = undefined
    const late = this.#late
    this.#late = []
    for (const c of late) {
      c.inLate = false
      send(c)
    }
  }

  #expired(): void {
    this.#timer = undefined
    const delayed = this.#delayed
    this.#delayed = []
    for (const c of delayed) {
      c.inDelayed = false
      send(c)
    }
  }

  close(): void {
    this.#timer?.cancel()
    this.#lateTimer?.cancel()
    this.#timer = this.#lateTimer = undefined
  }
}

function send(c: Connection): void {
  if (c.unacknowledged > 0 && c.state !== CLOSED) acknowledge(c)
}
