/**
 * Engine speed: the native engine, the very object that boots, as a Linux program, against the same .wasm under V8 with
 * quickjs-emscripten's own host, which is how it runs elsewhere. The workloads are in bench/engine/; the engine's profile was
 * trained on others (boot/engine/training/).
 */
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildEngine, engineFolder, engineLayout } from '@xen-ts/boot/engine'
import { newQuickJSWASMModuleFromVariant, type QuickJSContext, type QuickJSHandle } from 'quickjs-emscripten'

const scripts = ['harness', 'packets', 'language', 'library', 'host', 'async'].map(name =>
  fileURLToPath(new URL(`engine/${name}.js`, import.meta.url)),
)
const self = fileURLToPath(import.meta.url)
/** Alternating runs of both sides; of each workload the fastest counts. */
const rounds = 4
const goal = 3

type Times = Map<string, number>

/** Prints nanoseconds per repetition of each workload on both sides and their ratio, and the geometric means. */
export async function benchEngine(): Promise<void> {
  await buildEngine({ out: engineFolder })
  const { arrayData, arrayLength } = await engineLayout()
  const native: Times = new Map(),
    v8: Times = new Map()
  const options = [join(engineFolder, 'memory.bin'), '--clock', '--uint8array', `${arrayData},${arrayLength}`]
  for (let round = 0; round < rounds; round++) {
    await measure(native, join(engineFolder, 'host'), [...options, ...scripts])
    await measure(v8, process.execPath, [self, '--v8'])
  }

  const row = (name: string, ...cells: string[]) => console.log(name.padEnd(20) + cells.map(cell => cell.padStart(12)).join(''))
  row('engine, ns', 'under V8', 'native', 'ratio')
  const ratios = [...native].map(([name, time]) => ({ name, time, ratio: v8.get(name)! / time }))
  for (const { name, time, ratio } of ratios) row(name, v8.get(name)!.toFixed(0), time.toFixed(0), ratio.toFixed(2))
  const inside = ratios.filter(({ name }) => !name.startsWith('host-'))
  console.log(`geometric mean ${geometricMean(ratios).toFixed(2)} (goal ${goal}), without host calls ${geometricMean(inside).toFixed(2)}`)
  console.log(`engine.o ${((await textBytes()) / 1024).toFixed(0)} KiB of code and constants`)
}

/** Runs a program that prints lines "workload nanoseconds" and keeps the least of each. */
async function measure(times: Times, program: string, args: string[]): Promise<void> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 300_000 })
  for (const line of stdout.trim().split('\n')) {
    const [name, time] = line.split(' ')
    times.set(name, Math.min(Number(time), times.get(name) ?? Infinity))
  }
}

const geometricMean = (rows: { ratio: number }[]): number =>
  Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length)

async function textBytes(): Promise<number> {
  const object = join(engineFolder, 'engine.o')
  const { stdout } = await promisify(execFile)('size', [object], { timeout: 20_000 })
  return Number(stdout.split('\n')[1].trim().split(/\s+/)[0]) || statSync(object).size
}

/** The peer, in a process of its own. */
async function runUnderV8(): Promise<void> {
  const module = await newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'))
  const vm = module.newContext()
  define(vm, 'print', text => console.log(vm.getString(text)))
  define(vm, 'now', () => vm.newNumber(performance.now()))
  define(vm, 'add', (a, b) => vm.newNumber(vm.getNumber(a) + vm.getNumber(b)))
  define(vm, 'checksum', array => vm.newNumber(checksum(bytesOf(vm, array))))
  for (const script of scripts) {
    vm.unwrapResult(vm.evalCode(readFileSync(script, 'utf8'), script)).dispose()
    vm.unwrapResult(vm.runtime.executePendingJobs())
  }
}

function define(vm: QuickJSContext, name: string, fn: (...args: QuickJSHandle[]) => QuickJSHandle | void): void {
  vm.newFunction(name, fn).consume(handle => vm.setProp(vm.global, name, handle))
}

/** A copy, for want of another way in that interface. The benchmark's arrays begin at their buffer's start. */
function bytesOf(vm: QuickJSContext, array: QuickJSHandle): Uint8Array {
  return vm.getProp(array, 'buffer').consume(buffer => vm.getArrayBuffer(buffer).consume(lifetime => lifetime.value.slice()))
}

/** The same as host.c's. */
function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes[i] | (bytes[i + 1] << 8)
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16)
  return sum
}

if (import.meta.main) await (process.argv[2] === '--v8' ? runUnderV8() : benchEngine())
