/** The Linux program that counts: the engine's object that boots, the kernel's handling of calls, and native.c. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildEngine, engineFolder } from '@xen-ts/boot/engine'

const here = import.meta.dirname
const boot = fileURLToPath(new URL('../../boot', import.meta.url))
/** Of boot/kernel: what handles a call of the ABI. */
const kernelFiles = ['abi', 'abi_bytes', 'values', 'print']
/** Of boot/compiled, as the kernel's build has made them. */
const compiledFiles = ['compiled', 'compiled_abi']
/** As boot/kernel/build.ts compiles these. */
const kernelFlags = ['-ffreestanding', '-mcmodel=kernel', '-mno-red-zone', '-fno-strict-aliasing', '-fno-delete-null-pointer-checks']
const floatFlags = ['-msse4.1', '-fno-math-errno', '-fno-trapping-math', '-fno-asynchronous-unwind-tables', '-fcf-protection=none']
const common = ['-std=gnu11', '-O2', '-fno-pic', '-fno-pie', '-no-pie', '-fno-stack-protector']

/** Takes a second; the engine itself is built when it is not there. Returns the program's path. */
export async function buildNative(): Promise<string> {
  await buildEngine({ out: engineFolder })
  const folder = join(engineFolder, '../native')
  mkdirSync(folder, { recursive: true })
  const gcc = async (...args: string[]) => {
    await promisify(execFile)('gcc', args, { cwd: folder, timeout: 120_000 })
  }
  const include = [engineFolder, join(boot, 'build'), here].map(path => `-I${path}`)
  // The kernel's own entry for calls gets another name: native.c stands in front of it.
  const kernel = [
    ...common,
    ...kernelFlags,
    ...floatFlags,
    ...include,
    `-I${join(boot, 'kernel')}`,
    `-I${join(boot, 'build/kernel')}`,
    '-Dimport_qts_host_call_function=native_call',
  ]
  for (const name of kernelFiles) await gcc(...kernel, '-c', join(boot, 'kernel', `${name}.c`), '-o', `${name}.o`)
  for (const name of compiledFiles) await gcc(...kernel, '-w', '-c', join(boot, 'build/kernel', `${name}.c`), '-o', `${name}.o`)
  await gcc(...kernel, '-c', join(here, 'kernel.c'), '-o', 'kernel.o')
  await gcc(...common, '-D_GNU_SOURCE', ...include, `-I${join(boot, 'engine')}`, '-c', join(here, 'native.c'), '-o', 'native.o')
  const objects = [...kernelFiles, ...compiledFiles, 'kernel', 'native'].map(name => `${name}.o`)
  await gcc('-no-pie', join(engineFolder, 'engine.o'), ...objects, '-o', 'native')
  return join(folder, 'native')
}
