/** Where the bytes of an image go, and how much memory it takes. */
import { segmentFlag, segmentType, type ElfFile } from './elf.ts'
import { pageSize, type Snapshot } from './format.ts'

const MiB = 1 << 20

/** Bytes of the image by part. They sum up to `total`. */
export function sizesOf(kernel: ElfFile, snapshot: Snapshot, total: number): Record<string, number> {
  const loaded = (execute: boolean) => kernel.segments
    .filter(({ type, flags }) => type === segmentType.load && Boolean(flags & segmentFlag.execute) === execute)
    .reduce((sum, { bytes }) => sum + bytes.length, 0)
  const engineText = kernel.sections.filter(({ name }) => name.startsWith('.text.engine')).reduce((sum, { size }) => sum + size, 0)
  const staticPages = snapshot.pages.filter(({ number }) => number * pageSize < snapshot.dataEnd).length
  const heapBytes = (snapshot.pages.length - staticPages) * pageSize
  const engineHeap = Math.min(heapBytes, snapshot.engineHeapBytes)
  const parts = {
    'kernel text': loaded(true) - engineText,
    'engine text': engineText,
    'kernel and engine data': loaded(false),
    'engine static data': staticPages * pageSize,
    'engine built-ins': engineHeap,
    heap: heapBytes - engineHeap,
  }
  const counted = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)
  return { ...parts, 'headers and padding': total - counted }
}

/**
 * Estimate of the least memory of a domain that can start this, in MiB: what the loader puts into memory (from address 0 on; the
 * kernel starts at 1 MiB), page tables, and room for stacks, event handling and the first allocations of the engine.
 * @param kernelEnd physical address of the kernel's end
 */
export function leastMemory(kernelEnd: number, snapshotBytes: number): number {
  const working = 1 * MiB
  const loaded = kernelEnd + snapshotBytes
  // Every 4 KiB page is mapped twice at most (direct map; text or linear memory), with 8 bytes each time.
  const tables = 2 * 8 * (loaded + working) / pageSize + 16 * pageSize
  return Math.ceil((loaded + working + tables) / MiB)
}
