import type { Timer } from './machine.ts'

/** Where a timer stands that is in no heap: fired, or removed; and one of those without a delay. */
const NOWHERE = -1
const QUEUED = -2
/** So many that are over may lie before the others in the queue. */
const WASTE = 64

/**
 * A binary heap of timers: the next deadline in O(1), set and cancel in O(log n). Equal deadlines fire in the order they were set. Most timers
 * have no delay: those are a queue, for each of them is due after the one before.
 */
export class TimerHeap {
  readonly #entries: HeapTimer[] = []
  readonly #queue: HeapTimer[] = []
  /** The first of the queue that is not over. */
  #head = 0
  #queued = 0
  #sequence = 0

  /** How many were added so far: the `sequence` of the next. */
  get added(): number {
    return this.#sequence
  }

  get size(): number {
    return this.#entries.length + this.#queued
  }

  /** The timer with the earliest deadline. */
  first(): HeapTimer | undefined {
    const top = this.#entries[0]
    if (this.#queued === 0) return top
    const queued = this.#queue[this.#head]
    return top !== undefined && before(top, queued) ? top : queued
  }

  /** @param run called by the owner, with `subject` */
  add(deadline: number, run: (subject: unknown) => void, subject?: unknown): HeapTimer {
    const timer = new HeapTimer(this, deadline, this.#sequence++, run, subject, this.#entries.length)
    this.#entries.push(timer)
    this.#up(timer)
    return timer
  }

  /** @param deadline not before that of the last call */
  append(deadline: number, run: () => void): HeapTimer {
    const timer = new HeapTimer(this, deadline, this.#sequence++, run, undefined, QUEUED)
    this.#queue.push(timer)
    this.#queued++
    return timer
  }

  /** Takes a timer out; one that fired or was removed before is left alone. */
  remove(timer: HeapTimer): void {
    const { index } = timer
    if (index === QUEUED) return this.#dequeue(timer)
    if (index < 0) return
    const last = this.#entries.pop() as HeapTimer
    timer.index = NOWHERE
    if (last === timer) return
    this.#place(last, index)
    this.#up(last)
    this.#down(last)
  }

  /** One in the middle stays until those before it are gone. */
  #dequeue(timer: HeapTimer): void {
    const queue = this.#queue
    timer.index = NOWHERE
    if (--this.#queued === 0) {
      queue.length = this.#head = 0
      return
    }
    while (queue[this.#head].index !== QUEUED) this.#head++
    if (this.#head < WASTE || 2 * this.#head < queue.length) return
    queue.splice(0, this.#head)
    this.#head = 0
  }

  #up(timer: HeapTimer): void {
    while (timer.index > 0) {
      const parentIndex = (timer.index - 1) >> 1
      const parent = this.#entries[parentIndex]
      if (!before(timer, parent)) return
      this.#place(parent, timer.index)
      this.#place(timer, parentIndex)
    }
  }

  #down(timer: HeapTimer): void {
    for (;;) {
      const left = 2 * timer.index + 1
      if (left >= this.#entries.length) return
      const right = left + 1
      const childIndex = right < this.#entries.length && before(this.#entries[right], this.#entries[left]) ? right : left
      const child = this.#entries[childIndex]
      if (!before(child, timer)) return
      this.#place(child, timer.index)
      this.#place(timer, childIndex)
    }
  }

  #place(timer: HeapTimer, index: number): void {
    this.#entries[index] = timer
    timer.index = index
  }
}

/** It cancels itself: an object for that, with a function, would cost as much as the timer. */
export class HeapTimer implements Timer {
  // Members are made in the constructor: fields of a class are made by a call.
  /** Monotonic milliseconds. */
  declare readonly deadline: number
  declare readonly sequence: number
  declare readonly run: (subject: unknown) => void
  declare readonly subject: unknown
  /** Where it stands in the heap; below 0 when it is not in it. Kept so that cancelling needs no search. */
  declare index: number
  declare private readonly heap: TimerHeap

  constructor(heap: TimerHeap, deadline: number, sequence: number, run: (subject: unknown) => void, subject: unknown, index: number) {
    this.heap = heap
    this.deadline = deadline
    this.sequence = sequence
    this.run = run
    this.subject = subject
    this.index = index
  }

  cancel(): void {
    this.heap.remove(this)
  }
}

function before(a: HeapTimer, b: HeapTimer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence)
}
