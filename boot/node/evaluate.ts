/** Evaluates a bundle in the engine under Node for what it leaves in a global variable: no turn of a program is done. */
import { bindAbi } from './abi.ts'
import { compileEngine, createEngine } from './create.ts'
import { callDeep, prepareDeep } from './deep.ts'
import { type KeptFacts, knownFacts } from './facts.ts'
import { guestStackBytes } from './guest-stack.ts'
import { hostAbi } from './host-abi.ts'

interface Evaluation {
  readonly bundle: string
  /** The script's name in stack traces. */
  readonly filename: string
  /** Of the variable: the text in it, once the engine's jobs are done, is the result. */
  readonly global: string
}

/**
 * undefined: the variable is not a text. Throws the GuestError of a bundle that throws, and an Error when it has not ended after `timeout`
 * milliseconds.
 */
export function evaluateInEngine({
  output = () => {},
  timeout,
  ...evaluation
}: Evaluation & { output?: (text: string) => void; timeout: number }): Promise<string | undefined> {
  return callDeep(import.meta.url, 'evaluate', evaluation, output, timeout)
}

/** What runs on the thread. @public: callDeep finds it by its name. */
export async function evaluate({ bundle, filename, global }: Evaluation, output: (text: string) => void): Promise<string | undefined> {
  const engine = await createEngine({ jsStackLimit: guestStackBytes })
  bindAbi(engine, hostAbi(engine, { output, wallStart: Date.now() }))
  engine.free(engine.eval(bundle, filename))
  engine.drain()
  const scope = engine.global()
  const value = engine.get(scope, global)
  return engine.typeOf(value) === 'string' ? engine.text(value) : undefined
}

let warmed: Promise<KeptFacts | undefined> | undefined

/**
 * Compiles the engine on its thread, so that it is there when it is needed, and other things are done meanwhile.
 * @param kept by an earlier process @returns what the next one may be given; undefined: it could not be, and whoever needs the engine is told why
 */
export function warmEngine(kept?: KeptFacts): Promise<KeptFacts | undefined> {
  warmed ??= prepareDeep<KeptFacts>(import.meta.url, 'warm', kept).catch(() => undefined)
  return warmed
}

/** What runs on the thread. @public: callDeep finds it by its name. */
export async function warm(kept: KeptFacts | undefined): Promise<KeptFacts> {
  const facts = await knownFacts(kept)
  await compileEngine()
  return facts
}
