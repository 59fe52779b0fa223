/** The snapshot segment as it lies in the image: written here, read by the kernel (boot/kernel). */
import type { EngineLayout } from '../engine/layout.ts'
import type { EngineState } from '../node/create.ts'

export const pageSize = 4096
const magic = 0x49535458 // "XTSI"

/** Of the header's fields: u32, except two u64 and four texts. Little-endian. The kernel's side: struct snapshot in boot/kernel/js.h. */
export const offsets = {
  magic: 0,
  abiHash: 4,
  headerBytes: 8,
  pageCount: 12,
  memoryPages: 16,
  stackPointer: 20,
  runtime: 24,
  context: 28,
  turn: 32,
  fail: 36,
  float64Addend: 40,
  undefinedValue: 48,
  classId: 56,
  uint8ArrayClass: 60,
  arrayData: 64,
  arrayLength: 68,
  bufferRecord: 72,
  bufferFree: 76,
  stringLength: 80,
  randomState: 84,
  stackLimit: 88,
  program: 96,
  buildId: 160,
  engine: 192,
  version: 224,
  pageNumbers: 256,
} as const

/** A page of linear memory: its number and its 4096 bytes. */
export interface Page {
  readonly number: number
  readonly content: Uint8Array
}

export interface Snapshot extends EngineState {
  readonly abiHash: number
  /** JSValue* of the bundle's two functions. */
  readonly turn: number
  readonly fail: number
  readonly layout: EngineLayout
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

/** Writes the build id into a segment that was written without one. @param buildId at most 31 letters of ASCII */
export function stamp(segment: Uint8Array, buildId: string): void {
  segment.set(new TextEncoder().encode(buildId), offsets.buildId)
}

/** The segment's bytes: a header in whole pages, then the content of the pages. */
export function writeSnapshot(snapshot: Snapshot, stamp: Stamp): Uint8Array {
  const { layout, pages } = snapshot
  const headerBytes = Math.ceil((offsets.pageNumbers + 4 * pages.length) / pageSize) * pageSize
  const bytes = new Uint8Array(headerBytes + pages.length * pageSize)
  const view = new DataView(bytes.buffer)
  const numbers: Partial<Record<keyof typeof offsets, number>> = {
    magic,
    headerBytes,
    pageCount: pages.length,
    abiHash: snapshot.abiHash,
    memoryPages: snapshot.memoryPages,
    stackPointer: snapshot.stackPointer,
    runtime: snapshot.runtime,
    context: snapshot.context,
    turn: snapshot.turn,
    fail: snapshot.fail,
    classId: layout.classId,
    uint8ArrayClass: layout.uint8ArrayClass,
    arrayData: layout.arrayData,
    arrayLength: layout.arrayLength,
    bufferRecord: layout.bufferRecord,
    bufferFree: layout.bufferFree,
    stringLength: layout.stringLength,
    randomState: layout.randomState, // an offset in JSContext
    stackLimit: layout.stackLimit, // an offset in JSRuntime
  }
  for (const [field, value] of Object.entries(numbers)) view.setUint32(offsets[field as keyof typeof offsets], value, true)
  view.setBigUint64(offsets.float64Addend, layout.float64Addend, true)
  view.setBigUint64(offsets.undefinedValue, layout.undefinedValue, true)
  const text = (field: 'program' | 'buildId' | 'engine' | 'version', room: number, value: string) => {
    const encoded = new TextEncoder().encode(value)
    if (encoded.length >= room) throw new RangeError(`the image's field ${field} has no room for "${value}": at most ${room - 1} bytes`)
    bytes.set(encoded, offsets[field])
  }
  text('program', 64, snapshot.program)
  text('buildId', 32, stamp.buildId)
  text('engine', 32, snapshot.engine)
  text('version', 32, stamp.version)
  pages.forEach((page, i) => {
    view.setUint32(offsets.pageNumbers + 4 * i, page.number, true)
    bytes.set(page.content, headerBytes + i * pageSize)
  })
  return bytes
}
