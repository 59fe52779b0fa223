/** The engine's side of suite.ts: runs the cases one after the other, and reports each as a line of JSON. */
import type { Abi } from '../abi/abi.ts'
import { assert, type Cases } from './cases.ts'

/** Stands before a report, to tell it from what a case writes itself. */
export const reportMark = '\u0001'

export interface CaseReport { readonly name: string, readonly failure?: { readonly name: string, readonly message: string, readonly stack: string } }

/** Sets globalThis.__xenTs. */
export function serveCases(all: Cases): void {
  const scope = globalThis as unknown as { __abi: Abi, __xenTs?: { turn(): void, fail(reason: unknown): void } }
  const abi = scope.__abi
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
      // Called when no promise job is left: whatever the case still waits for cannot happen.
      if (current !== undefined) report(current, new Error('the case never ends: it waits for something that does not happen'))
      const next = left.shift()
      if (!next) {
        abi.shutdown(0)
        return
      }
      const [name, run] = next
      current = last = name
      const end = (error?: unknown) => { if (current === name) report(name, error) }
      const work = async () => { await run(assert) }
      work().then(() => end(), reason => end(reason ?? new Error(`${reason} was thrown`)))
    },
    // An unhandled rejection: of the case that ran last, which may have passed already. The later report counts.
    fail(reason) { report(last, reason ?? new Error(`${reason} was thrown`)) },
  }
}

function describeError(error: unknown): CaseReport['failure'] {
  if (!(error instanceof Error)) return { name: 'Error', message: `${String(error)} was thrown, which is not an Error`, stack: '' }
  return { name: error.name, message: error.message, stack: error.stack ?? '' }
}
