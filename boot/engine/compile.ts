/** The C compiler: its flags, and how it is called. */
import { spawn } from 'node:child_process'
import { EngineError } from './error.ts'

const install = 'Install it: `apt install gcc binutils`.'

/** Resolves to what the program wrote to stdout; throws an EngineError when it cannot run or fails. */
export function run(program: string, args: readonly string[], { seconds }: { seconds: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 })
    let stdout = '', stderr = ''
    child.stdout.on('data', chunk => { stdout += chunk })
    child.stderr.on('data', chunk => { stderr += chunk })
    child.on('error', error => reject(new EngineError(`${program} cannot be run: ${error.message}.`, 'PATH', install)))
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(stdout)
      const why = signal ? `was ended by ${signal} (the limit is ${seconds} s)` : `failed with status ${status}`
      reject(new EngineError(`${program} ${why}: ${stderr.trim().slice(0, 2000)}`, `${program} ${args.join(' ')}`, 'See its message.'))
    })
  })
}

/**
 * Flags of every compilation of engine.c. The first group decides what the code means, so it must be the same everywhere:
 * -msse4.1, -fno-math-errno and -fno-trapping-math make sqrt, floor and the like instructions, where they would be calls of a
 * mathematical library; linear memory is looked at through all types; page 0 is not the compiler's business.
 */
export const engineFlags = [
  '-std=gnu11', '-O2', '-msse4.1', '-fno-math-errno', '-fno-trapping-math', '-fno-strict-aliasing', '-fno-delete-null-pointer-checks',
  '-ffreestanding', '-fno-pic', '-fno-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fcf-protection=none',
  '-Wall', '-Wno-unused', '-Werror=implicit-function-declaration',
] as const

/** The kernel's own: it is linked at the top of the address space, and interrupts arrive on its stack. */
export const kernelFlags = ['-mcmodel=kernel', '-mno-red-zone'] as const

/** @param seconds gcc takes 20 s for engine.c on a fast machine; the limit is for one that hangs. */
export async function compile(source: string, object: string, flags: readonly string[]): Promise<void> {
  await run('gcc', [...flags, '-c', source, '-o', object], { seconds: 900 })
}

export async function compilerVersion(): Promise<string> {
  return (await run('gcc', ['--version'], { seconds: 20 })).split('\n')[0]
}
