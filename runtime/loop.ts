/**
 * The event loop. The kernel drains all promise jobs, then calls `turn`, for ever; a turn is one macrotask: one timer that is due,
 * or one event channel port that is pending. Between two of them all jobs run, so a handler never sees the half-done work of another.
 */
import { type Abi, waitPorts } from '@xen-ts/boot/abi'
import type { Ports, Timer, Timers } from './machine.ts'
import { TimerHeap } from './timer-heap.ts'

export class Loop implements Ports, Timers {
  readonly #abi: Abi
  readonly #heap = new TimerHeap()
  /** What the clock said last: reading it once a round is enough, and costs as much as a hypercall where Xen emulates the TSC. */
  #last = 0
  /** The first timer that was set after that. */
  #newer = 0
  readonly #handlers = new Map<number, () => void>()
  /** Ports taken from the kernel at once. They are served to their end before the next are taken, so no busy port starves another. */
  readonly #pendingBytes = new Uint8Array(4 * waitPorts)
  readonly #pending = new Uint32Array(this.#pendingBytes.buffer)
  #pendingCount = 0
  #pendingNext = 0
  /** The clock was read in this turn, or the last: a timer that was not due then may wait for the next. */
  #isFresh = false
  /** Ports and timers take turns when both have something to do. */
  #timerIsNext = true

  constructor(abi: Abi) {
    this.#abi = abi
  }

  on(port: number, handler: () => void): void {
    if (this.#handlers.has(port)) throw new Error(`event channel port ${port} has a handler already: call off(${port}) before another on()`)
    this.#handlers.set(port, handler)
  }

  off(port: number): void {
    this.#handlers.delete(port)
  }

  now(): number {
    this.#newer = this.#heap.added
    this.#isFresh = true
    return (this.#last = this.#abi.clockMonotonic())
  }

  recent(): number {
    this.#newer = this.#heap.added
    this.#isFresh = true
    return (this.#last = this.#abi.clockRecent())
  }

  /** `delay` in milliseconds: what is not above 0 means as soon as possible, Infinity means never. */
  set(delay: number, run: () => void): Timer {
    return delay > 0 ? this.#heap.add(this.now() + delay, run) : this.#heap.append(this.#last, run)
  }

  at<T>(deadline: number, run: (subject: T) => void, subject: T): Timer {
    return this.#heap.add(deadline, run as (subject: unknown) => void, subject)
  }

  /** Does one macrotask, after waiting for one if need be. What a handler throws passes through to the caller. */
  turn(): void {
    if (this.#timerIsNext && this.#fireDue()) return
    this.#isFresh = false
    if (this.#pendingNext === this.#pendingCount) this.#wait()
    if (this.#pendingNext < this.#pendingCount) {
      this.#timerIsNext = true
      // A handler may be gone by now: its port was closed after the kernel reported it.
      this.#handlers.get(this.#pending[this.#pendingNext++])?.()
      return
    }
    this.#fireDue()
  }

  #wait(): void {
    const deadline = this.#heap.first()?.deadline ?? Infinity
    if (deadline === Infinity && this.#handlers.size === 0) throw new DeadlockError()
    this.#pendingNext = 0
    this.#pendingCount = this.#abi.wait(deadline > this.#last ? deadline : 0, this.#pendingBytes)
  }

  #fireDue(): boolean {
    const timer = this.#heap.first()
    if (timer === undefined) return false
    if (this.#isFresh && timer.deadline > this.#last) return false
    // Read anew before one that was set since: timers without a delay that set each other would keep others waiting for ever.
    if ((timer.sequence >= this.#newer || timer.deadline > this.#last) && timer.deadline > this.now()) return false
    this.#heap.remove(timer)
    this.#timerIsNext = false
    this.#isFresh = false
    timer.run(timer.subject)
    return true
  }
}

/** Thrown by `turn` when nothing can ever happen again; better than a domain that hangs for ever. */
export class DeadlockError extends Error {
  override name = 'DeadlockError'
  constructor() {
    super(
      'the program waits for something that can never come: no timer is set and no device is connected; ' +
        'let start() return, or look for a promise that nobody resolves',
    )
  }
}
