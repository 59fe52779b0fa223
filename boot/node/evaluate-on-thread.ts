/** The part of evaluate.ts that runs on the thread of the engine. */
import { bindAbi } from './abi.ts'
import { compileEngine, createEngine } from './create.ts'
import type { Evaluation } from './evaluate.ts'
import { type KeptFacts, knownFacts } from './facts.ts'
import { guestStackBytes } from './guest-stack.ts'
import { hostAbi } from './host-abi.ts'

/** @public: callDeep finds it by its name. */
export async function evaluate({ bundle, filename, global }: Evaluation, output: (text: string) => void): Promise<string | undefined> {
  const engine = await createEngine({ jsStackLimit: guestStackBytes })
  bindAbi(engine, hostAbi(engine, { output, wallStart: Date.now() }))
  engine.free(engine.eval(bundle, filename))
  engine.drain()
  const scope = engine.global()
  const value = engine.get(scope, global)
  return engine.typeOf(value) === 'string' ? engine.text(value) : undefined
}

/** @public: callDeep finds it by its name. */
export async function warm(kept: KeptFacts | undefined): Promise<KeptFacts> {
  const facts = await knownFacts(kept)
  await compileEngine()
  return facts
}
