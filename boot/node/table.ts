/**
 * Host functions as C function pointers of the engine. QuickJS tells of unhandled rejections through one, and no export of the package
 * can set it. The kernel's engine has an extra slot in its function table for it (EngineNames.rejectionSlot); here the .wasm gets the
 * same: its table is exported by a change of the module's export section, grown, and filled with functions of the right type.
 */
import type { FunctionType, ValueType } from '../engine/wasm.ts'

const exportSection = 7
const tableKind = 1
const valueCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

export const tableExport = 'table'

/** The same module with its (only) table exported as `tableExport`. */
export function withTableExport(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < wasm.length; ) {
    const [length, body] = readLeb(wasm, at + 1)
    const next = body + length
    if (wasm[at] === exportSection) {
      const [count, entries] = readLeb(wasm, body)
      const name = new TextEncoder().encode(tableExport)
      const added = Uint8Array.from([...leb(count + 1), name.length, ...name, tableKind, 0])
      const header = Uint8Array.from([exportSection, ...leb(added.length + next - entries)])
      return Uint8Array.from(Buffer.concat([wasm.subarray(0, at), header, added, wasm.subarray(entries)]))
    }
    at = next
  }
  throw new Error("the engine's .wasm has no export section")
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
      ...section(exportSection, [1, 1, 0x66, 0, 0]), // export "f", function 0
    ]),
  )
}

/** Unsigned LEB128: the value and the place behind it. */
function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[at++]
    value += (byte & 127) * scale
    if (byte < 128) return [value, at]
  }
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}
