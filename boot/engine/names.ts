/**
 * The names of the engine's functions. The .wasm of quickjs-emscripten is minified ("pa" is QTS_Eval), and its name map is not
 * published; here it is derived from the package's own JavaScript glue:
 *
 * - an export is the function that the glue offers under its name (`Module._QTS_Eval === exports.pa`), and the few that it keeps
 *   to itself are told by their type, then by what they do;
 * - an import that ends in a callback is told by which callback it calls; one of the C library, by its source text.
 *
 * Every name of interface.ts must be found exactly once, with its type, and nothing may be left over. Needs Node only.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { EngineError, restorePackage } from './error.ts'
import { engineExports, engineImports, signature } from './interface.ts'
import { type FunctionType, readWasm, type WasmModule } from './wasm.ts'

export const enginePackage = '@jitl/quickjs-wasmfile-release-sync'
/** Of emscripten-module.wasm in version 0.32.0. Everything that pokes at engine structures was verified on these bytes. */
export const engineSha256 = '105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232'
/** emscripten's default when linking: the C stack lies between static data and heap, and its top is the initial stack pointer. */
const linearStackBytes = 5 << 20

export interface EngineNames {
  readonly package: string
  readonly version: string
  readonly sha256: string
  /** Release of QuickJS, as its memory report names it. */
  readonly quickjs: string
  /** The module name of all imports. */
  readonly importNamespace: string
  /** Name to minified name. */
  readonly exports: Readonly<Record<string, string>>
  /** Minified name to name; `memory` is the linear memory. */
  readonly imports: Readonly<Record<string, string>>
  /** Slots of the function table in the .wasm, the null slot 0 included. */
  readonly tableSize: number
  /** Index of the one slot that the native table has more: the host's promise rejection tracker. */
  readonly rejectionSlot: number
  /** Address. The linear stack grows down from here to `dataEnd`; the heap grows up from here. */
  readonly initialStackPointer: number
  /** Address of the end of static data (initialised and zero). */
  readonly dataEnd: number
  /** Initial size of the linear memory in pages of 64 KiB. */
  readonly memoryPages: number
}

/** What the glue is: a factory that takes emscripten's Module options and resolves to the Module. */
type Glue = (options: object) => Promise<Record<string, unknown>>
type AnyFunction = (...args: number[]) => number | undefined
export interface EnginePackage {
  readonly package: string
  readonly version: string
  readonly wasm: Uint8Array
  readonly glue: Glue
}

/** The installed package `name`; throws an EngineError when it is missing. */
export function loadPackage(name: string): EnginePackage {
  const require = createRequire(import.meta.url)
  try {
    const { version } = require(`${name}/package.json`)
    const wasm = readFileSync(require.resolve(`${name}/wasm`))
    return {
      package: name,
      version,
      wasm,
      // Read where it is asked for: most want the .wasm only.
      get glue() {
        return require(`${name}/emscripten-module`)
      },
    }
  } catch (cause) {
    throw new EngineError(`The engine package cannot be read: ${(cause as Error).message.split('\n')[0]}.`, name, restorePackage)
  }
}

/** Throws unless these are the bytes that this version was written for. */
export function checkWasm(engine: EnginePackage): void {
  const found = createHash('sha256').update(engine.wasm).digest('hex')
  if (found === engineSha256) return
  const what = `The engine's .wasm has sha256 ${found}, expected ${engineSha256}.`
  throw new EngineError(what, `${engine.package} ${engine.version}`, restorePackage)
}

let wasm: Uint8Array | undefined
/** The engine's WebAssembly module, its checksum verified. */
export function engineWasm(): Uint8Array {
  if (!wasm) {
    const engine = loadPackage(enginePackage)
    checkWasm(engine)
    wasm = engine.wasm
  }
  return wasm
}

let names: Promise<EngineNames> | undefined
/** The names of the installed engine, its checksum verified. Throws an EngineError when the package is missing or another. */
export function engineNames(): Promise<EngineNames> {
  names ??= (async () => {
    const engine = loadPackage(enginePackage)
    checkWasm(engine)
    return await deriveNames(engine)
  })()
  return names
}

