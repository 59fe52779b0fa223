/** Runs a guest bundle in the engine under Node. */
import { engineNames } from '../engine/names.ts'
import { bindAbi, type HostAbi } from './abi.ts'
import { createEngine } from './create.ts'
import type { Engine } from './engine.ts'
import { guestStack } from './guest-stack.ts'
import { type HostAbiOptions, hostAbi } from './host-abi.ts'
import { runLoop, takeHooks } from './loop.ts'

export interface RunOptions extends HostAbiOptions {
  /** A classic script that sets globalThis.__xenTs = { turn, fail }. */
  readonly bundle: string
  /** The script's name in stack traces. */
  readonly filename?: string
  /** Functions of the ABI that take the place of hostAbi's. */
  readonly abi?: (engine: Engine) => Partial<HostAbi>
}

/**
 * Evaluates the bundle and runs its loop with the stacks of the guest, until it calls abi.shutdown: returns the reason. Blocks.
 * Throws a GuestError when the bundle, or its fail(), throws.
 */
export async function runInEngine(options: RunOptions): Promise<number> {
  const { top, jsStackLimit } = guestStack((await engineNames()).dataEnd)
  const engine = await createEngine({ stackTop: top, jsStackLimit })
  bindAbi(engine, { ...hostAbi(engine, options), ...options.abi?.(engine) })
  engine.free(engine.eval(options.bundle, options.filename ?? 'bundle.js'))
  return runLoop(engine, takeHooks(engine))
}
