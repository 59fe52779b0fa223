/**
 * Hosts the engine, the very .wasm that the kernel runs translated, in Node: to make snapshots, and so that test suites run in
 * the guest's engine. create.ts makes engines.
 *
 * `Value` is the address of a JSValue in linear memory that the caller owns: free it with `free`.
 */
import type { EngineLayout } from '../engine/layout.ts'
import type { EngineNames } from '../engine/names.ts'
import { GuestError, hostError } from './errors.ts'
import type { LinearMemory } from './memory.ts'
import { Rejections } from './rejections.ts'
import { addFunction } from './table.ts'
import { tag, Values } from './values.ts'

export type Value = number
/** A host function: `argc` borrowed JSValues lie at `argv`; returns 0 for undefined or a JSValue that the engine will own. */
export type HostFunction = (argc: number, argv: number) => Value
export type Exports = Record<string, (...args: any[]) => any>

/** JSHostPromiseRejectionTracker: context, promise, reason, whether it is handled now, opaque. */
const trackerType = { params: ['i32', 'i64', 'i64', 'i32', 'i32'], result: undefined } as const

/** What the engine is made of. */
export interface EngineParts {
  readonly names: EngineNames
  readonly layout: EngineLayout
  readonly memory: LinearMemory
  readonly host: HostFunction[]
  readonly exports: Exports
  readonly table: WebAssembly.Table
  /** JSRuntime* and JSContext*. */
  readonly runtime: number
  readonly context: number
}

export class Engine {
  readonly names: EngineNames
  readonly layout: EngineLayout
  readonly memory: LinearMemory
  readonly values: Values
  /** Every function of the package by its own name (boot/engine/interface.ts). */
  readonly exports: Exports
  /** The host functions by id. */
  readonly host: HostFunction[]
  /** JSRuntime* and JSContext*. */
  readonly runtime: number
  readonly context: number
  readonly table: WebAssembly.Table
  readonly #rejections: Rejections

  constructor(parts: EngineParts) {
    this.names = parts.names
    this.layout = parts.layout
    this.memory = parts.memory
    this.values = new Values(parts.memory, parts.layout)
    this.exports = parts.exports
    this.host = parts.host
    this.runtime = parts.runtime
    this.context = parts.context
    this.#rejections = new Rejections(this)
    this.table = parts.table
    const track = (_context: number, promise: bigint, reason: bigint, handled: number) => {
      this.#rejections.track(promise, reason, handled !== 0)
    }
    const slot = addFunction(parts.table, trackerType, track)
    if (slot !== parts.names.rejectionSlot)
      throw new Error(`the rejection tracker has table slot ${slot}, expected ${parts.names.rejectionSlot}`)
    this.memory.u32[(parts.runtime + parts.layout.rejectionTracker) >>> 2] = parts.names.rejectionSlot
  }

  /** Runs a classic script; returns its completion value. Throws a GuestError for a syntax error or an uncaught exception. */
  eval(source: string, filename: string): Value {
    const text = this.#cString(source)
    try {
      return this.evalAt(text, Buffer.byteLength(source), filename)
    } finally {
      this.exports.free(text)
    }
  }

  /** The same with the source at `address` in linear memory: `length` bytes of UTF-8, and a NUL behind them. */
  evalAt(address: number, length: number, filename: string): Value {
    const name = this.#cString(filename)
    try {
      return this.check(this.exports.QTS_Eval(this.context, address, length, name, 0, 0))
    } finally {
      this.exports.free(name)
    }
  }

  /** Calls a function with `this` undefined. Borrows all arguments. Throws a GuestError when the function throws. */
  call(fn: Value, ...args: Value[]): Value {
    return this.check(this.invoke(fn, ...args))
  }

  /** The same, but what was thrown comes back as a marker that takeThrown() understands. */
  invoke(fn: Value, ...args: Value[]): Value {
    const argv = this.allocate(4 * args.length || 4)
    this.memory.u32.set(args, argv >>> 2)
    try {
      return this.exports.QTS_Call(this.context, fn, this.exports.QTS_GetUndefined(), args.length, argv)
    } finally {
      this.exports.free(argv)
    }
  }

  /** Runs jobs (promise reactions) until none is left. Throws a GuestError when a job throws; the rest stays pending. */
  drain(): void {
    const thrown = this.runJobs()
    if (thrown !== undefined) throw this.error(thrown)
  }

  /** Runs jobs until none is left, or one throws: returns what it threw. */
  runJobs(): Value | undefined {
    const { exports } = this
    if (!exports.QTS_IsJobPending(this.runtime)) return undefined
    const contextOut = this.allocate(4)
    try {
      while (exports.QTS_IsJobPending(this.runtime)) {
        const result = exports.QTS_ExecutePendingJob(this.runtime, -1, contextOut)
        // The number of jobs, or what was thrown. (A job that throws a number looks like success; QuickJS's own jobs throw nothing.)
        if (this.values.number(result) === undefined) return result
        this.free(result)
      }
      return undefined
    } finally {
      exports.free(contextOut)
    }
  }

  /** Takes the reason of the oldest unhandled rejection; undefined when there is none. Call it after drain(). */
  takeRejection(): Value | undefined {
    return this.#rejections.take()
  }