/** Derives and checks the names of any build of the engine. */
export async function deriveNames(engine: EnginePackage): Promise<EngineNames> {
  const where = `${engine.package} ${engine.version}`
  const fail: Fail = what => {
    throw new EngineError(`The engine is not the expected one: ${what}.`, where, restorePackage)
  }
  const layout = readWasm(engine.wasm)
  const { glue, instance, imports } = await instantiate(engine)

  const exports = nameExports(layout, instance, glue, fail)
  const importNames = nameImports(layout, imports, glue, fail)

  const quickjs = /QuickJS memory usage -- (\S+) version/.exec(Buffer.from(engine.wasm).toString('latin1'))?.[1]
  const dataEnd = layout.stackPointer - linearStackBytes
  // Zeroed data follows the initialised: a few KiB of it. Anything else means that the stack is not where it is thought to be.
  const initialisedEnd = Math.max(...layout.data.map(({ address, bytes }) => address + bytes.length))
  if (dataEnd < initialisedEnd || dataEnd > initialisedEnd + 16384)
    fail(`its stack is not 5 MiB above static data (stack pointer ${layout.stackPointer}, data up to ${initialisedEnd})`)
  return {
    package: engine.package,
    version: engine.version,
    sha256: createHash('sha256').update(engine.wasm).digest('hex'),
    quickjs: quickjs ?? fail('it has no QuickJS version string'),
    importNamespace: layout.memory.module,
    exports,
    imports: importNames,
    tableSize: layout.tableSize,
    rejectionSlot: layout.tableSize,
    initialStackPointer: layout.stackPointer,
    dataEnd,
    memoryPages: layout.memory.initialPages,
  }
}

/** Runs the package's glue, and catches instance and import object on the way. */
async function instantiate(engine: EnginePackage) {
  let instance: WebAssembly.Instance | undefined
  let imports: WebAssembly.Imports | undefined
  const glue = await engine.glue({
    instantiateWasm(wanted: WebAssembly.Imports, done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void) {
      const module = new WebAssembly.Module(engine.wasm)
      imports = wanted
      instance = new WebAssembly.Instance(module, wanted)
      done(instance, module)
      return {}
    },
  })
  return { glue, instance: instance!, imports: imports! }
}

type Fail = (what: string) => never

function nameExports(layout: WasmModule, instance: WebAssembly.Instance, glue: Record<string, unknown>, fail: Fail) {
  const functions = instance.exports as Record<string, AnyFunction>
  const found = new Map<string, string>() // name to minified name
  const named = new Set<AnyFunction>()
  for (const [key, value] of Object.entries(glue)) {
    if (!key.startsWith('_') || typeof value !== 'function') continue
    // One function may stand under several names (all that return 0 are one): any of them is right.
    const minified = Object.keys(functions).find(name => functions[name] === value)
    if (minified === undefined) continue
    found.set(key.slice(1), minified)
    named.add(functions[minified])
  }

  // The glue's own: no two of them have the same type.
  const own = ['__wasm_call_ctors', '_emscripten_timeout', 'stackRestore', 'stackAlloc', 'stackSave']
  for (const { name, type } of layout.exports) {
    if (named.has(functions[name])) continue
    const match = own.find(candidate => engineExports[candidate] === signature(type))
    if (!match) fail(`export "${name}" of type ${signature(type)} is unknown`)
    else if (found.has(match)) fail(`exports "${name}" and "${found.get(match)}" could both be ${match}`)
    else found.set(match, name)
  }
  checkAll('export', engineExports, found, layout.exports, fail)

  const call = (name: string, ...args: number[]) => functions[found.get(name)!](...args)
  const top = layout.stackPointer
  if (call('stackSave') !== top) fail('stackSave does not return the stack pointer')
  if (call('stackAlloc', 16) !== top - 16 || call('stackSave') !== top - 16) fail('stackAlloc does not take from the stack')
  call('stackRestore', top)
  if (call('stackSave') !== top) fail('stackRestore does not set the stack pointer')
  return Object.fromEntries(found)
}

