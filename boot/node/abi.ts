/**
 * Defines globalThis.__abi in an engine: the functions of boot/abi/table.ts with the checks and error texts of the kernel's dispatcher
 * (boot/kernel/abi.c), carried out by a JavaScript object.
 */
import type { Abi } from '../abi/abi.ts'
import { type AbiFunction, type Argument, abiTable } from '../abi/table.ts'
import type { Engine, HostFunction } from './engine.ts'
import { Halt } from './errors.ts'

/**
 * An Abi as a host outside of the engine implements it: where the guest gets an ArrayBuffer, the host returns a page-aligned view
 * of the engine's linear memory (Engine.pages makes them). Arrays that it is given are such views too; memory growth detaches them,
 * so they are good until the next call into the engine.
 */
export type HostAbi = {
  [K in keyof Abi]: ArrayBuffer extends ReturnType<Abi[K]> ? (...args: Parameters<Abi[K]>) => Uint8Array | undefined : Abi[K]
}

/** Binds `abi`; a function that it lacks throws. */
export function bindAbi(engine: Engine, abi: Partial<HostAbi>): void {
  const global = engine.global()
  const object = engine.exports.QTS_NewObject(engine.context)
  for (const [id, row] of abiTable.entries()) {
    engine.host[id] = hostFunction(engine, row, abi)
    engine.set(object, row.name, engine.function(row.name, id))
  }
  engine.set(global, '__abi', object)
  engine.free(global)
}

/** Puts the host functions of `abi` behind a binding that a snapshot already has. */
export function rebindAbi(engine: Engine, abi: Partial<HostAbi>): void {
  for (const [id, row] of abiTable.entries()) engine.host[id] = hostFunction(engine, row, abi)
}

function hostFunction(engine: Engine, row: AbiFunction, abi: Partial<HostAbi>): HostFunction {
  const implementation = abi[row.name as keyof Abi] as ((...args: unknown[]) => unknown) | undefined
  const read = row.args.map(([, kind]) => reader(engine, kind))
  const convert = result(engine, row)
  return (argc, argv) => {
    try {
      if (!implementation) throw new Error(`${row.name}: this host does not have it`)
      if (argc !== read.length) throw new TypeError(`${row.name}: takes ${read.length} arguments, not ${argc}`)
      const args = read.map((argument, i) => {
        const value = argument(argv + 8 * i)
        if (value === undefined) throw new TypeError(`${row.name}: argument ${i + 1} must be ${wanted[row.args[i][1]]}`)
        return value
      })
      return convert(implementation.apply(abi, args))
    } catch (error) {
      // A halt leaves the engine, and so does a defect of the engine itself.
      if (error instanceof Halt || error instanceof WebAssembly.RuntimeError) throw error
      return engine.throw(error)
    }
  }
}

const wanted: Record<Argument, string> = { num: 'a number', str: 'a string', bytes: 'a Uint8Array', fn: 'a function' }

function reader(engine: Engine, kind: Argument): (address: number) => unknown {
  switch (kind) {
    case 'num':
      return address => engine.values.number(address)
    case 'str':
      return address => (engine.values.isString(address) ? engine.text(address) : undefined)
    case 'bytes':
      return address => engine.values.bytes(address)
    case 'fn':
      return address => (engine.values.isObject(address) ? address : undefined)
  }
}

function result(engine: Engine, row: AbiFunction): (value: unknown) => number {
  const wrong = (value: unknown) => new Error(`${row.name}: the host returned ${String(value)}`)
  switch (row.result) {
    case 'void':
      return () => 0
    case 'num':
      return value => {
        if (typeof value !== 'number') throw wrong(value)
        return engine.number(value)
      }
    case 'str':
      return value => {
        if (typeof value !== 'string') throw wrong(value)
        return engine.string(value) // ends at the first NUL, as in the kernel
      }
    case 'any':
      return () => {
        throw new Error(`${row.name}: results of any type are for the kernel`)
      }
    case 'buffer':
      return value => {
        if (value === undefined) return 0
        if (!(value instanceof Uint8Array) || value.buffer !== engine.memory.memory.buffer) throw wrong(value)
        return engine.buffer(value.byteOffset, value.byteLength)
      }
  }
}
