/**
 * The engine's .wasm under V8, with as little round it as probes, tests and the benchmark need: evaluate a text, define host
 * functions, look into memory. (The snapshot maker has its own, which knows the ABI.)
 */
import { engineImports } from './interface.ts'
import { engineNames, engineWasm } from './names.ts'

/** A host function. Arguments and result are what JSON could hold; a result of undefined is undefined. */
export type HostFunction = (...args: Argument[]) => number | string | boolean | undefined
export type Argument = number | string | boolean | undefined | null

const undefinedResult = 0
const pageBytes = 65536
const errno = { badFile: 8, seekOnPipe: 70 } // WASI numbers, as emscripten's C library reads them

export interface Engine {
  /** The engine's functions by name; pointers and results are numbers. */
  readonly call: Readonly<Record<string, (...args: (number | bigint)[]) => number>>
  readonly runtime: number
  readonly context: number
  /** Memory as it is now: not to be kept over a call, which may grow it. */
  view(): DataView
  bytes(): Uint8Array
  /** Copies text into a new NUL-terminated string of the engine; to be freed. */
  newText(text: string): number
  readText(address: number): string
  /** Evaluates a classic script and returns the address of its value; throws what it throws, as an Error. */
  evaluate(source: string, file?: string): number
  /** The value at an address as text, as String(value) gives; frees the value. */
  text(value: number): string
  define(name: string, fn: HostFunction): void
  /** Runs promise jobs until there are none. */
  drain(): void
}

