/** https://webassembly.github.io/spec/js-api/#instances */
import type { GlobalShape, LimitsShape, ModuleShape } from '@xen-ts/boot/wasm'
import { LinkError } from './errors.ts'
import { addInstance, functionOf, referenceOf } from './functions.ts'
import { Global, globalOf, globalState, isGlobal } from './global.ts'
import { forgetGrown, handleOfMemory, isMemory, maximumOfMemory, memoryOf, pagesOf } from './memory.ts'
import { type Module, shapeOf } from './module.ts'
import { ask, at, listen, op, run, u32 } from './native.ts'
import { handleOfTable, isTable, maximumOfTable, tableOf } from './table.ts'
import { get, put } from './values.ts'

type Callable = (...args: unknown[]) => unknown
interface Linked {
  readonly values: readonly unknown[]
  /** What native code gets: handles of what is not a function. */
  readonly handles: readonly number[]
}

/** What an instance imports, by its number: its functions are called from there. */
const importsOf = new Map<number, { readonly values: readonly unknown[]; readonly shape: ModuleShape }>()

export class Instance {
  readonly exports: Readonly<Record<string, unknown>>

  constructor(module: Module, imports?: object) {
    const shape = shapeOf(module)
    const linked = link(shape, imports)
    const found = ask(op.find, Number.parseInt(shape.hash.slice(0, 8), 16), Number.parseInt(shape.hash.slice(8), 16))
    linked.handles.forEach((handle, i) => {
      u32[2 * i] = handle
      u32[2 * i + 1] = 0
    })
    const id = ask(op.newInstance, found)
    if (id === 0) throw new RangeError('WebAssembly.Instance: there is no memory for it; give the domain more')
    importsOf.set(id, { values: linked.values, shape })
    addInstance(id, shape.functions)
    run(op.start, id, 0)
    this.exports = exportsOf(id, shape, linked.values)
  }
}

function exportsOf(id: number, shape: ModuleShape, values: readonly unknown[]): Record<string, unknown> {
  const made = new Map<string, unknown>()
  const exports: Record<string, unknown> = Object.create(null)
  for (const [name, place, imported, kind, type] of shape.exports) {
    const isSame = imported >= 0 && (kind !== 'function' || referenceOf(values[imported]) !== undefined)
    const key = `${kind} ${place}`
    if (!made.has(key)) made.set(key, isSame ? values[imported] : external(id, place, kind, type))
    exports[name] = made.get(key)
  }
  return Object.freeze(exports)
}

function external(id: number, place: number, kind: string, type: unknown): unknown {
  const handle = id * 65536 + place
  switch (kind) {
    case 'function':
      return functionOf(id, place)
    case 'memory':
      return memoryOf(handle, (type as LimitsShape)[1])
    case 'table':
      return tableOf(handle, (type as LimitsShape)[1])
    default:
      return globalOf(handle, (type as GlobalShape)[0], (type as GlobalShape)[1] === 1)
  }
}

/** https://webassembly.github.io/spec/js-api/#read-the-imports */
function link(shape: ModuleShape, imports: object | undefined): Linked {
  if (imports !== undefined && (imports === null || (typeof imports !== 'object' && typeof imports !== 'function')))
    throw new TypeError('WebAssembly.Instance: imports must be an object')
  if (imports === undefined && shape.imports.length > 0) throw new TypeError('WebAssembly.Instance: imports must be an object')
  const values: unknown[] = []
  const handles: number[] = []
  for (const [module, name, kind, type] of shape.imports) {
    const from = (imports as Record<string, unknown>)[module]
    const where = `WebAssembly.Instance: import "${module}" "${name}"`
    if (from === null || (typeof from !== 'object' && typeof from !== 'function'))
      throw new TypeError(`${where}: "${module}" must be an object`)
    const value = (from as Record<string, unknown>)[name]
    const linked = kind === 'global' ? globalFor(value, type as GlobalShape, where) : value
    values.push(linked)
    const handle = check(linked, kind, type, where)
    if (handle !== undefined) handles.push(handle)
  }
  return { values, handles }
}

function globalFor(value: unknown, [type, mutable]: GlobalShape, where: string): unknown {
  if (isGlobal(value) || mutable) return value
  if (typeof value !== (type === 'j' ? 'bigint' : 'number'))
    throw new LinkError(`${where}: must be a ${type === 'j' ? 'BigInt' : 'number'}`)
  return new Global({ value: { i: 'i32', j: 'i64', f: 'f32', d: 'f64' }[type]! }, value)
}

function check(value: unknown, kind: string, type: unknown, where: string): number | undefined {
  switch (kind) {
    case 'function': {
      if (typeof value !== 'function') throw new LinkError(`${where}: must be a function`)
      const own = referenceOf(value)
      if (own !== undefined && own.type !== type) throw new LinkError(`${where}: the function has another type`)
      return undefined
    }
    case 'memory':
      if (!isMemory(value)) throw new LinkError(`${where}: must be a WebAssembly.Memory`)
      checkLimits(type as LimitsShape, pagesOf(value), maximumOfMemory(value), where)
      return handleOfMemory(value)
    case 'table':
      if (!isTable(value)) throw new LinkError(`${where}: must be a WebAssembly.Table`)
      checkLimits(type as LimitsShape, value.length, maximumOfTable(value), where)
      return handleOfTable(value)
    default: {
      if (!isGlobal(value)) throw new LinkError(`${where}: must be a WebAssembly.Global`)
      const own = globalState(value)
      const [wanted, mutable] = type as GlobalShape
      if (own.type !== wanted || own.mutable !== (mutable === 1)) throw new LinkError(`${where}: the global has another type`)
      return own.handle
    }
  }
}

function checkLimits([initial, maximum]: LimitsShape, size: number, most: number | undefined, where: string): void {
  if (size < initial) throw new LinkError(`${where}: has ${size}, and the module needs ${initial}`)
  if (maximum !== undefined && (most === undefined || most > maximum))
    throw new LinkError(`${where}: has no maximum, or more than the module's ${maximum}`)
}

/** Called for native code: instance and import stand behind the values. */
function callImport(): void {
  const { values, shape } = importsOf.get(u32[at.instance])!
  const index = u32[at.import]
  const [params, results] = (shape.imports[index][3] as string).split('>')
  const args: unknown[] = []
  for (let i = 0; i < params.length; i++) args.push(get(params[i], i))
  const result = (values[index] as Callable)(...args)
  if (results.length === 1) put(results, [result])
  else if (results.length > 1) {
    const list = Array.from(result as Iterable<unknown>)
    if (list.length !== results.length) throw new TypeError(`WebAssembly: an import returned ${list.length} values, not ${results.length}`)
    put(results, list)
  }
}

listen(callImport, forgetGrown)
