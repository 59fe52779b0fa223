/** Evaluates a bundle in the engine under Node for what it leaves in a global variable: no turn of a program is done. */
import { callDeep, prepareDeep } from './deep.ts'
import type { KeptFacts } from './facts.ts'

const onThread = new URL('./evaluate-on-thread.ts', import.meta.url).href

export interface Evaluation {
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
  return callDeep(onThread, 'evaluate', evaluation, output, timeout)
}

let warmed: Promise<KeptFacts | undefined> | undefined

/**
 * Compiles the engine on its thread, so that it is there when it is needed, and other things are done meanwhile.
 * @param kept by an earlier process @returns what the next one may be given; undefined: it could not be, and whoever needs the engine is told why
 */
export function warmEngine(kept?: KeptFacts): Promise<KeptFacts | undefined> {
  warmed ??= prepareDeep<KeptFacts>(onThread, 'warm', kept).catch(() => undefined)
  return warmed
}
