/** Reads and writes ELF executables for x86-64 (System V gABI, "Object Files" and "Program Loading"): program headers and notes. */
import { readSections, type Section } from './sections.ts'

export const segmentType = { load: 1, note: 4 } as const
export const segmentFlag = { execute: 1, write: 2, read: 4 } as const

export interface Segment {
  readonly type: number
  readonly flags: number
  readonly virtualAddress: bigint
  readonly physicalAddress: bigint
  /** Place of its bytes in the file. */
  readonly offset: number
  readonly bytes: Uint8Array
  readonly memorySize: number
  readonly align: number
}

export interface ElfFile {
  readonly entry: bigint
  readonly segments: readonly Segment[]
  /** Empty when the file is stripped of them. */
  readonly sections: readonly Section[]
}

export interface Note {
  readonly name: string
  readonly type: number
  readonly descriptor: Uint8Array
}

export class ElfError extends Error {
  override name = 'ElfError'
}

const headerBytes = 64
const programHeaderBytes = 56
const sectionHeaderBytes = 64
const fileType = { object: 1, executable: 2 } as const // ET_REL, ET_EXEC
const x86_64 = 62 // EM_X86_64

/** Reads an ELF64 executable for x86-64. Throws an ElfError that begins with `what`. */
export function readElf(file: Uint8Array, what: string): ElfFile {
  const { view, u64, place, refuse } = open(file, what, 'executable')
  const programHeaders = view.getUint16(56, true)
  if (programHeaders > 0 && view.getUint16(54, true) !== programHeaderBytes) refuse('has program headers of an unknown size')
  const table = place(32, programHeaders * programHeaderBytes, 'program header table')
  const segments = Array.from({ length: programHeaders }, (_, i): Segment => {
    const at = table + i * programHeaderBytes
    const fileSize = place(at + 32, 0, `segment ${i}`),
      memorySize = u64(at + 40)
    const offset = place(at + 8, fileSize, `segment ${i}`)
    if (memorySize < BigInt(fileSize) || memorySize > 0xffffffffn) refuse(`has a segment ${i} of an impossible size`)
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      virtualAddress: u64(at + 16),
      physicalAddress: u64(at + 24),
      offset,
      bytes: file.subarray(offset, offset + fileSize),
      memorySize: Number(memorySize),
      align: Number(u64(at + 48)),
    }
  })
  return { entry: u64(24), segments, sections: readSections(file, place) }
}

/** The sections of an ELF64 object for x86-64, as a compiler makes it. Throws an ElfError that begins with `what`. */
export function readObject(file: Uint8Array, what: string): Section[] {
  return readSections(file, open(file, what, 'object').place)
}

function open(file: Uint8Array, what: string, type: keyof typeof fileType) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const refuse = (why: string): never => {
    throw new ElfError(`${what} ${why}`)
  }
  if (file.length < headerBytes || view.getUint32(0, false) !== 0x7f454c46) refuse('is not an ELF file')
  if (file[4] !== 2 || file[5] !== 1) refuse('is not a 64-bit little-endian ELF file')
  if (view.getUint16(16, true) !== fileType[type] || view.getUint16(18, true) !== x86_64) refuse(`is not an ${type} for x86-64`)
  const u64 = (at: number) => view.getBigUint64(at, true)
  /** A file offset or size: checked to be inside of the file, so it is a safe number. */
  const place = (at: number, length: number, part: string): number => {
    const value = at + 8 <= file.length ? u64(at) : 0xffffffffffffffffn
    if (!Number.isSafeInteger(length) || value + BigInt(length) > BigInt(file.length)) refuse(`is cut off: its ${part} is not all there`)
    return Number(value)
  }
  return { view, u64, place, refuse }
}

/** The notes of all note segments. Names and descriptors are padded to 4 bytes each. */
export function readNotes(elf: ElfFile, what: string): Note[] {
  const notes: Note[] = []
  for (const { type, bytes } of elf.segments) {
    if (type !== segmentType.note) continue
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 12 <= bytes.length; ) {
      const nameBytes = view.getUint32(at, true),
        descriptorBytes = view.getUint32(at + 4, true)
      const name = at + 12,
        descriptor = name + pad4(nameBytes),
        next = descriptor + pad4(descriptorBytes)
      if (descriptor + descriptorBytes > bytes.length) throw new ElfError(`${what} has a note that is cut off`)
      notes.push({
        name: Buffer.from(bytes.subarray(name, name + Math.max(0, nameBytes - 1))).toString(),
        type: view.getUint32(at + 8, true),
        descriptor: bytes.subarray(descriptor, descriptor + descriptorBytes),
      })
      at = next
    }
  }
  return notes
}

export function writeNote(note: Note): Uint8Array {
  const name = new TextEncoder().encode(`${note.name}\0`)
  const bytes = new Uint8Array(12 + pad4(name.length) + pad4(note.descriptor.length))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, name.length, true)
  view.setUint32(4, note.descriptor.length, true)
  view.setUint32(8, note.type, true)
  bytes.set(name, 12)
  bytes.set(note.descriptor, 12 + pad4(name.length))
  return bytes
}

const pad4 = (length: number) => Math.ceil(length / 4) * 4

/**
 * Writes an executable with just these segments, in this order. Bytes of a PT_LOAD lie at a file offset that is congruent to their
 * address modulo the alignment; a note segment whose bytes are part of a PT_LOAD given before it is not written twice.
 */
export function writeElf(entry: bigint, segments: readonly Omit<Segment, 'offset'>[]): Uint8Array {
  let end = headerBytes + segments.length * programHeaderBytes
  const offsets: number[] = []
  for (const segment of segments) {
    const holder =
      segment.type === segmentType.note ? segments.findIndex(other => other.type === segmentType.load && contains(other, segment)) : -1
    if (holder >= 0) {
      offsets.push(offsets[holder] + Number(segment.virtualAddress - segments[holder].virtualAddress))
      continue
    }
    const align = Math.max(segment.align, 1)
    const wanted = Number(segment.virtualAddress % BigInt(align))
    const offset = end + ((wanted - (end % align) + align) % align)
    offsets.push(offset)
    end = offset + segment.bytes.length
  }

  const file = new Uint8Array(end)
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // ELF, 64 bits, little-endian, version 1
  view.setUint16(16, fileType.executable, true)
  view.setUint16(18, x86_64, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, entry, true)
  view.setBigUint64(32, BigInt(headerBytes), true)
  view.setUint16(52, headerBytes, true)
  view.setUint16(54, programHeaderBytes, true)
  view.setUint16(56, segments.length, true)
  view.setUint16(58, sectionHeaderBytes, true)
  segments.forEach((segment, i) => {
    const at = headerBytes + i * programHeaderBytes
    view.setUint32(at, segment.type, true)
    view.setUint32(at + 4, segment.flags, true)
    const words = [offsets[i], segment.virtualAddress, segment.physicalAddress, segment.bytes.length, segment.memorySize, segment.align]
    words.forEach((word, k) => view.setBigUint64(at + 8 + 8 * k, BigInt(word), true))
    file.set(segment.bytes, offsets[i])
  })
  return file
}

/** Whether the bytes of `inner` are those of `outer` at its address. */
function contains(outer: Omit<Segment, 'offset'>, inner: Omit<Segment, 'offset'>): boolean {
  const start = inner.virtualAddress - outer.virtualAddress
  if (start < 0n || start + BigInt(inner.bytes.length) > BigInt(outer.bytes.length)) return false
  return Buffer.compare(outer.bytes.subarray(Number(start), Number(start) + inner.bytes.length), inner.bytes) === 0
}
