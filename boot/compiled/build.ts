/**
 * From the TypeScript of this folder to C: AssemblyScript makes wasm of it, wasm2c C, and translate.ts puts that on the engine's
 * operations.h, so that it works on the engine's linear memory. The kernel's build compiles the result like its own files.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../engine/error.ts'
import { runWasm2c } from '../engine/wasm2c.ts'
import { compiledGlue, compiledHeader } from './glue.ts'
import { rewriteCompiled } from './translate.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Where `npm ci` puts programs. */
const programs = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))

/** The compiler's version is in it. */
const lock = fileURLToPath(new URL('../../package-lock.json', import.meta.url))

/** No runtime and no data: functions over a memory that is the engine's. */
const options = ['--runtime', 'stub', '-O3', '--noAssert', '--importMemory', '--noExportMemory']

/**
 * Writes compiled.c, compiled.h and compiled_abi.c to the folder `out`; nothing when they are there and no input has changed. Throws an
 * EngineError with the compiler's message.
 */
export function writeCompiled(out: string): void {
  mkdirSync(out, { recursive: true })
  const stamp = join(out, 'inputs.sha256')
  const inputs = hashInputs()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return
  rmSync(stamp, { force: true })
  writeFileSync(join(out, 'compiled.c'), rewriteCompiled(runWasm2c(compileToWasm())))
  writeFileSync(join(out, 'compiled.h'), compiledHeader())
  writeFileSync(join(out, 'compiled_abi.c'), compiledGlue())
  writeFileSync(stamp, inputs)
}

function hashInputs(): string {
  const sum = createHash('sha256')
  for (const name of readdirSync(here)
    .filter(name => !name.includes('.test.'))
    .sort())
    sum.update(name).update(readFileSync(join(here, name)))
  return sum.update(readFileSync(lock)).digest('hex')
}

/** Files that the compiler reads, by name, as it wants them. */
export function compilerSources(): Record<string, string> {
  const names = readdirSync(here).filter(name => /^[^.]+\.ts$/.test(name) && !toolFiles.has(name))
  const sources = Object.fromEntries(names.map(name => [name, forCompiler(readFileSync(join(here, name), 'utf8'))]))
  return { ...sources, 'memory.ts': readFileSync(join(here, 'memory.as'), 'utf8') }
}

const toolFiles = new Set(['build.ts', 'glue.ts', 'host.ts', 'layout.ts', 'table.ts', 'testing.ts', 'translate.ts'])

/** AssemblyScript knows i32 itself, no `type` among the names of an import, and no endings of files. */
const forCompiler = (source: string): string =>
  source
    .replace(/^import \{([^}]*)\} from '(\.\/[^']+)\.ts'$/gm, (_, names: string, file: string) => {
      const kept = names
        .split(',')
        .map(name => name.trim())
        .filter(name => name !== '' && name !== 'type i32')
      return `import { ${kept.map(name => name.replace(/^type /, '')).join(', ')} } from '${file}'`
    })
    .replace(/^(export \{[^}]*\} from '\.\/[^']+)\.ts'$/gm, "$1'")

/** WebAssembly of all functions; it imports env.memory. */
export function compileToWasm(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-compiled-'))
  try {
    for (const [name, source] of Object.entries(compilerSources())) writeFileSync(join(folder, name), source)
    const { error, status, stderr } = spawnSync('asc', ['index.ts', '--outFile', 'compiled.wasm', ...options], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` },
    })
    if (error) throw new EngineError(`asc cannot be run: ${error.message}.`, 'PATH', 'Install what package-lock.json names: `npm ci`.')
    if (status !== 0) throw new EngineError(`asc refuses boot/compiled: ${stderr.trim()}`, 'boot/compiled', 'Its message tells what to do.')
    return readFileSync(join(folder, 'compiled.wasm'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