/** @param stackBytes limit of the JavaScript stack; the engine's default when not given */
export async function createEngine({ stackBytes }: { stackBytes?: number } = {}): Promise<Engine> {
  const names = await engineNames()
  const module = new WebAssembly.Module(engineWasm())
  const memory = new WebAssembly.Memory({ initial: names.memoryPages, maximum: 32768 })
  const functions: HostFunction[] = []
  const view = () => new DataView(memory.buffer)
  const bytes = () => new Uint8Array(memory.buffer)
  let call: Engine['call'] = {}

  const host: Record<string, (...args: number[]) => unknown> = {
    ...Object.fromEntries(
      Object.keys(engineImports).map(name => [
        name,
        () => {
          throw new Error(`${name} is not provided`)
        },
      ]),
    ),
    __assert_fail: text => {
      throw new Error(`The engine's assertion failed: ${readText(text)}`)
    },
    emscripten_date_now: () => Date.now(),
    _localtime_js: (seconds, into) => {
      const date = new Date(Number(seconds) * 1000)
      const fields = [
        date.getUTCSeconds(),
        date.getUTCMinutes(),
        date.getUTCHours(),
        date.getUTCDate(),
        date.getUTCMonth(),
        date.getUTCFullYear() - 1900,
        date.getUTCDay(),
        0,
        0,
        0,
      ]
      fields.forEach((field, i) => view().setInt32(into + 4 * i, field, true))
    },
    _tzset_js: (zone, daylight, standardName, daylightName) => {
      view().setInt32(zone, 0, true)
      view().setInt32(daylight, 0, true)
      for (const name of [standardName, daylightName]) bytes().set(Buffer.from('UTC\0'), name)
    },
    environ_get: () => 0,
    environ_sizes_get: (count, size) => {
      view().setUint32(count, 0, true)
      view().setUint32(size, 0, true)
      return 0
    },
    emscripten_resize_heap: wanted => {
      try {
        memory.grow(Math.ceil((wanted - memory.buffer.byteLength) / pageBytes))
        return 1
      } catch {
        return 0
      }
    },
    fd_write: () => errno.badFile,
    fd_close: () => errno.badFile,
    fd_seek: () => errno.seekOnPipe,
    qts_host_interrupt_handler: () => 0,
    qts_host_ref_free: () => {},
    qts_host_call_function: (context, _this, argc, argv, id) => {
      const args = Array.from({ length: argc }, (_, i) => toHost(call.QTS_ArgvGetJSValueConstPointer(argv, i)))
      try {
        return toGuest(functions[id](...args))
      } catch (error) {
        return throwInGuest(context, String(error))
      }
    },
  }
  const imports: Record<string, WebAssembly.ImportValue> = {}
  for (const [minified, name] of Object.entries(names.imports)) imports[minified] = name === 'memory' ? memory : host[name]
  const { exports } = new WebAssembly.Instance(module, { [names.importNamespace]: imports })
  call = Object.fromEntries(Object.entries(names.exports).map(([name, minified]) => [name, exports[minified] as () => number]))

  call.__wasm_call_ctors()
  const runtime = call.QTS_NewRuntime()
  if (stackBytes !== undefined) call.QTS_RuntimeSetMaxStackSize(runtime, stackBytes)
  const context = call.QTS_NewContext(runtime, 0)

  function newText(text: string): number {
    const encoded = Buffer.from(`${text}\0`)
    const address = call.malloc(encoded.length)
    bytes().set(encoded, address)
    return address
  }

  function readText(address: number): string {
    const memory = bytes()
    return Buffer.from(memory.subarray(address, memory.indexOf(0, address))).toString()
  }

  /** String(value), without freeing the value. */
  function stringOf(value: number): string {
    const chars = call.QTS_GetString(context, value)
    const text = readText(chars)
    call.QTS_FreeCString(context, chars)
    return text
  }

  function text(value: number): string {
    const result = stringOf(value)
    call.QTS_FreeValuePointer(context, value)
    return result
  }

  function toHost(value: number): Argument {
    const chars = call.QTS_Typeof(context, value)
    const type = readText(chars)
    call.free(chars)
    if (type === 'number') return call.QTS_GetFloat64(context, value)
    if (type === 'boolean') return stringOf(value) === 'true'
    return type === 'undefined' ? undefined : stringOf(value)
  }

  function toGuest(result: ReturnType<HostFunction>): number {
    if (result === undefined) return undefinedResult
    if (typeof result === 'number') return call.QTS_NewFloat64(context, result)
    if (typeof result === 'boolean') return call.QTS_DupValuePointer(context, result ? call.QTS_GetTrue() : call.QTS_GetFalse())
    const chars = newText(result)
    const value = call.QTS_NewString(context, chars)
    call.free(chars)
    return value
  }

  function throwInGuest(context: number, message: string): number {
    const error = call.QTS_NewError(context),
      key = toGuest('message'),
      value = toGuest(message)
    call.QTS_SetProp(context, error, key, value)
    return call.QTS_Throw(context, error)
  }

  function evaluate(source: string, file = 'probe.js'): number {
    const text = newText(source),
      name = newText(file)
    const value = call.QTS_Eval(context, text, Buffer.byteLength(source), name, 0, 0)
    call.free(text)
    call.free(name)
    throwIfException(value)
    return value
  }

  /** QTS_Eval and QTS_Call return an exception as a value; QTS_Dump gives it as JSON with its stack. */
  function throwIfException(value: number): void {
    const error = call.QTS_ResolveException(context, value)
    if (!error) return
    const chars = call.QTS_Dump(context, error)
    const dump = readText(chars)
    call.free(chars)
    throw new Error(`In the engine: ${dump}`)
  }

  function define(name: string, fn: HostFunction): void {
    const chars = newText(name)
    const made = call.QTS_NewFunction(context, chars, fn.length, 0, functions.push(fn) - 1)
    const global = call.QTS_GetGlobalObject(context),
      key = call.QTS_NewString(context, chars)
    call.QTS_SetProp(context, global, key, made)
    for (const value of [made, global, key]) call.QTS_FreeValuePointer(context, value)
    call.free(chars)
  }

  function drain(): void {
    const ran = call.malloc(4)
    while (call.QTS_IsJobPending(runtime)) throwIfException(call.QTS_ExecutePendingJob(runtime, 1, ran))
    call.free(ran)
  }

  return { call, runtime, context, view, bytes, newText, readText, evaluate, text, define, drain }
}
