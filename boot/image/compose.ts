/** Joins kernel and snapshot to the file that Xen boots, and reads such files again. */
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import manifest from '../package.json' with { type: 'json' }
import { type CodePart, linkCode } from './code.ts'
import { ElfError, type ElfFile, readElf, readNotes, type Segment, segmentFlag, segmentType, writeElf, writeNote } from './elf.ts'
import { ImageError } from './error.ts'
import { pageSize, type Snapshot, stamp, writeSnapshot } from './format.ts'
import { addressesOf, readSymbols } from './sections.ts'
import { leastMemory, sizesOf } from './sizes.ts'

export { ImageError } from './error.ts'

/** What an image says of itself, as JSON in a note. */
export interface ImageMetadata {
  readonly name: string
  /** qubes or xen. */
  readonly target: string
  readonly version?: string
  /** Whatever else the tool wants to keep, such as the program's arguments. */
  readonly [key: string]: unknown
}

/** What the composer adds. */
export interface ImageFacts {
  /** 16 hex digits: the kernel's greeting shows them. */
  readonly buildId: string
  /** Least memory of the domain in MiB, an estimate. */
  readonly memoryMiB: number
  readonly engine: string
}

export interface ComposedImage {
  readonly image: Uint8Array
  /** Bytes of the image by part; they sum up to its length. */
  readonly sizes: Record<string, number>
  /** Hex. */
  readonly sha256: string
  readonly buildId: string
  readonly memoryMiB: number
}

const noteName = 'xen-ts'
const noteType = { kernel: 1, metadata: 2 }
const kernelBase = 0xffffffff80000000n
/** No kernel ends above this: 1 GiB is what the kernel's address space maps of the image. */
const kernelMost = 0x40000000n
/** u64 address and length of the snapshot, then of the code. */
const slotBytes = 32
const rebuild = 'build it again with `make kernel`'
/** Of xen-ts itself, for the kernel's greeting. */
const { version } = manifest

export interface ImageParts {
  /** The bytes of kernel.elf. */
  readonly kernel: Uint8Array
  readonly snapshot: Snapshot
  readonly metadata: ImageMetadata
  /** Code of the image's own, which lies between the kernel and the snapshot. */
  readonly code?: readonly CodePart[]
}

/** Throws an ImageError when the parts do not belong together. */
export function composeImage({ kernel, snapshot, metadata: given, code: parts = [] }: ImageParts): ComposedImage {
  const elf = readKernel(kernel)
  const facts = kernelNote(elf)
  if (facts.abiHash !== snapshot.abiHash) {
    const hex = (value: number) => value.toString(16).padStart(8, '0')
    throw new ImageError(
      `the kernel was built for another ABI (${hex(facts.abiHash)}) than this xen-ts has (${hex(snapshot.abiHash)}): ${rebuild}`,
    )
  }
  const code = parts.length > 0 ? linkCode(parts, kernelBase + BigInt(facts.end), addressesOf(readSymbols(elf.sections))) : new Uint8Array()
  const start = facts.end + Math.ceil(code.length / pageSize) * pageSize
  if (start > kernelMost)
    throw new ImageError(`the image's code has ${code.length} bytes, more than there are addresses for: leave some out`)
  const segment = writeSnapshot(snapshot, { buildId: '', version })
  const buildId = sha256(kernel, code, segment).slice(0, 16)
  stamp(segment, buildId)
  const memoryMiB = leastMemory(start, segment.length)
  const metadata: ImageMetadata & ImageFacts = { ...given, buildId, memoryMiB, engine: snapshot.engine }
  const descriptor = new TextEncoder().encode(JSON.stringify(metadata))
  const note = writeNote({ name: noteName, type: noteType.metadata, descriptor })
  const holder = elf.segments.find(part => part.type === segmentType.load && holds(part, facts.slot))
  if (!holder) throw new ImageError(`the kernel's image slot is in none of its segments: ${rebuild}`)
  const places = [start, segment.length, ...(code.length > 0 ? [facts.end, code.length] : [0, 0])]
  const filled = fillSlot(holder, facts.slot, places)
  const load = (address: number, flags: number, bytes: Uint8Array) => ({
    type: segmentType.load,
    flags,
    physicalAddress: BigInt(address),
    virtualAddress: kernelBase + BigInt(address),
    bytes,
    memorySize: bytes.length,
    align: pageSize,
  })
  const image = writeElf(elf.entry, [
    ...elf.segments.map(part => (part === holder ? filled : part)),
    ...(code.length > 0 ? [load(facts.end, segmentFlag.read | segmentFlag.execute, code)] : []),
    load(start, segmentFlag.read | segmentFlag.write, segment),
    {
      type: segmentType.note,
      flags: segmentFlag.read,
      physicalAddress: 0n,
      virtualAddress: 0n,
      bytes: note,
      memorySize: note.length,
      align: 4,
    },
  ])
  return { image, sizes: sizesOf(elf, snapshot, code.length, image.length), sha256: sha256(image), buildId, memoryMiB }
}

