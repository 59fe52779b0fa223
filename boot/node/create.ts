/** Makes engines: new ones, and such that continue from a snapshot. */
import { counterModule, counterName, withCounters } from '../engine/count.ts'
import { engineWasm } from '../engine/names.ts'
import { Engine, type Exports, type HostFunction } from './engine.ts'
import { engineFacts } from './facts.ts'
import { engineImports } from './imports.ts'
import { LinearMemory } from './memory.ts'
import { withQuickLines } from './source-lines.ts'
import { tableExport, withTableExport } from './table.ts'

export interface EngineOptions {
  /** How much of that stack JavaScript may use before a RangeError, bytes. Default: QuickJS's own, 1 MiB. */
  readonly jsStackLimit?: number
  /** Do not keep the source text of functions (Function.prototype.toString shows less; line numbers stay). */
  readonly stripSource?: boolean
  /** Milliseconds since 1970 for Date. Default: Date.now. */
  readonly clock?: () => number
  /** What the engine itself prints. Default: to stderr. */
  readonly output?: (bytes: Uint8Array) => void
  /** Counts executed bytecodes in it (boot/engine/count.ts). */
  readonly counts?: WebAssembly.Memory
}

const stripSourceFlag = 1 // JS_STRIP_SOURCE, quickjs.h

/** 2 GiB: what the .wasm declares, and where the kernel's I/O area begins. */
const maximumPages = 32768

let compiled: WebAssembly.Module | undefined
let counting: WebAssembly.Module | undefined

/** What is done once for all engines of a thread. */
export async function compileEngine(): Promise<void> {
  compiled ??= new WebAssembly.Module(withQuickLines(withTableExport(engineWasm())))
  await engineFacts()
}

/** The parts of an engine before a runtime exists in it. */
async function instantiate(options: EngineOptions) {
  await compileEngine()
  const { names, layout } = await engineFacts()
  const memory = new LinearMemory(new WebAssembly.Memory({ initial: names.memoryPages, maximum: maximumPages }))
  const host: HostFunction[] = []
  const implementation = engineImports({
    memory,
    clock: options.clock ?? Date.now,
    output:
      options.output ??
      (bytes => {
        process.stderr.write(bytes)
      }),
    call: (id, argc, argv) => host[id](argc, argv),
  })
  const imports = Object.fromEntries(
    Object.entries(names.imports).map(([minified, name]) => [minified, name === 'memory' ? memory.memory : implementation[name]]),
  )
  const { counts } = options
  if (counts) counting ??= new WebAssembly.Module(withCounters(withTableExport(engineWasm())))
  const instance = new WebAssembly.Instance(counts ? counting! : compiled!, {
    [names.importNamespace]: imports,
    ...(counts && { [counterModule]: { [counterName]: counts } }),
  })
  const exports = Object.fromEntries(Object.entries(names.exports).map(([name, minified]) => [name, instance.exports[minified]])) as Exports
  return { names, layout, memory, host, exports, table: instance.exports[tableExport] as WebAssembly.Table }
}

/** A new engine with one runtime and one context. */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const parts = await instantiate(options)
  const { exports, layout, memory } = parts
  exports.__wasm_call_ctors()
  const runtime = exports.QTS_NewRuntime()
  if (options.jsStackLimit !== undefined) exports.QTS_RuntimeSetMaxStackSize(runtime, options.jsStackLimit)
  if (options.stripSource) memory.u8[runtime + layout.stripFlags] |= stripSourceFlag
  const context = exports.QTS_NewContext(runtime, 0)
  return new Engine({ ...parts, runtime, context })
}

/** What a snapshot holds besides memory. */
export interface EngineState {
  readonly memoryPages: number
  readonly stackPointer: number
  readonly runtime: number
  readonly context: number
}

/** An engine as it was when `state` was taken; `fill` writes the memory that is not zero. */
export async function restoreEngine(state: EngineState, fill: (memory: Uint8Array) => void, options: EngineOptions = {}): Promise<Engine> {
  const parts = await instantiate(options)
  parts.memory.grow(state.memoryPages * 65536)
  parts.memory.u8.fill(0)
  fill(parts.memory.u8)
  parts.exports.stackRestore(state.stackPointer)
  return new Engine({ ...parts, runtime: state.runtime, context: state.context })
}
