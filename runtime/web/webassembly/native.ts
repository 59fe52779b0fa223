/** The kernel's side of WebAssembly: operations of boot/wasm/runtime.c, and the words through which values go. */
import type { Abi } from '@xen-ts/boot/abi'
import { RuntimeError } from './errors.ts'

/** `enum op`. */
export const op = {
  find: 0,
  newInstance: 1,
  start: 2,
  call: 3,
  newMemory: 4,
  buffer: 5,
  grow: 6,
  newTable: 7,
  tableSize: 8,
  tableGet: 9,
  tableSet: 10,
  tableGrow: 11,
  newGlobal: 12,
  globalGet: 13,
  globalSet: 14,
} as const

/** Values of 64 bits: parameters or results, then (in VALUE_WORDS of runtime.c) instance and number of an import, and the generation. */
const VALUES = 1000
const shared = new ArrayBuffer((VALUES + 3) * 8)
const bytes = new Uint8Array(shared)
export const i32 = new Int32Array(shared)
export const u32 = new Uint32Array(shared)
export const f32 = new Float32Array(shared)
export const f64 = new Float64Array(shared)
export const i64 = new BigInt64Array(shared)
/** In u32. */
export const at = { instance: 2 * VALUES, import: 2 * VALUES + 2, generation: 2 * VALUES + 4 } as const

/** Traps by their number, as V8 words them (`wasm_rt_trap_t` of wasm-rt.h). */
const traps = [
  '',
  'memory access or table index out of bounds',
  'divide result unrepresentable',
  'divide by zero',
  'float unrepresentable in integer range',
  'unreachable',
  'null function or function signature mismatch',
]
const EXHAUSTION = 7

let abi: Pick<Abi, 'wasm'>
let importer: () => void = () => {}
let grown: () => void = () => {}
let generation = 0

export function connect(kernel: Pick<Abi, 'wasm'>): void {
  abi = kernel
}

/** What is called for an import, and when a memory may have grown. */
export function listen(forImport: () => void, whenGrown: () => void): void {
  importer = () => {
    check()
    forImport()
  }
  grown = whenGrown
}

function check(): void {
  if (u32[at.generation] === generation) return
  generation = u32[at.generation]
  grown()
}

export const ask = (what: number, target: number, detail = 0): number => abi.wasm(what, target, detail, bytes, importer) as number
export const bufferOf = (handle: number): ArrayBuffer =>
  (abi.wasm(op.buffer, handle, 0, bytes, importer) as ArrayBuffer | undefined) ?? new ArrayBuffer(0)

/** Runs code of an instance. Throws what it ends with, or what an import of it throws. */
export function run(what: number, instance: number, fn: number): void {
  let status: unknown
  try {
    status = abi.wasm(what, instance, fn, bytes, importer)
  } catch (error) {
    check()
    throw error
  }
  check()
  if (status !== 0) throw trap(status as number)
}

function trap(code: number): Error {
  if (code === EXHAUSTION) return new RangeError('Maximum call stack size exceeded')
  if (code > EXHAUSTION) return new RangeError('WebAssembly: no memory is left for it; give the domain more')
  return new RuntimeError(traps[code])
}