/** What quickjs-emscripten's glue calls its callbacks, and the import that leads to each. */
const callbacks: Record<string, string> = {
  callFunction: 'qts_host_call_function',
  shouldInterrupt: 'qts_host_interrupt_handler',
  loadModuleSource: 'qts_host_load_module_source',
  normalizeModule: 'qts_host_normalize_module',
  freeHostRef: 'qts_host_ref_free',
}

/** What tells the C library's imports: a piece of the source text of emscripten's implementation that no other has. */
const sources: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['__assert_fail', /Assertion failed: /],
  ['_abort_js', /^\(\)=>\w+\(""\)$/],
  ['_emscripten_runtime_keepalive_clear', /^\(\)=>\{\w+=!1;\w+=0\}$/],
  ['_localtime_js', /\.getSeconds\(\)/],
  ['_setitimer_js', /setTimeout\(/],
  ['_tzset_js', /UTC\$\{/],
  ['emscripten_date_now', /^\(\)=>Date\.now\(\)$/],
  ['emscripten_resize_heap', /\.grow\(/],
  ['environ_get', /Infinity/],
  ['environ_sizes_get', /=\w+\.length;\w+=0;for\(var \w+ of /],
  ['fd_close', /^\(\)=>52$/],
  ['fd_seek', /return 70\b/],
  ['fd_write', /10===/],
  ['proc_exit', /onExit/],
]

function nameImports(layout: WasmModule, imports: WebAssembly.Imports, glue: Record<string, unknown>, fail: Fail) {
  const { module } = layout.memory
  const byName: Record<string, string> = { [layout.memory.name]: 'memory' }
  const found = new Map<string, string>() // name to minified name
  for (const { name, module: from } of layout.imports) {
    if (from !== module) fail(`import "${name}" comes from "${from}" and not from "${module}"`)
    const implementation = imports[module][name] as AnyFunction
    const matches = implementation.toString().includes('.callbacks.')
      ? calledBack(implementation, glue)
      : sources.filter(([, pattern]) => pattern.test(implementation.toString())).map(([known]) => known)
    if (matches.length !== 1) fail(`import "${name}" is ${matches.length ? `both ${matches.join(' and ')}` : 'unknown'}`)
    if (found.has(matches[0])) fail(`imports "${name}" and "${found.get(matches[0])}" are both ${matches[0]}`)
    found.set(matches[0], name)
    byName[name] = matches[0]
  }
  checkAll('import', engineImports, found, layout.imports, fail)
  return byName
}

/** The names of the callbacks that an import calls. */
function calledBack(implementation: AnyFunction, glue: Record<string, unknown>): string[] {
  const called: string[] = []
  glue.callbacks = new Proxy(
    {},
    {
      get(_, name) {
        called.push(callbacks[String(name)] ?? String(name))
        return () => 0
      },
    },
  )
  implementation(0, 0, 0, 0, 0)
  return called
}

type Functions = readonly { readonly name: string; readonly type: FunctionType }[]

/** Nothing is missing, nothing is unknown, and every type is as it should be. */
function checkAll(what: string, expected: Record<string, string>, found: Map<string, string>, functions: Functions, fail: Fail): void {
  const types = new Map(functions.map(({ name, type }) => [name, signature(type)]))
  for (const [name, type] of Object.entries(expected)) {
    const minified = found.get(name)
    if (minified === undefined) fail(`it has no ${what} ${name}`)
    else if (types.get(minified) !== type) fail(`${what} ${name} has type ${types.get(minified)}, expected ${type}`)
  }
  for (const name of found.keys()) if (!(name in expected)) fail(`${what} ${name} is unknown`)
}

if (import.meta.main) console.log(JSON.stringify(await engineNames(), null, 2))
