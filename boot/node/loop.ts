/** The kernel's main loop, for the engine in Node, and the two hooks through which it drives a program. */
import type { Engine, Value } from './engine.ts'
import { Halt } from './errors.ts'

export interface Hooks {
  /** One macrotask. */
  readonly turn: Value
  /** Takes what was thrown and not caught, and what was rejected and not handled. */
  readonly fail: Value
}

/** Takes globalThis.__xenTs.turn and .fail, and deletes the global. */
export function takeHooks(engine: Engine): Hooks {
  const global = engine.global()
  const hooks = engine.get(global, '__xenTs')
  engine.free(global)
  const take = (name: string) => {
    const value = engine.values.isObject(hooks) ? engine.get(hooks, name) : undefined
    if (value === undefined || engine.typeOf(value) !== 'function')
      throw new Error(
        `the bundle does not set globalThis.__xenTs.${name} to a function: its entry must call boot() of @xen-ts/runtime/guest`,
      )
    return value
  }
  const taken = { turn: take('turn'), fail: take('fail') }
  engine.free(hooks)
  engine.free(engine.eval('delete globalThis.__xenTs', '<hooks>'))
  return taken
}

/**
 * Runs the program until it calls abi.shutdown, whose implementation must throw a Halt: returns the reason. Blocks, as the guest
 * does. Throws a GuestError when `fail` itself throws.
 */
export function runLoop(engine: Engine, { turn, fail }: Hooks): number {
  const report = (reason: Value) => {
    engine.free(engine.call(fail, reason))
    engine.free(reason)
  }
  try {
    for (;;) {
      const thrownByJob = engine.runJobs()
      if (thrownByJob !== undefined) {
        report(thrownByJob)
        continue
      }
      // As the kernel does (engine_run in kernel/loop.c): all there are, before anything else can happen.
      const rejection = engine.takeRejection()
      if (rejection !== undefined) {
        report(rejection)
        continue
      }
      const result = engine.invoke(turn)
      const thrown = engine.takeThrown(result)
      if (thrown === undefined) engine.free(result)
      else report(thrown)
    }
  } catch (error) {
    if (error instanceof Halt) return error.reason
    throw error
  }
}
