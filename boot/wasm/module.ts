/**
 * What a module imports and exports, and the same module with names that are numbers: what is compiled then depends on no text in it, such
 * as a name that ends a comment of C.
 */
import { WasmError } from './error.ts'
import { another, Reader, u32 } from './reader.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'funcref' | 'externref'

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}
export interface Limits {
  readonly initial: number
  readonly maximum?: number
}
export interface GlobalType {
  readonly value: ValueType
  readonly mutable: boolean
}
export type External =
  | { readonly kind: 'function'; readonly type: FunctionType }
  | { readonly kind: 'table'; readonly type: Limits & { readonly element: ValueType } }
  | { readonly kind: 'memory'; readonly type: Limits }
  | { readonly kind: 'global'; readonly type: GlobalType }
export type Import = External & { readonly module: string; readonly name: string }
export type Export = External & { readonly name: string; readonly index: number }

export interface WasmModule {
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
  /** Types of all functions, imported ones first. */
  readonly functions: readonly FunctionType[]
  readonly importedFunctions: number
  /** Indices of the functions that somebody outside of the module can have: exported, or named where a table could take them. */
  readonly reachable: readonly number[]
  /** The module without its names, imports renamed to i.N (by their number), exports to fN, tN, mN, gN by their indices. */
  readonly plain: Uint8Array
}

const kinds = ['function', 'table', 'memory', 'global'] as const
const valueTypes: Record<number, ValueType> = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64', 0x70: 'funcref', 0x6f: 'externref' }
const section = { custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, element: 9 }
const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
/** JavaScript API of WebAssembly, "Implementation-defined limits". */
const mostParams = 1000

const lacks = (what: string) => new WasmError(`the module uses ${what}, which xen-ts does not have`, another)

/** Throws a WasmError for what is no module, and for what cannot be compiled. (It is not validated: wasm2c does that.) */
export function readModule(bytes: Uint8Array): WasmModule {
  if (!magic.every((byte, i) => bytes[i] === byte))
    throw new WasmError('the file is not a WebAssembly module of version 1', 'is it the right file, and whole?')
  const sections: { id: number; body: Uint8Array }[] = []
  const all = new Reader(bytes, magic.length)
  while (!all.done) {
    const id = all.byte()
    sections.push({ id, body: all.take(all.u32()) })
  }
  const open = (id: number) => new Reader(sections.find(one => one.id === id)?.body ?? Uint8Array.of(0))

  const types = readTypes(open(section.type))
  const imports = readImports(open(section.import), types)
  const own = new Parts(imports)
  own.functions.push(...(r => r.vector(() => typeAt(types, r.u32())))(open(section.function)))
  own.tables.push(...(r => r.vector(() => tableType(r)))(open(section.table)))
  own.memories.push(...(r => r.vector(() => limits(r)))(open(section.memory)))
  const referenced = new Set<number>()
  own.globals.push(...(r => r.vector(() => readGlobal(r, referenced)))(open(section.global)))
  const exports = readExports(open(section.export), own)
  readElements(open(section.element), referenced)
  for (const { kind, index } of exports) if (kind === 'function') referenced.add(index)
  const reachable = [...referenced].sort((a, b) => a - b)
  if (reachable.some(index => index >= own.functions.length)) throw new WasmError('the module names a function that it lacks', another)
  return {
    types,
    imports,
    exports,
    functions: own.functions,
    importedFunctions: imports.filter(({ kind }) => kind === 'function').length,
    reachable,
    plain: withoutNames(sections, exports, reachable),
  }
}

class Parts {
  readonly functions: FunctionType[] = []
  readonly tables: (Limits & { element: ValueType })[] = []
  readonly memories: Limits[] = []
  readonly globals: GlobalType[] = []

  constructor(imports: readonly Import[]) {
    for (const one of imports) {
      if (one.kind === 'function') this.functions.push(one.type)
      else if (one.kind === 'table') this.tables.push(one.type)
      else if (one.kind === 'memory') this.memories.push(one.type)
      else this.globals.push(one.type)
    }
  }
}

function readTypes(r: Reader): FunctionType[] {
  return r.vector(() => {
    if (r.byte() !== 0x60) throw lacks('types other than those of functions')
    const params = r.vector(() => valueType(r)),
      results = r.vector(() => valueType(r))
    if (params.length > mostParams || results.length > mostParams) throw lacks(`a function with more than ${mostParams} values`)
    return { params, results }
  })
}

function valueType(r: Reader): ValueType {
  const byte = r.byte()
  if (byte === 0x7b) throw lacks('vectors (SIMD)')
  const type = valueTypes[byte]
  if (type === undefined) throw lacks(`the value type 0x${byte.toString(16)}`)
  return type
}

function limits(r: Reader): Limits {
  const flags = r.byte()
  if (flags & 2) throw lacks('shared memory (threads)')
  if (flags > 1) throw lacks('64-bit memory')
  const initial = r.u32()
  return flags & 1 ? { initial, maximum: r.u32() } : { initial }
}

