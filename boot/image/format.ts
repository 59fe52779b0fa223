/** The snapshot segment as it lies in the image: written here, read by the kernel (boot/kernel) and by readSnapshot. */
import type { EngineLayout } from '../engine/layout.ts'
import type { EngineState } from '../node/engine.ts'

export const pageSize = 4096
const magic = 0x49535458 // "XTSI"
const fixedBytes = 256

/** A page of linear memory: its number and its 4096 bytes. */
export interface Page { readonly number: number, readonly content: Uint8Array }

export interface Snapshot extends EngineState {
  readonly abiHash: number
  /** JSValue* of the bundle's two functions. */
  readonly turn: number
  readonly fail: number
  readonly layout: EngineLayout
  readonly nativeStackBytes: number
  /** Name of the program. */
  readonly program: string
  /** Such as "QuickJS 2025-09-13". */
  readonly engine: string
  /** The pages that are not zero, in ascending order. */
  readonly pages: readonly Page[]
  /** Address where the engine's static data ends. */
  readonly dataEnd: number
  /** Of the heap: what a context takes before the bundle is evaluated. */
  readonly engineHeapBytes: number
}

export interface Stamp {
  readonly buildId: string
  readonly version: string
}

/** The segment's bytes: a header in whole pages, then the content of the pages. */
export function writeSnapshot(snapshot: Snapshot, stamp: Stamp): Uint8Array {
  const { layout, pages } = snapshot
  const headerBytes = Math.ceil((fixedBytes + 4 * pages.length) / pageSize) * pageSize
  const bytes = new Uint8Array(headerBytes + pages.length * pageSize)
  const view = new DataView(bytes.buffer)
  const u32 = (offset: number, ...values: number[]) => values.forEach((value, i) => view.setUint32(offset + 4 * i, value, true))
  u32(0, magic, snapshot.abiHash, headerBytes, pages.length, snapshot.memoryPages, snapshot.stackPointer, snapshot.runtime, snapshot.context,
    snapshot.turn, snapshot.fail)
  view.setBigUint64(40, layout.float64Addend, true)
  view.setBigUint64(48, layout.undefinedValue, true)
  u32(56, layout.classId, layout.uint8ArrayClass, layout.arrayData, layout.arrayLength, layout.bufferRecord, layout.bufferFree,
    layout.stringLength, snapshot.context + layout.randomState, snapshot.nativeStackBytes, 0)
  const text = (offset: number, room: number, what: string, value: string) => {
    const encoded = new TextEncoder().encode(value)
    if (encoded.length >= room) throw new RangeError(`the ${what} "${value}" is longer than ${room - 1} bytes`)
    bytes.set(encoded, offset)
  }
  text(96, 64, 'program name', snapshot.program)
  text(160, 32, 'build id', stamp.buildId)
  text(192, 32, 'engine version', snapshot.engine)
  text(224, 32, 'xen-ts version', stamp.version)
  pages.forEach((page, i) => {
    u32(fixedBytes + 4 * i, page.number)
    bytes.set(page.content, headerBytes + i * pageSize)
  })
  return bytes
}
