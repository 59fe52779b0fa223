/** Bodies compiled by gcc, as pieces for the image composer. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bodyFlags, compileBody } from '../compile.ts'
import { EngineError } from '../error.ts'
import { readStencilObject } from '../stencils/object.ts'
import type { CompiledBodies } from './file.ts'
import type { FunctionCode } from './function.ts'
import { type BodySource, writeBody } from './write.ts'

/** A function to be compiled, by its key. */
export interface Compilable {
  readonly key: string
  readonly code: FunctionCode
}

/** Functions in one file of C. */
const perFile = 40

/** @param engine folder of the engine's build @throws EngineError */
export async function compileBodies(functions: readonly Compilable[], engine: string): Promise<CompiledBodies> {
  const steps = new Set<number>(JSON.parse(readFileSync(join(engine, 'steps.json'), 'utf8')))
  const written = new Map<string, BodySource>()
  for (const { key, code } of functions) {
    const body = written.has(key) ? undefined : writeBody(key, code, steps)
    if (body) written.set(key, body)
  }
  const work = mkdtempSync(join(tmpdir(), 'xen-ts-bodies-'))
  try {
    mkdirSync(work, { recursive: true })
    const entries = [...written]
    const files = Array.from({ length: Math.ceil(entries.length / perFile) }, (_, i) => {
      const file = join(work, `bodies-${i}`)
      writeFileSync(`${file}.c`, fileOf(entries.slice(i * perFile, (i + 1) * perFile).map(([, body]) => body)))
      return file
    })
    const todo = [...files]
    await Promise.all(
      Array.from({ length: availableParallelism() }, async () => {
        for (let file = todo.shift(); file !== undefined; file = todo.shift()) await compileBody(engine, `${file}.c`, `${file}.o`)
      }),
    )
    const { pieces, data } = readStencilObject(readFileSync(join(engine, 'steps.o')))
    const all = new Map(pieces)
    for (const file of files) {
      const object = readStencilObject(readFileSync(`${file}.o`))
      if (object.data.length > 0)
        throw new EngineError('Compiled bodies have data.', file, 'boot/engine/ahead knows what gcc 12 makes: adapt it.')
      for (const [name, piece] of object.pieces) all.set(name, piece)
    }
    return { bodies: new Map(entries.map(([key, { entries }]) => [key, { entries }])), pieces: all, data }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Everything that decides what comes out. */
export function bodiesInputs(functions: readonly Compilable[], engine: string): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const hash = createHash('sha256')
    .update(readFileSync(join(engine, 'inputs.sha256')))
    .update(bodyFlags.join())
  for (const name of readdirSync(here).sort()) if (!name.includes('.test.')) hash.update(readFileSync(join(here, name)))
  for (const { key } of functions) hash.update(key)
  return hash.digest('hex')
}

function fileOf(bodies: readonly BodySource[]): string {
  const text = bodies.map(body => body.text).join('\n')
  const holes = [...new Set(text.match(/\bhole_\w+/g) ?? [])].sort()
  const steps = [...new Set(bodies.flatMap(body => [...body.steps]))].sort((a, b) => a - b)
  return `#include "body.h"

${holes.length > 0 ? `extern char ${holes.map(name => `${name}[]`).join(', ')};` : ''}
${steps.map(opcode => `step step_${opcode};\nRARE step rare_${opcode} asm("step_${opcode}");`).join('\n')}

${text}`
}
