/**
 * Host functions as C function pointers of the engine. QuickJS tells of unhandled rejections through one, and no export of the package
 * can set it. The kernel's engine has an extra slot in its function table for it (EngineNames.rejectionSlot); here the .wasm gets the
 * same: its table is exported by a change of the module's export section, grown, and filled with functions of the right type.
 */
import type { FunctionType, ValueType } from '../engine/wasm.ts'
import { findSection, leb, readLeb, sectionId, withSection } from './sections.ts'

const tableKind = 1
const valueCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

export const tableExport = 'table'

/** The same module with its (only) table exported as `tableExport`. */
export const withTableExport = (wasm: Uint8Array): Uint8Array<ArrayBuffer> => withExport(wasm, tableExport, tableKind, 0)

/** The same module with one more export. @param kind 0: a function, 1: a table */
export function withExport(wasm: Uint8Array, name: string, kind: number, index: number): Uint8Array<ArrayBuffer> {
  const { start, end } = findSection(wasm, 'export')
  const [count, entries] = readLeb(wasm, start)
  const text = new TextEncoder().encode(name)
  const added = Uint8Array.from([...leb(count + 1), ...leb(text.length), ...text, kind, ...leb(index)])
  return withSection(wasm, 'export', added, wasm.subarray(entries, end))
}

/** Adds a host function behind the table's end and returns its slot: a C function pointer that the engine can call. */
export function addFunction(table: WebAssembly.Table, type: FunctionType, fn: (...args: never[]) => unknown): number {
  const slot = table.grow(1)
  const { exports } = new WebAssembly.Instance(adapter(type), { '': { f: fn } })
  table.set(slot, exports.f)
  return slot
}

/** A table takes only WebAssembly functions: this module imports `f` and exports it again. */
function adapter({ params, result }: FunctionType): WebAssembly.Module {
  const section = (id: number, content: number[]) => [id, content.length, ...content]
  const codes = params.map(type => valueCode[type])
  const results = result === undefined ? [] : [valueCode[result]]
  return new WebAssembly.Module(
    Uint8Array.from([
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      ...section(1, [1, 0x60, codes.length, ...codes, results.length, ...results]), // one type
      ...section(2, [1, 0, 1, 0x66, 0, 0]), // import "" "f", a function of type 0
      ...section(sectionId.export, [1, 1, 0x66, 0, 0]), // export "f", function 0
    ]),
  )
}
