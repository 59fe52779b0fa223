/** Heap snapshots of programs: what is asked of the thread of the engine (take.ts), without what only that thread needs. */
import { callDeep } from '../node/deep.ts'
import type { Snapshot } from './format.ts'
import type { Plan } from './placement.ts'

const take = new URL('./take.ts', import.meta.url).href

export interface Program {
  /** A classic script that sets globalThis.__xenTs = { turn, fail }. */
  readonly bundle: string
  /** The script's name in stack traces. */
  readonly filename: string
  /** The program's name, for the kernel's greeting; at most 63 bytes. */
  readonly program: string
  /** What `__bytes(i)` gives the bundle while it is evaluated: an ArrayBuffer with a copy of the bytes. The function is gone afterwards. */
  readonly bytes?: readonly Uint8Array[]
  /** What another snapshot told, perhaps of another bundle: where it fits this one the bundle is evaluated once, to the same result. */
  readonly plan?: Plan
  /** A name for inspectSnapshot. */
  readonly key?: string
}

export interface SnapshotOptions extends Program {
  /** What modules write while the snapshot is made. Default: to stderr. */
  readonly output?: (text: string) => void
}

export interface MadeSnapshot extends Snapshot {
  /** Names of the global object's properties, as the bundle leaves it. */
  readonly globals: readonly string[]
  /** For the next one. */
  readonly plan: Uint8Array
}

/** Runs the bundle and takes the snapshot. Throws the GuestError of a bundle that throws, and an Error for one without hooks. */
export function makeSnapshot({
  output = text => void process.stderr.write(`[build] ${text}`),
  ...program
}: SnapshotOptions): Promise<MadeSnapshot> {
  return callDeep(take, 'runTwice', program, output)
}

export interface Inspection {
  readonly key: string
  readonly script: string
  /** Of the variable: the text in it, once the engine's jobs are done, is the result. */
  readonly global: string
}

/**
 * Evaluates a script in an engine that has evaluated the bundle of a snapshot, which is not changed by it: what `boot` was called with is in
 * `__booted`, and there is a host. undefined: the snapshot of that key was not the last one, or the variable is no text.
 */
export function inspectSnapshot(inspection: Inspection, timeout: number): Promise<string | undefined> {
  return callDeep(take, 'inspect', inspection, () => {}, timeout)
}
