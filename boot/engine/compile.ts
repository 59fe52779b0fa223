/** The C compiler: its flags, and how it and other programs are run. */
import { spawn } from 'node:child_process'
import { EngineError } from './error.ts'

export interface RunOptions {
  /** A limit for a program that hangs. */
  readonly seconds: number
  /** Working directory. */
  readonly cwd?: string
}

/** Resolves to what the program wrote to stdout; throws an EngineError when it cannot run or fails. */
export function run(program: string, args: readonly string[], { seconds, cwd }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 })
    let stdout = '',
      stderr = ''
    child.stdout.on('data', chunk => {
      stdout += chunk
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    const install = 'Install it: `apt install gcc libc6-dev wabt`.'
    child.on('error', error => reject(new EngineError(`${program} cannot be run: ${error.message}.`, 'PATH', install)))
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(stdout)
      const why = signal ? `was ended by ${signal} (the limit is ${seconds} s)` : `failed with status ${status}`
      const command = [program, ...args].join(' ')
      reject(new EngineError(`${program} ${why}: ${stderr.trim().slice(0, 2000)}`, command, 'Its message above tells what to do.'))
    })
  })
}

/**
 * How engine.c is compiled, for the kernel and for Linux alike. The first line is what its text relies on: with these flags
 * sqrt is an instruction and not a call of a mathematical library, linear memory may be looked at through all types, and no
 * address is special. (No -fno-trapping-math, see operations.h.) The second makes code for the kernel: it is linked at the top of
 * the address space, and interrupts arrive on its stack. Addresses are sign-extended 32-bit numbers for -mcmodel=kernel, so that
 * the same object also links into a Linux program at a low address: what is tested and measured there is what boots. -fno-gcse:
 * gcc's manual advises it for programs that use labels as values, as the interpreters do (interpreter.ts).
 */
const engineFlags = [
  '-std=gnu11',
  '-O2',
  '-msse4.1',
  '-fno-math-errno',
  '-fno-strict-aliasing',
  '-fno-delete-null-pointer-checks',
  '-ffreestanding',
  '-fno-pic',
  '-fno-pie',
  '-mcmodel=kernel',
  '-mno-red-zone',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none',
  '-fno-gcse',
  '-Wall',
  '-Wno-unused',
  '-Werror=implicit-function-declaration',
]

/** What a compilation of engine.c has to do with the profile. */
const profileFlags = {
  none: [],
  // One thread, so plain counters; the profile lands beside the object, as engine.gcda.
  generate: ['-fprofile-generate', '-fprofile-update=single'],
  // Functions that the training never entered are compiled for size. What -fprofile-use adds to the others by unrolling, peeling,
  // tracing and vectorising is 60 KB of code and no speed.
  use: ['-fprofile-use', '-Wno-missing-profile', '-fno-unroll-loops', '-fno-peel-loops', '-fno-tracer', '-fno-tree-vectorize'],
}
export type Profile = keyof typeof profileFlags

/** Compiles engine.c in `folder` to engine.o there. gcc takes 20 to 30 s on a fast machine. */
export async function compileEngine(folder: string, profile: Profile): Promise<void> {
  await run('gcc', [...engineFlags, ...profileFlags[profile], '-c', 'engine.c', '-o', 'engine.o'], { seconds: 900, cwd: folder })
}

/**
 * The pieces of bodies (stencils/source.ts) to stencils.o. Each is a function, in a section of its own, entered and left by a jump; what
 * is known later looks like an address below 2 GiB (-mcmodel=small). They are put together closely: without alignment, and without tables
 * of jumps, which would be data.
 */
const stencilFlags = [
  ...engineFlags.filter(flag => flag !== '-mcmodel=kernel'),
  '-mcmodel=small',
  '-fomit-frame-pointer',
  '-ffunction-sections',
  '-fno-jump-tables',
  '-fno-ipa-icf',
  ...['functions', 'labels', 'jumps', 'loops'].map(what => `-falign-${what}=1`),
]

/** Compiled bodies and what they share (ahead/): functions as others, with addresses of linear memory and atoms that are known later. */
export const bodyFlags = [
  ...engineFlags.filter(flag => flag !== '-mcmodel=kernel'),
  '-mcmodel=small',
  '-fomit-frame-pointer',
  '-ffunction-sections',
  '-fno-jump-tables',
  '-fno-ipa-icf',
  '-Wno-maybe-uninitialized',
  '-fno-tree-vectorize', // constants of vectors would be data
  ...['functions', 'labels', 'jumps', 'loops'].map(what => `-falign-${what}=1`),
]

/** @param engine the folder of the engine's sources, where it runs */
export async function compileBody(engine: string, source: string, object: string): Promise<void> {
  await run('gcc', [...bodyFlags, '-I.', '-c', source, '-o', object], { seconds: 600, cwd: engine })
}

export async function compileStencils(folder: string): Promise<void> {
  await run('gcc', [...stencilFlags, '-c', 'stencils.c', '-o', 'stencils.o'], { seconds: 120, cwd: folder })
}

/** Links engine.o in `folder` with host.c to the Linux program `host` there. */
export async function linkHost(folder: string, hostSource: string, profile: Profile): Promise<void> {
  const flags = ['-std=gnu11', '-O2', '-D_GNU_SOURCE', '-fno-pie', '-no-pie', '-Wall', '-Wno-unused', `-I${folder}`]
  const link = profile === 'generate' ? ['-fprofile-generate'] : []
  await run('gcc', [...flags, '-c', hostSource, '-o', 'host.o'], { seconds: 120, cwd: folder })
  await run('gcc', ['-no-pie', ...link, 'engine.o', 'host.o', '-o', 'host'], { seconds: 120, cwd: folder })
}

export async function compilerVersion(): Promise<string> {
  return (await run('gcc', ['--version'], { seconds: 20 })).split('\n')[0]
}
