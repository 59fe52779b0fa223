/** Compiled bodies for a memory that a Linux program dumped (boot/engine/host.c): for benchmarks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBodiesFile } from '../engine/ahead/file.ts'
import { functionsOf } from '../engine/ahead/functions.ts'
import { readStencilFile } from '../engine/stencils/file.ts'
import { makeBodies } from './bodies.ts'
import { linkCode } from './code.ts'
import { readElf } from './elf.ts'
import { pageSize, type Snapshot } from './format.ts'
import { addressesOf, readSymbols } from './sections.ts'

/** boot/engine/host.c */
const hostCode = 0x8000000n

/**
 * All functions that have a body get it: memory and code as they are to be loaded.
 * @param where things are in it
 * @param files the program that loads it, and the folder of the engine's build
 */
export function bodiesIn(
  memory: Uint8Array,
  where: Pick<Snapshot, 'memoryPages' | 'runtime' | 'context' | 'turn'>,
  files: { readonly program: string; readonly engine: string },
): { memory: Uint8Array; code: Uint8Array } {
  const pages = Array.from({ length: memory.length / pageSize }, (_, number) => ({
    number,
    content: memory.slice(number * pageSize, (number + 1) * pageSize),
  }))
  const snapshot = { ...where, pages } as unknown as Snapshot
  const part = (name: string) => readFileSync(join(files.engine, name), 'utf8')
  const compiled = readBodiesFile(part('bodies.json'))
  const chosen = functionsOf(snapshot).filter(({ key }) => compiled.bodies.has(key))
  const made = makeBodies(snapshot, readStencilFile(part('stencils.json')), new Set(chosen.map(({ address }) => address)), compiled)
  const symbols = addressesOf(readSymbols(readElf(readFileSync(files.program), 'the program').sections))
  const changed = memory.slice()
  for (const { number, content } of made.snapshot.pages) changed.set(content, number * pageSize)
  return { memory: changed, code: linkCode(made.code, hostCode, symbols) }
}
