/** Compiles modules to native code with wasm2c and gcc, and keeps what was compiled. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WasmError } from './error.ts'
import { adapt, moduleName } from './glue.ts'
import type { WasmModule } from './module.ts'
import { another } from './reader.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** As the engine is compiled (boot/engine/compile.ts): for the kernel, on whose stack it runs. A large frame could jump over the stack's guard. */
const flags = [
  '-std=gnu11',
  '-O2',
  '-msse4.1',
  '-fno-math-errno',
  '-fno-strict-aliasing',
  '-fno-delete-null-pointer-checks',
  '-fwrapv',
  '-ffreestanding',
  '-fno-pic',
  '-fno-pie',
  '-mcmodel=kernel',
  '-mno-red-zone',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-w',
  '-Werror=implicit-function-declaration',
  '-Werror=frame-larger-than=65536',
]
/** Its text is what glue.ts knows. */
const wasm2cVersion = '1.0.32'
const install =
  'install both with `apt install wabt gcc` on Debian 12, or take a build of the package in JavaScript; target unix needs neither'

/** The object file of a module. Throws a WasmError when it, or a compiler, is not as it must be. @param cache a folder for objects */
export function compileModule(module: WasmModule, cache: string): Uint8Array {
  return made(cache, [module.plain, 'glue.ts', 'module.ts'], folder => {
    checkWasm2c()
    writeFileSync(join(folder, 'x.wasm'), module.plain)
    run('wasm2c', ['x.wasm', '--module-name', moduleName, '--output', 'x.c'], folder)
    const c = join(folder, 'x.c')
    writeFileSync(c, adapt(readFileSync(c, 'utf8'), module))
    return 'x.c'
  })
}

/** The object file of runtime.c. */
export const compileRuntime = (cache: string): Uint8Array => made(cache, ['runtime.c', 'kernel-interface.h'], () => join(here, 'runtime.c'))

/** Compiles what `source` gives, unless it was done before with the same inputs: bytes, and files of this folder. */
function made(cache: string, inputs: readonly (Uint8Array | string)[], source: (folder: string) => string): Uint8Array {
  const hash = createHash('sha256')
  const compiler = run('gcc', ['--version'], here).split('\n')[0]
  for (const text of [compiler, ...flags]) hash.update(`${text}\0`)
  for (const input of [...inputs, 'wasm-rt.h']) hash.update(typeof input === 'string' ? readInput(input) : input)
  const kept = join(cache, `${hash.digest('hex')}.o`)
  try {
    return readFileSync(kept)
  } catch {
    // The first time.
  }
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-wasm-'))
  try {
    run('gcc', [...flags, `-I${here}`, '-c', source(folder), '-o', 'x.o'], folder)
    const object = readFileSync(join(folder, 'x.o'))
    keep(kept, cache, object)
    return object
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Sources are .js where the package is installed. */
function readInput(name: string): Uint8Array {
  try {
    return readFileSync(join(here, name))
  } catch {
    return readFileSync(join(here, name.replace(/\.ts$/, '.js')))
  }
}

/** A cache that cannot be written costs time only. */
function keep(path: string, folder: string, object: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(temporary, object)
    renameSync(temporary, path)
  } catch {
    rmSync(temporary, { force: true })
  }
}

function checkWasm2c(): void {
  const found = run('wasm2c', ['--version'], here).trim()
  if (found !== wasm2cVersion) throw new WasmError(`wasm2c has version ${found}, and must have ${wasm2cVersion}`, install)
}

function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000, maxBuffer: 64 << 20 })
  } catch (error) {
    const { code, stderr, signal } = error as { code?: string; stderr?: string; signal?: string }
    if (code === 'ENOENT') throw new WasmError(`WebAssembly is compiled to native code, and ${program} is not installed`, install)
    // It has no message then.
    if (program === 'wasm2c' && signal === 'SIGABRT')
      throw new WasmError('the module uses what wasm2c 1.0.32 cannot translate, most likely vectors (SIMD)', another)
    const why = signal ? `was ended by ${signal}` : (stderr ?? String(error)).trim().slice(0, 1000)
    throw new WasmError(`${program} refuses the module: ${why}`, another)
  }
}
