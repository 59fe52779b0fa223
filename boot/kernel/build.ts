/**
 * Builds kernel.elf: compiles the files of this folder and links them with the engine. An object is compiled again when its source,
 * a header, its flags or the compiler have changed.
 *
 * From the command line: node boot/kernel/build.ts [ENGINE_DIR [OUT]]
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cHeader } from '../abi/generate.ts'

export interface KernelOptions {
  /** Folder with engine.o, engine.h and rt.h (boot/engine/build.ts). */
  readonly engineDir: string
  /** The ELF file to write. Objects are kept in the folder kernel/ beside it. */
  readonly out: string
}

export class KernelBuildError extends Error {
  override name = 'KernelBuildError'
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** High half, no red zone (traps use the stack below it), linear memory is looked at through all types, address 0 is an address. */
const flags = [
  '-std=gnu11',
  '-O2',
  '-ffreestanding',
  '-fno-pic',
  '-fno-pie',
  '-mcmodel=kernel',
  '-mno-red-zone',
  '-fno-stack-protector',
  '-fno-strict-aliasing',
  '-fno-delete-null-pointer-checks',
  '--param=min-pagesize=0',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-malign-data=abi',
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Werror',
  '-g0',
]
/** What the page fault handler may interrupt the engine with: no SSE register is touched. */
const integerFlags = ['-mgeneral-regs-only']
/** The glue between engine and kernel, which knows doubles. */
const floatFlags = ['-msse4.1', '-fno-math-errno', '-fno-trapping-math']
/** gcc would make a call to memset out of memset. */
const libcFlags = ['-fno-tree-loop-distribute-patterns', '-fno-builtin']
const linkFlags = ['-static', '-nostdlib', '-z', 'noexecstack', '-z', 'max-page-size=4096', '--build-id=none']

/** Builds what is not up to date. Throws a KernelBuildError with the compiler's message. */
export async function buildKernel({ engineDir, out }: KernelOptions): Promise<void> {
  const engine = join(engineDir, 'engine.o')
  if (!existsSync(engine)) throw new KernelBuildError(`${engine} is missing: build the engine first (\`make kernel\` does both)`)
  const folder = join(dirname(out), 'kernel')
  mkdirSync(folder, { recursive: true })
  const stamps = new Stamps(join(folder, 'stamps.json'))

  const abi = join(folder, 'abi.h')
  if (!existsSync(abi) || readFileSync(abi, 'utf8') !== cHeader()) writeFileSync(abi, cHeader())
  const names = readdirSync(here)
  const headers = [
    ...names.filter(name => name.endsWith('.h')).map(name => join(here, name)),
    abi,
    join(engineDir, 'engine.h'),
    join(engineDir, 'rt.h'),
    join(engineDir, 'native.h'),
  ]
  const common = hash(run('gcc', ['--version']), ...headers.map(read))

  const objects: string[] = []
  for (const name of names.filter(name => /\.[cS]$/.test(name)).sort()) {
    const source = join(here, name)
    const object = join(
      folder,
      name.replace(/\.(c|S)$/, (_, kind) => (kind === 'S' ? '-asm.o' : '.o')),
    )
    const args = [...flags, ...extraFlags(name, read(source)), `-I${folder}`, `-I${engineDir}`]
    objects.push(object)
    stamps.make(object, hash(common, args.join(' '), read(source)), () => run('gcc', [...args, '-c', source, '-o', object]))
  }
  const script = join(here, 'kernel.lds')
  stamps.make(out, hash(read(script), linkFlags.join(' '), ...[...objects, engine].map(read)), () =>
    run('ld', [...linkFlags, '-T', script, '-o', out, ...objects, engine]),
  )
  stamps.save()
}

function extraFlags(name: string, source: string): string[] {
  if (name.endsWith('.S')) return []
  if (name === 'libc.c') return libcFlags
  return source.includes('#include "js.h"') ? floatFlags : integerFlags
}

/** What each file was made from. */
class Stamps {
  readonly #path: string
  readonly #hashes: Record<string, string>

  constructor(path: string) {
    this.#path = path
    this.#hashes = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  }

  make(file: string, inputs: string, build: () => void): void {
    if (existsSync(file) && this.#hashes[file] === inputs) return
    delete this.#hashes[file]
    this.save()
    build()
    this.#hashes[file] = inputs
  }

  save(): void {
    writeFileSync(this.#path, JSON.stringify(this.#hashes, null, 2))
  }
}

const read = (path: string) => readFileSync(path, 'latin1')

function hash(...parts: string[]): string {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(`${part.length}:`).update(part, 'latin1')
  return sum.digest('hex')
}

function run(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string }
    if (code === 'ENOENT') throw new KernelBuildError(`${program} is not installed: \`apt install gcc binutils\``)
    throw new KernelBuildError(`${program} ${args.at(-1)}: ${(stderr ?? String(error)).trim()}`)
  }
}

if (import.meta.main) {
  const [engineDir, out] = process.argv.slice(2)
  const folder = fileURLToPath(new URL('../build', import.meta.url))
  await buildKernel({ engineDir: engineDir ?? join(folder, 'engine'), out: out ?? join(folder, 'kernel.elf') })
}
