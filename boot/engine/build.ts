/**
 * Builds the engine as a native object for the kernel: names, translation, compilation. What is built lies in one folder, which
 * is all that the kernel's build needs: engine.h, rt.h, engine.c, engine.o and names.json.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, compilerVersion, engineFlags, kernelFlags } from './compile.ts'
import { engineNames, engineWasm } from './names.ts'
import { translate } from './translate.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const results = ['engine.c', 'engine.h', 'engine.o', 'names.json', 'rt.h']

/** Builds into the folder `out`; does nothing when all is there and no input has changed. Throws an EngineError. */
export async function buildEngine({ out }: { out: string }): Promise<void> {
  const names = await engineNames()
  const stamp = join(out, 'inputs.sha256')
  const inputs = await hashInputs(names.sha256)
  if (results.every(name => existsSync(join(out, name))) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return

  mkdirSync(out, { recursive: true })
  writeFileSync(stamp, '')
  writeFileSync(join(out, 'names.json'), `${JSON.stringify(names, null, 2)}\n`)
  await step('translate to C', () => {
    const { source, header } = translate(engineWasm(), names)
    writeFileSync(join(out, 'engine.c'), source)
    writeFileSync(join(out, 'engine.h'), header)
    copyFileSync(join(here, 'rt.h'), join(out, 'rt.h'))
  })
  await step('compile', () => compile(join(out, 'engine.c'), join(out, 'engine.o'), [...engineFlags, ...kernelFlags]))
  writeFileSync(stamp, inputs)
}

/** Everything that decides what comes out: the .wasm, the compiler, and the files of this folder except tests. */
async function hashInputs(wasm: string): Promise<string> {
  const hash = createHash('sha256').update(wasm).update(await compilerVersion())
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter(name => /\.(ts|c|h|js)$/.test(name) && !name.endsWith('.test.ts'))
  for (const name of files.sort()) hash.update(name).update(readFileSync(join(here, name)))
  return hash.digest('hex')
}

/** Runs a step of the build and prints its name and how long it took. */
async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  console.log(`engine: ${name.padEnd(24)} ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}

if (import.meta.main) await buildEngine({ out: fileURLToPath(new URL('../build/engine', import.meta.url)) })
