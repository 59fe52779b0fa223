/**
 * Reads the sections of a WebAssembly module that the JavaScript API does not show: function types, table, globals, data.
 * Only what QuickJS's module uses is understood (WebAssembly core specification 2.0, chapter 5, binary format); all else throws.
 */
import { EngineError, restorePackage } from './error.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64'
export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly result: ValueType | undefined
}

export interface WasmModule {
  readonly types: readonly FunctionType[]
  /** The imported functions, in order (their index is their function index), and the imported memory. */
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: FunctionType }[]
  readonly memory: { readonly module: string; readonly name: string; readonly initialPages: number }
  readonly exports: readonly { readonly name: string; readonly index: number; readonly type: FunctionType }[]
  /** Slots of the one function table, slot 0 (null) included. */
  readonly tableSize: number
  /** Initial value of the one global, the stack pointer. */
  readonly stackPointer: number
  /** The initial contents of linear memory; all else is zero. */
  readonly data: readonly { readonly address: number; readonly bytes: Uint8Array }[]
}

const valueTypes: Record<number, ValueType> = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64' }
const section = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, code: 10, data: 11 }
const kind = { function: 0, memory: 2 }
const i32Const = 0x41
const end = 0x0b

function refuse(what: string): never {
  throw new EngineError(`The engine's WebAssembly module is not as expected: ${what}.`, 'emscripten-module.wasm', restorePackage)
}

function expect(found: unknown, wanted: unknown, what: string): void {
  if (found !== wanted) refuse(`${what} is ${found}, not ${wanted}`)
}

class Reader {
  #bytes: Uint8Array
  at: number
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  byte(): number {
    if (this.at >= this.#bytes.length) refuse(`it ends too early, at byte ${this.at}`)
    return this.#bytes[this.at++]
  }

  /** LEB128, unsigned. */
  u32(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  bytes(length: number): Uint8Array {
    this.at += length
    if (this.at > this.#bytes.length) refuse(`it ends too early, at byte ${this.#bytes.length}`)
    return this.#bytes.subarray(this.at - length, this.at)
  }

  name(): string {
    return new TextDecoder().decode(this.bytes(this.u32()))
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.u32() }, item)
  }

  type(): ValueType {
    return valueTypes[this.byte()] ?? refuse(`unknown value type before byte ${this.at}`)
  }

  /** A constant expression: i32.const n end. */
  constant(): number {
    expect(this.byte(), i32Const, 'the opcode of a constant')
    const value = this.u32() // signed in the format; addresses are positive, for which both readings agree
    expect(this.byte(), end, 'the end of a constant')
    return value
  }
}

export function readWasm(bytes: Uint8Array): WasmModule {
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  if (!magic.every((byte, i) => bytes[i] === byte)) refuse('it does not start with the magic number and version 1')

  const starts = new Map<number, number>()
  const scan = new Reader(bytes, magic.length)
  while (scan.at < bytes.length) {
    const id = scan.byte(),
      length = scan.u32()
    starts.set(id, scan.at)
    scan.bytes(length)
  }
  const open = (name: keyof typeof section) => new Reader(bytes, starts.get(section[name]) ?? refuse(`it has no ${name} section`))

  const types = (r =>
    r.vector((): FunctionType => {
      expect(r.byte(), 0x60, 'the tag of a function type')
      const params = r.vector(() => r.type()),
        results = r.vector(() => r.type())
      if (results.length > 1) refuse('a function has more than one result')
      return { params, result: results[0] }
    }))(open('type'))

  const imports: WasmModule['imports'][number][] = []
  let memory: WasmModule['memory'] | undefined
  const list = open('import')
  for (let left = list.u32(); left > 0; left--) {
    const module = list.name(),
      name = list.name(),
      what = list.byte()
    if (what === kind.function) {
      imports.push({ module, name, type: types[list.u32()] })
      continue
    }
    expect(what, kind.memory, `the kind of import ${module}.${name}`)
    expect(list.byte(), 1, 'the limits flag of the memory (a maximum is given)')
    memory = { module, name, initialPages: list.u32() }
    list.u32() // its maximum
  }
  if (!memory) refuse('it does not import its memory')
  if (starts.has(section.memory)) refuse('it has a memory of its own')

  const functions = (r => [...imports.map(i => i.type), ...r.vector(() => types[r.u32()])])(open('function'))

  const table = open('table')
  expect(table.u32(), 1, 'the number of tables')
  expect(table.byte(), 0x70, "the table's element type")
  table.byte()
  const tableSize = table.u32()

  const globals = open('global')
  expect(globals.u32(), 1, 'the number of globals')
  expect(globals.type(), 'i32', 'the type of the global')
  expect(globals.byte(), 1, 'the mutability of the global')
  const stackPointer = globals.constant()

  const exports = (r =>
    r.vector(() => {
      const name = r.name()
      expect(r.byte(), kind.function, `the kind of export ${name}`)
      const index = r.u32()
      return { name, index, type: functions[index] }
    }))(open('export'))

  const segments = open('data')
  const data = segments.vector(() => {
    expect(segments.byte(), 0, 'the mode of a data segment (active, memory 0)')
    return { address: segments.constant(), bytes: segments.bytes(segments.u32()) }
  })
  return { types, imports, memory, exports, tableSize, stackPointer, data }
}
