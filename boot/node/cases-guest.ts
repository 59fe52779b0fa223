/**
 * The engine's side of suite.ts: runs the cases one after the other, and reports each as a line of JSON. To be imported before all
 * else: it puts setTimeout, clearTimeout and setImmediate in place, which run in the engine's virtual time.
 */
import type { Abi } from '../abi/abi.ts'
import { type CaseReport, reportMark } from './case-report.ts'
import { assert, type Cases } from './cases.ts'

interface Scope {
  readonly __abi: Abi
  __xenTs?: { turn(): void; fail(reason: unknown): void }
  setTimeout?: (run: () => void, delay?: number) => number
  clearTimeout?: (id: number) => void
  setImmediate?: (run: () => void) => number
}

/** Sets globalThis.__xenTs. */
export function serveCases(all: Cases): void {
  const left = Object.entries(all)
  let current: string | undefined
  let last = ''

  const report = (name: string, error?: unknown) => {
    current = undefined
    const failure = error === undefined ? undefined : describeError(error)
    abi.consoleWrite(`${reportMark}${JSON.stringify({ name, failure } satisfies CaseReport)}\n`)
  }
  scope.__xenTs = {
    turn() {
      // Called when no promise job is left: a case that is not at its end waits for a timer, or for what cannot happen.
      if (current !== undefined && timers.runNext()) return
      if (current !== undefined) report(current, new Error('the case never ends: it waits for something that does not happen'))
      timers.clearAll()
      const next = left.shift()
      if (!next) {
        abi.shutdown(0)
        return
      }
      const [name, run] = next
      current = last = name
      const end = (error?: unknown) => {
        if (current === name) report(name, error)
      }
      const work = async () => {
        await run(assert)
      }
      work().then(
        () => end(),
        reason => end(reason ?? new Error(`${reason} was thrown`)),
      )
    },
    // An unhandled rejection: of the case that ran last, which may have passed already. The later report counts.
    fail(reason) {
      report(last, reason ?? new Error(`${reason} was thrown`))
    },
  }
}

class Timers {
  readonly #abi: Abi
  readonly #pending = new Map<number, { time: number; run: () => void }>()
  readonly #ports = new Uint8Array(4)
  #count = 0

  constructor(abi: Abi) {
    this.#abi = abi
  }

  set(run: () => void, delay: number): number {
    this.#pending.set(++this.#count, { time: this.#abi.clockMonotonic() + delay, run })
    return this.#count
  }

  clear(id: number): void {
    this.#pending.delete(id)
  }

  clearAll(): void {
    this.#pending.clear()
  }

  /** Waits for the earliest and runs it; of two at the same time, the one set first. False when there is none. */
  runNext(): boolean {
    let id: number | undefined
    let earliest = Infinity
    for (const [candidate, { time }] of this.#pending) if (time < earliest) [id, earliest] = [candidate, time]
    if (id === undefined) return false
    const { run } = this.#pending.get(id)!
    this.#pending.delete(id)
    this.#abi.wait(earliest, this.#ports)
    run()
    return true
  }
}

const scope = globalThis as unknown as Scope
const abi = scope.__abi
const timers = new Timers(abi)
scope.setTimeout = (run, delay = 0) => timers.set(run, delay)
scope.clearTimeout = id => {
  timers.clear(id)
}
scope.setImmediate = run => timers.set(run, 0)

function describeError(error: unknown): CaseReport['failure'] {
  if (!(error instanceof Error)) return { name: 'Error', message: `${String(error)} was thrown, which is not an Error`, stack: '' }
  return { name: error.name, message: error.message, stack: error.stack ?? '' }
}
