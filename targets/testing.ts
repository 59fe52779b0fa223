/** What a target's globals are made with, in tests: its stack is `use`, and the clock stands. */
import type { GlobalContext } from '@xen-ts/runtime'
import { nodeMachine } from '@xen-ts/runtime/node'

export interface Globals {
  readonly context: GlobalContext
  /** What was registered for the end of the program. */
  readonly closers: (() => unknown)[]
  /** How often the stack was asked for. */
  uses(): number
}

export function globalContext(use: () => Promise<unknown>): Globals {
  let uses = 0
  const closers: (() => unknown)[] = []
  const context = {
    machine: nodeMachine({ timers: { now: () => 0, set: () => ({ cancel() {} }) } }),
    lifecycle: { onShutdown: (_name: string, close: () => unknown) => closers.push(close) },
    use: () => {
      uses++
      return use()
    },
  } as unknown as GlobalContext
  return { context, closers, uses: () => uses }
}
