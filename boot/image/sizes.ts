/** Where the bytes of an image go, and how much memory it takes. */
import { type ElfFile, segmentFlag, segmentType } from './elf.ts'
import { pageSize, type Snapshot } from './format.ts'

const MiB = 1 << 20

/** Bytes of the image by part. They sum up to `total`. @param code bytes of the image's own code, a row where there is some */
export function sizesOf(kernel: ElfFile, snapshot: Snapshot, code: number, total: number): Record<string, number> {
  const loaded = (execute: boolean) =>
    kernel.segments
      .filter(({ type, flags }) => type === segmentType.load && Boolean(flags & segmentFlag.execute) === execute)
      .reduce((sum, { bytes }) => sum + bytes.length, 0)
  const engineText = kernel.sections.filter(({ name }) => name.startsWith('.text.engine')).reduce((sum, { size }) => sum + size, 0)
  const staticPages = snapshot.pages.filter(({ number }) => number * pageSize < snapshot.dataEnd).length
  const heapBytes = (snapshot.pages.length - staticPages) * pageSize
  const engineHeap = Math.min(heapBytes, snapshot.engineHeapBytes)
  const parts = {
    'kernel text': loaded(true) - engineText,
    'engine text': engineText,
    ...(code > 0 && { 'compiled code': code }),
    'kernel and engine data': loaded(false),
    'engine static data': staticPages * pageSize,
    'engine built-ins': engineHeap,
    heap: heapBytes - engineHeap,
  }
  const counted = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)
  return { ...parts, 'headers and padding': total - counted }
}

/** Where the kernel is loaded; memory below is free once it runs. */
const kernelStart = 1 * MiB
/** For what Xen's loader puts behind the image: start_info, its module list, the boot page tables. */
const loaderMargin = 256 << 10
/** Kernel's page tables, native and linear stack, event handling, what a small program allocates. Hello was seen to run with it. */
const working = 640 << 10

/**
 * Estimate of the least memory of a domain that can start this, in MiB: the loader must find room for the image, and the running
 * program for its heap, which grows by half before the engine collects garbage. What a program allocates beyond (network
 * buffers, data) comes on top.
 * @param kernelEnd physical address of the kernel's end
 */
export function leastMemory(kernelEnd: number, snapshotBytes: number): number {
  const loading = kernelEnd + snapshotBytes + loaderMargin
  const running = kernelEnd - kernelStart + 1.5 * snapshotBytes + working
  return Math.ceil(Math.max(loading, running) / MiB)
}
