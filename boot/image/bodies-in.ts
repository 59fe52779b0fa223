/** Bodies for a memory that is a file: for benchmarks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBodiesFile } from '../engine/ahead/file.ts'
import { functionsOf } from '../engine/ahead/functions.ts'
import { engineFolder } from '../engine/build.ts'
import { readStencilFile } from '../engine/stencils/file.ts'
import { makeBodies } from './bodies.ts'
import { linkCode } from './code.ts'
import { readElf } from './elf.ts'
import { pageSize, type Snapshot } from './format.ts'
import { addressesOf, readSymbols } from './sections.ts'

const hostCode = 0x8000000n

export function bodiesIn(
  memory: Uint8Array,
  where: Pick<Snapshot, 'memoryPages' | 'runtime' | 'context' | 'turn'>,
  program: string,
  file: string,
) {
  const pages = Array.from({ length: memory.length / pageSize }, (_, number) => ({
    number,
    content: memory.slice(number * pageSize, (number + 1) * pageSize),
  }))
  const snapshot = { ...where, pages } as unknown as Snapshot
  const compiled = readBodiesFile(file)
  const chosen = new Set(
    functionsOf(snapshot)
      .filter(({ key }) => compiled.bodies.has(key))
      .map(({ address }) => address),
  )
  const made = makeBodies(snapshot, readStencilFile(readFileSync(join(engineFolder, 'stencils.json'), 'utf8')), chosen, compiled)
  const symbols = addressesOf(readSymbols(readElf(readFileSync(program), 'the program').sections))
  for (const { number, content } of made.snapshot.pages) memory.set(content, number * pageSize)
  return { memory, code: linkCode(made.code, hostCode, symbols), functions: chosen.size }
}
