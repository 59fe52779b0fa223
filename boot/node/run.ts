/** Runs a guest bundle in the engine under Node. */
import { bindAbi } from './abi.ts'
import { createEngine } from './create.ts'
import { callDeep } from './deep.ts'
import { guestStackBytes } from './guest-stack.ts'
import { type HostAbiOptions, hostAbi } from './host-abi.ts'
import { runLoop, takeHooks } from './loop.ts'

interface Bundle extends Omit<HostAbiOptions, 'output'> {
  /** A classic script that sets globalThis.__xenTs = { turn, fail }. */
  readonly bundle: string
  /** The script's name in stack traces. */
  readonly filename?: string
}

export type RunOptions = Bundle & HostAbiOptions

/**
 * Evaluates the bundle and runs its loop with the stack of the guest, until it calls abi.shutdown: returns the reason. It runs on
 * a thread of its own (deep.ts). Throws a GuestError when the bundle, or its fail(), throws.
 */
export function runInEngine({ output = text => void process.stdout.write(text), ...options }: RunOptions): Promise<number> {
  return callDeep(import.meta.url, 'run', options, output)
}

/** What runs on the thread. @public: callDeep finds it by its name. */
export async function run({ bundle, filename = 'bundle.js', ...options }: Bundle, output: (text: string) => void): Promise<number> {
  const engine = await createEngine({ jsStackLimit: guestStackBytes })
  bindAbi(engine, hostAbi(engine, { ...options, output }))
  engine.free(engine.eval(bundle, filename))
  return runLoop(engine, takeHooks(engine))
}