  /** Frees a value. */
  free(value: Value): void {
    this.exports.QTS_FreeValuePointer(this.context, value)
  }

  global(): Value {
    return this.exports.QTS_GetGlobalObject(this.context)
  }

  get(object: Value, name: string): Value {
    const key = this.string(name)
    try {
      return this.check(this.exports.QTS_GetProp(this.context, object, key))
    } finally {
      this.free(key)
    }
  }

  /** Sets a property; takes over `value`. */
  set(object: Value, name: string, value: Value): void {
    const key = this.string(name)
    this.exports.QTS_SetProp(this.context, object, key, value)
    this.free(key)
    this.free(value)
  }

  string(text: string): Value {
    const address = this.#cString(text)
    const value = this.exports.QTS_NewString(this.context, address)
    this.exports.free(address)
    return value
  }

  number(value: number): Value {
    const box = this.allocate(8)
    this.values.setNumber(box, value)
    return box
  }

  /** A host function; `id` is its place in `host`. */
  function(name: string, id: number): Value {
    const address = this.#cString(name)
    const value = this.exports.QTS_NewFunction(this.context, address, 0, 0, id)
    this.exports.free(address)
    return value
  }

  /** An ArrayBuffer that aliases linear memory and does not own it. */
  buffer(address: number, length: number): Value {
    const value = this.exports.QTS_NewArrayBuffer(this.context, address, length)
    const words = this.memory.u32
    const record = words[(words[value >>> 2] + this.layout.bufferRecord) >>> 2]
    words[(record + this.layout.bufferFree) >>> 2] = 0
    return value
  }

  /** What String(value) gives. Throws a GuestError when that throws (a symbol). */
  text(value: Value): string {
    const address = this.exports.QTS_GetString(this.context, value)
    if (address === 0) throw this.#pendingError()
    const length = this.memory.u32[(address - this.layout.stringLength) >>> 2] & 0x7fffffff
    const text = this.memory.text(address, length)
    this.exports.QTS_FreeCString(this.context, address)
    return text
  }

  /** What typeof gives. */
  typeOf(value: Value): string {
    const address = this.exports.QTS_Typeof(this.context, value)
    const type = this.memory.cString(address)
    this.exports.free(address)
    return type
  }

  /** `value`, unless it is the mark of an exception: then the exception is taken and thrown as a GuestError. */
  check(value: Value): Value {
    const thrown = this.takeThrown(value)
    if (thrown === undefined) return value
    throw this.error(thrown)
  }

  /** What was thrown, if `value` is the mark of an exception; then the mark is freed. */
  takeThrown(value: Value): Value | undefined {
    const thrown = this.exports.QTS_ResolveException(this.context, value)
    if (thrown === 0) return undefined
    this.free(value)
    return thrown
  }

  /** Turns an error of a host function into an exception in the engine: the result that the host function is to return. */
  throw(error: unknown): Value {
    const { name, message } = hostError(error)
    const global = this.global()
    const constructor = this.get(global, name)
    const text = this.string(message)
    const value = this.invoke(constructor, text)
    for (const used of [text, constructor, global]) this.free(used)
    // When not even the error can be made (the stack is full), the exception of that is the result.
    if (this.memory.u64(value) >> 32n === BigInt(tag.exception)) return value
    const result = this.exports.QTS_Throw(this.context, value)
    this.free(value)
    return result
  }

  /** `count` zeroed, page-aligned pages of 4096 bytes in the engine's heap, for good. Undefined when memory is full. */
  pages(count: number): Uint8Array<ArrayBuffer> | undefined {
    const address = this.exports.malloc(count * 4096 + 4095)
    if (address === 0) return undefined
    const start = Math.ceil(address / 4096) * 4096
    return this.memory.u8.subarray(start, start + count * 4096).fill(0)
  }

  #pendingError(): GuestError {
    // JS_EXCEPTION itself, as the marker that QTS_ResolveException asks for.
    const marker = this.allocate(8)
    this.memory.setU64(marker, BigInt(tag.exception) << 32n)
    const thrown = this.exports.QTS_ResolveException(this.context, marker)
    this.exports.free(marker)
    return this.error(thrown)
  }

  /** The GuestError for a value that was thrown; frees the value. */
  error(thrown: Value): GuestError {
    const property = (name: string) => {
      const value = this.get(thrown, name)
      try {
        return this.values.isString(value) ? this.text(value) : undefined
      } finally {
        this.free(value)
      }
    }
    try {
      const message = this.values.isObject(thrown) ? property('message') : undefined
      if (message === undefined) return new GuestError('Error', `${this.text(thrown)} was thrown, which is not an Error`, '')
      return new GuestError(property('name') ?? 'Error', message, property('stack') ?? '')
    } catch {
      return new GuestError('Error', 'something was thrown that cannot be shown', '')
    } finally {
      this.free(thrown)
    }
  }

  #cString(text: string): number {
    const bytes = Buffer.from(text + '\0')
    const address = this.allocate(bytes.length)
    this.memory.u8.set(bytes, address)
    return address
  }

  /** malloc, which must succeed. */
  allocate(bytes: number): number {
    const address = this.exports.malloc(bytes)
    if (address === 0) throw new RangeError(`the engine has no memory for ${bytes} bytes`)
    return address
  }
}