export interface ImageInfo {
  readonly metadata: ImageMetadata & ImageFacts
  readonly segments: readonly Segment[]
}

/** Metadata and segments of a `.xen` file, plain or gzipped. Throws an ImageError for any other file. */
export function readImage(file: Uint8Array): ImageInfo {
  const elf = asImageError(() => readElf(unzip(file), 'the file'), 'is it a .xen file? `xen-ts build` makes them')
  const notes = asImageError(() => readNotes(elf, 'the file'), 'build it again')
  const note = notes.find(({ name, type }) => name === noteName && type === noteType.metadata)
  if (!note) throw new ImageError('the file is an ELF executable without the note of a .xen file: `xen-ts build` makes .xen files')
  try {
    return { metadata: JSON.parse(new TextDecoder().decode(note.descriptor)), segments: elf.segments }
  } catch {
    throw new ImageError("the file's note is not JSON: build it again")
  }
}

function unzip(file: Uint8Array): Uint8Array {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file
  try {
    return gunzipSync(file)
  } catch (error) {
    throw new ElfError(`the file is not whole: ${(error as Error).message}`)
  }
}

function asImageError<T>(work: () => T, todo: string): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ElfError) throw new ImageError(`${error.message}: ${todo}`)
    throw error
  }
}

function readKernel(kernel: Uint8Array): ElfFile {
  return asImageError(() => readElf(kernel, 'the kernel'), rebuild)
}

/** The kernel's own note: u32 version, u32 ABI hash, u64 physical address of image_slot, u64 physical end of the kernel. */
function kernelNote(elf: ElfFile): { abiHash: number; slot: bigint; end: number } {
  const wrong = (why: string): never => {
    throw new ImageError(`the kernel ${why}: ${rebuild}`)
  }
  const notes = asImageError(() => readNotes(elf, 'the kernel'), rebuild)
  const note =
    notes.find(({ name, type }) => name === noteName && type === noteType.kernel) ??
    wrong('has no xen-ts note, it is not a kernel of xen-ts')
  if (note.descriptor.length !== 24) wrong(`has a note of ${note.descriptor.length} bytes, not 24`)
  const view = new DataView(note.descriptor.buffer, note.descriptor.byteOffset, 24)
  if (view.getUint32(0, true) !== 2) wrong(`has a note of version ${view.getUint32(0, true)}, not 2`)
  const end = view.getBigUint64(16, true)
  const used = elf.segments.filter(({ type }) => type === segmentType.load).map(part => part.physicalAddress + BigInt(part.memorySize))
  if (end % BigInt(pageSize) !== 0n || end > kernelMost || used.some(segmentEnd => segmentEnd > end))
    wrong(`says that it ends at 0x${end.toString(16)}, which cannot be`)
  return { abiHash: view.getUint32(4, true), slot: view.getBigUint64(8, true), end: Number(end) }
}

function sha256(...parts: Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

const holds = (part: Segment, address: bigint) =>
  address >= part.physicalAddress && address < part.physicalAddress + BigInt(part.memorySize)

/** The segment with the places of snapshot and code written into image_slot. */
function fillSlot(part: Segment, slot: bigint, places: readonly number[]): Segment {
  const start = Number(slot - part.physicalAddress)
  if (start + slotBytes > part.bytes.length) throw new ImageError(`the kernel's image slot has no bytes in the file: ${rebuild}`)
  const bytes = Uint8Array.from(part.bytes) // slice() of a Buffer would share its memory
  if (bytes.subarray(start, start + slotBytes).some(byte => byte !== 0))
    throw new ImageError(`the kernel's image slot is not empty: ${rebuild}`)
  const view = new DataView(bytes.buffer)
  places.forEach((place, i) => view.setBigUint64(start + 8 * i, BigInt(place), true))
  return { ...part, bytes }
}
