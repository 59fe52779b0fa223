/**
 * QuickJS tells of unhandled rejections through a C function pointer, which no export of the package can set. The kernel's engine has
 * one extra slot in its function table for it (EngineNames.rejectionSlot); here the .wasm under Node gets the same slot: its table is
 * exported by a change of the module's export section, grown by one, and filled with a function of the right type.
 */
const exportSection = 7
const tableKind = 1
const i32 = 0x7f, i64 = 0x7e

export const tableExport = 'table'

/** context, promise, reason (JSValues), 1 when a handler was added later, opaque: QuickJS's JSHostPromiseRejectionTracker. */
export type RejectionTracker = (context: number, promise: bigint, reason: bigint, handled: number, opaque: number) => void

/** The same module with its (only) table exported as `tableExport`. */
export function withTableExport(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < wasm.length;) {
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
  throw new Error('the engine\'s .wasm has no export section')
}

/** Puts `tracker` at `slot`, the first one behind the table's end. */
export function addTracker(table: WebAssembly.Table, slot: number, tracker: RejectionTracker): void {
  if (table.length !== slot) throw new Error(`the engine's function table has ${table.length} slots, expected ${slot}`)
  table.grow(1)
  const { exports } = new WebAssembly.Instance(adapter(), { '': { f: tracker } })
  table.set(slot, exports.f)
}

/** A table takes only WebAssembly functions: this module imports `f` and exports it again. */
function adapter(): WebAssembly.Module {
  const section = (id: number, content: number[]) => [id, content.length, ...content]
  return new WebAssembly.Module(Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 5, i32, i64, i64, i32, i32, 0]), // one type: (i32, i64, i64, i32, i32) -> ()
    ...section(2, [1, 0, 1, 0x66, 0, 0]), // import "" "f", a function of type 0
    ...section(exportSection, [1, 1, 0x66, 0, 0]), // export "f", function 0
  ]))
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
  return value < 128 ? [value] : [value & 127 | 128, ...leb(value >>> 7)]
}
