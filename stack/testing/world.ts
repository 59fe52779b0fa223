/**
 * A world with its own time: several machines whose timers and whose wires run on one virtual clock. Nothing happens between events,
 * so minutes of protocol take milliseconds, and the same seed gives the same run.
 */
import type { Machine, Timer } from '@xen-ts/runtime/machine'
import { lineLog } from '@xen-ts/runtime/node'
import { seededRandom, testAbi } from './abi.ts'

interface Event {
  at: number
  order: number
  run: (() => void) | undefined
}

export class World {
  now = 0
  readonly random: () => number
  readonly logLines: string[] = []
  readonly #seed: number
  #machines = 0
  #order = 0
  /** A binary heap by time, then by order of creation. */
  readonly #events: Event[] = []

  constructor(seed: number) {
    this.#seed = seed
    this.random = seededRandom(seed)
  }

  at(delay: number, run: () => void): Timer {
    const event: Event = { at: this.now + Math.max(delay, 0), order: this.#order++, run }
    this.#push(event)
    return {
      cancel: () => {
        event.run = undefined
      },
    }
  }

  machine(name: string): Machine {
    return {
      abi: testAbi(this.#seed * 31 + this.#machines++, () => this.now),
      timers: { now: () => this.now, set: (delay, run) => this.at(delay, run) },
      log: lineLog(line => {
        this.logLines.push(`${this.now.toFixed(3)} ${name}: ${line}`)
      }),
    }
  }

  /** Events that are still to come, cancelled ones not counted. */
  get pending(): number {
    return this.#events.filter(event => event.run !== undefined).length
  }

  /** Runs until `done` says so, no event is left, or the clock passes `limit` milliseconds from now. False for the last. */
  async run(limit: number, done: () => boolean = () => false): Promise<boolean> {
    const end = this.now + limit
    for (;;) {
      // Promise jobs of the programs run between events, as in the guest's loop.
      await settle()
      if (done()) return true
      const event = this.#pop()
      if (event === undefined) return true
      if (event.at > end) {
        this.#push(event)
        this.now = end
        return false
      }
      this.now = event.at
      const run = event.run!
      event.run = undefined
      run()
    }
  }

  #push(event: Event): void {
    const heap = this.#events
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isEarlier(event, heap[parent])) break
      heap[i] = heap[parent]
      i = parent
    }
    heap[i] = event
  }

  /** The next event that was not cancelled. */
  #pop(): Event | undefined {
    const heap = this.#events
    while (heap.length > 0) {
      const top = heap[0]
      const last = heap.pop()!
      if (heap.length > 0) {
        let i = 0
        for (;;) {
          let child = 2 * i + 1
          if (child >= heap.length) break
          if (child + 1 < heap.length && isEarlier(heap[child + 1], heap[child])) child++
          if (!isEarlier(heap[child], last)) break
          heap[i] = heap[child]
          i = child
        }
        heap[i] = last
      }
      if (top.run !== undefined) return top
    }
    return undefined
  }
}

const isEarlier = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Lets all promise jobs run that are ready, and those that these make ready. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