function tableType(r: Reader) {
  const element = valueType(r)
  return { element, ...limits(r) }
}

function globalType(r: Reader): GlobalType {
  return { value: valueType(r), mutable: r.byte() === 1 }
}

function typeAt(types: readonly FunctionType[], index: number): FunctionType {
  const type = types[index]
  if (type === undefined) throw new WasmError('the module names a type that it lacks', another)
  return type
}

function external(r: Reader, types: readonly FunctionType[]): External {
  const kind = kinds[r.byte()]
  switch (kind) {
    case 'function':
      return { kind, type: typeAt(types, r.u32()) }
    case 'table':
      return { kind, type: tableType(r) }
    case 'memory':
      return { kind, type: limits(r) }
    case 'global':
      return { kind, type: globalType(r) }
    default:
      throw lacks('imports of another kind (exceptions)')
  }
}

function readImports(r: Reader, types: readonly FunctionType[]): Import[] {
  return r.vector(() => ({ module: r.name(), name: r.name(), ...external(r, types) }))
}

function readExports(r: Reader, own: Parts): Export[] {
  return r.vector(() => {
    const name = r.name()
    const kind = kinds[r.byte()]
    const index = r.u32()
    if (kind === undefined) throw lacks('exports of another kind (exceptions)')
    const type = { function: own.functions, table: own.tables, memory: own.memories, global: own.globals }[kind][index]
    if (type === undefined) throw new WasmError(`the module exports a ${kind} that it lacks`, another)
    return { name, kind, index, type } as Export
  })
}

function readGlobal(r: Reader, referenced: Set<number>): GlobalType {
  const type = globalType(r)
  constant(r, referenced)
  return type
}

/** A constant expression. */
function constant(r: Reader, referenced: Set<number>): void {
  for (;;) {
    const opcode = r.byte()
    if (opcode === 0x0b) return
    if (opcode === 0x41 || opcode === 0x42) r.skipNumber()
    else if (opcode === 0x43) r.take(4)
    else if (opcode === 0x44) r.take(8)
    else if (opcode === 0x23) r.u32()
    else if (opcode === 0xd0) r.byte()
    else if (opcode === 0xd2) referenced.add(r.u32())
    else throw lacks(`the opcode 0x${opcode.toString(16)} in a constant`)
  }
}

/** Element segments: bit 0 passive or declarative, bit 1 with a table's index or declarative, bit 2 expressions. */
function readElements(r: Reader, referenced: Set<number>): void {
  r.vector(() => {
    const flags = r.u32()
    if (flags > 7) throw lacks('element segments of another kind')
    if (!(flags & 1)) {
      if (flags & 2) r.u32()
      constant(r, referenced)
    }
    if (flags & 3) r.byte() // kind of element, or type
    r.vector(() => {
      if (flags & 4) constant(r, referenced)
      else referenced.add(r.u32())
    })
  })
}

const letters = { function: 'f', table: 't', memory: 'm', global: 'g' } as const
export const exportName = (kind: External['kind'], index: number): string => letters[kind] + index

function withoutNames(sections: readonly { id: number; body: Uint8Array }[], exports: readonly Export[], reachable: readonly number[]) {
  const out: number[] = [...magic]
  const put = (id: number, body: readonly number[] | Uint8Array) => {
    out.push(id, ...u32(body.length))
    for (const byte of body) out.push(byte)
  }
  const name = (text: string) => [...u32(text.length), ...Buffer.from(text)]
  const others = new Map(exports.filter(({ kind }) => kind !== 'function').map(one => [exportName(one.kind, one.index), one]))
  const list = [
    ...reachable.map(index => [...name(exportName('function', index)), 0, ...u32(index)]),
    ...[...others].map(([text, { kind, index }]) => [...name(text), kinds.indexOf(kind), ...u32(index)]),
  ]
  const named = [...u32(list.length), ...list.flat()]
  let isDone = false
  const putExports = () => {
    if (!isDone) put(section.export, named)
    isDone = true
  }
  for (const { id, body } of sections) {
    if (id === section.custom) continue
    if (id > section.export) putExports()
    if (id === section.import) put(id, renamedImports(body, name))
    else if (id !== section.export) put(id, body)
  }
  putExports()
  return Uint8Array.from(out)
}

function renamedImports(body: Uint8Array, name: (text: string) => number[]): number[] {
  const r = new Reader(body)
  const count = r.u32()
  const out = u32(count)
  for (let i = 0; i < count; i++) {
    r.take(r.u32())
    r.take(r.u32())
    const start = r.at
    const kind = r.byte()
    if (kind === 0) r.u32()
    else if (kind === 1) tableType(r)
    else if (kind === 2) limits(r)
    else globalType(r)
    out.push(...name('i'), ...name(String(i)), ...body.subarray(start, r.at))
  }
  return out
}
