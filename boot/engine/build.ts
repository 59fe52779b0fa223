/**
 * Builds the engine as a native object for the kernel: names, translation, then two compilations. The first counts how often
 * each branch is taken while the training scripts run in a Linux program; the second uses the counts. It is a seventh faster and a
 * sixth smaller for it.
 *
 * The results lie in one folder, which is all that the kernel's build needs: engine.h, rt.h, engine.o, names.json. stencils.json
 * is for the image composer.
 * memory.bin and host are for tests and the benchmark: the same object as a Linux program (host.c).
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stateDefinition } from './ahead/steps.ts'
import { compileBody, compileEngine, compilerVersion, compileStencils, linkHost, type Profile, run } from './compile.ts'
import { type EngineNames, engineNames, engineWasm } from './names.ts'
import { writeStencilFile } from './stencils/file.ts'
import { readStencilObject } from './stencils/object.ts'
import { translate } from './translate.ts'
import { readWasm } from './wasm.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const hostSource = join(here, 'host.c')
const headers = ['rt.h', 'operations.h', 'native.h', 'native-run.h', 'ahead/call.h', 'ahead/body.h']
const results = [
  'engine.c',
  'engine.h',
  'engine.o',
  'names.json',
  ...headers.map(name => basename(name)),
  'memory.bin',
  'host',
  'stencils.c',
  'stencils.json',
  'steps.c',
  'state.h',
  'steps.json',
  'steps.o',
]

/** Where `make kernel` puts the engine, and where tests and the benchmark take it from. */
export const engineFolder = fileURLToPath(new URL('../build/engine', import.meta.url))

/**
 * Builds into the folder `out`; does nothing when all is there and no input has changed. The same inputs give the same bytes.
 * Throws an EngineError.
 */
export async function buildEngine({ out }: { out: string }): Promise<void> {
  const names = await engineNames()
  const stamp = join(out, 'inputs.sha256')
  const inputs = await hashInputs(names.sha256)
  if (results.every(name => existsSync(join(out, name))) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return

  // Work aside and move what is finished: whoever reads `out` meanwhile finds the engine of before.
  const work = join(out, `work-${process.pid}`)
  mkdirSync(work, { recursive: true })
  try {
    await step('translate to C', () => writeSources(work, names))
    await step('compile the stencils', () => writeStencils(work))
    await step('compile the steps', () => compileBody(work, 'steps.c', 'steps.o'))
    await step('compile with counters', () => compile(work, 'generate'))
    await step('train', () => train(work))
    await step('compile with the profile', () => compile(work, 'use'))
    rmSync(stamp, { force: true })
    for (const name of results) renameSync(join(work, name), join(out, name))
    writeFileSync(stamp, inputs)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function writeSources(out: string, names: EngineNames): void {
  const { source, header, stencils, steps } = translate(engineWasm(), names)
  writeFileSync(join(out, 'names.json'), `${JSON.stringify(names, null, 2)}\n`)
  writeFileSync(join(out, 'engine.c'), source)
  writeFileSync(join(out, 'engine.h'), header)
  writeFileSync(join(out, 'memory.bin'), initialMemory(names))
  writeFileSync(join(out, 'stencils.c'), stencils.source)
  writeFileSync(join(out, 'steps.c'), steps.source)
  writeFileSync(join(out, 'state.h'), stateDefinition(stencils.states))
  writeFileSync(join(out, 'steps.json'), JSON.stringify([...steps.steps]))
  writeFileSync(join(out, 'stencils.json'), JSON.stringify([...stencils.lengths]))
  for (const name of headers) copyFileSync(join(here, name), join(out, basename(name)))
}

async function writeStencils(out: string): Promise<void> {
  const lengths = new Map<number, number>(JSON.parse(readFileSync(join(out, 'stencils.json'), 'utf8')))
  await compileStencils(out)
  writeFileSync(join(out, 'stencils.json'), writeStencilFile({ lengths }, readStencilObject(readFileSync(join(out, 'stencils.o')))))
}

async function compile(out: string, profile: Profile): Promise<void> {
  await compileEngine(out, profile)
  await linkHost(out, hostSource, profile)
}

/**
 * Runs the training scripts; at its end the program writes engine.gcda. Each goes by its bare name: the engine allocates room for
 * it, so a longer path would give other counts, and another engine.
 */
async function train(out: string): Promise<void> {
  const scripts = trainingScripts()
  for (const script of scripts) copyFileSync(script, join(out, basename(script)))
  await run('./host', ['memory.bin', ...scripts.map(script => basename(script))], { seconds: 300, cwd: out })
}

function trainingScripts(): string[] {
  const folder = join(here, 'training')
  return readdirSync(folder)
    .filter(name => name.endsWith('.js'))
    .sort()
    .map(name => join(folder, name))
}

/** Linear memory as the engine starts with it, up to the end of static data. */
function initialMemory(names: EngineNames): Uint8Array {
  const memory = new Uint8Array(names.dataEnd)
  for (const { address, bytes } of readWasm(engineWasm()).data) memory.set(bytes, address)
  return memory
}

/** Everything that decides what comes out: the .wasm, the compiler, and our part in it. */
async function hashInputs(wasm: string): Promise<string> {
  const sources = [
    'account.ts',
    'backtrace.ts',
    'build.ts',
    'c-string.ts',
    'compile.ts',
    'host.c',
    'interface.ts',
    'interpreter.ts',
    'interrupts.ts',
    'names.ts',
    ...headers,
    ...['bind', 'opcodes', 'steps'].map(name => `ahead/${name}.ts`),
    ...['bind', 'file', 'graph', 'handler', 'object', 'quick', 'roles', 'source', 'symbolic'].map(name => `stencils/${name}.ts`),
    'stringify.ts',
    'text.ts',
    'translate.ts',
    'wasm.ts',
    'wasm2c.ts',
  ]
  const hash = createHash('sha256')
    .update(wasm)
    .update(await compilerVersion())
  for (const file of [...sources.map(name => join(here, name)), ...trainingScripts()]) hash.update(readFileSync(file))
  return hash.digest('hex')
}

/** Runs a step of the build and prints its name and how long it took. */
async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  console.log(`engine: ${name.padEnd(26)} ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}

if (import.meta.main) await buildEngine({ out: engineFolder })
