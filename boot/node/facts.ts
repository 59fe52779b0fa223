/**
 * What is found out of the engine's build: its names, and the layout of its structures. To find it takes longer than all else that is done
 * before an engine runs, and the result is the same each time: so whoever starts many processes can keep it, as text.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { EngineLayout } from '../engine/layout.ts'
import { type EngineNames, enginePackage } from '../engine/names.ts'

export interface EngineFacts {
  readonly names: EngineNames
  readonly layout: EngineLayout
}

/** Facts as text, with a hash of all that they depend on. */
export interface KeptFacts {
  readonly key: string
  readonly text: string
}

/** The modules that find them. */
export const factModules = [
  '../engine/error.ts',
  '../engine/instance.ts',
  '../engine/interface.ts',
  '../engine/layout.ts',
  '../engine/names.ts',
  '../engine/wasm.ts',
].map(module => fileURLToPath(new URL(module, import.meta.url)))

/** The engine itself is one that names.ts knows by its hash, or there is none. The package's glue says what its functions are called. */
function factsKey(): string {
  const glue = createRequire(import.meta.url).resolve(`${enginePackage}/emscripten-module`)
  return hash('sha256', [glue, ...factModules].map(file => hash('sha256', readFileSync(file))).join())
}

let facts: Promise<EngineFacts> | undefined

/** Of the installed engine. @throws EngineError when the package is missing or another, or is not understood */
export function engineFacts(): Promise<EngineFacts> {
  facts ??= findFacts()
  return facts
}

async function findFacts(): Promise<EngineFacts> {
  const [{ engineNames }, { engineLayout }] = await Promise.all([import('../engine/names.ts'), import('../engine/layout.ts')])
  return { names: await engineNames(), layout: await engineLayout() }
}

/** Takes facts that were kept, where they are those of this engine by this code. Gives them as they are to be kept. */
export async function knownFacts(kept: KeptFacts | undefined): Promise<KeptFacts> {
  const key = factsKey()
  if (kept?.key === key) {
    facts ??= Promise.resolve(JSON.parse(kept.text, asBigint))
    return kept
  }
  return { key, text: JSON.stringify(await engineFacts(), fromBigint) }
}

const fromBigint = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
const asBigint = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
