/**
 * Machine code of an image's own: parts that were compiled with the program are laid out behind the kernel, in pages that can be read and
 * executed and are never writable, and what they refer to (each other, and symbols of the kernel) is resolved. Before the parts
 * stands a header for the kernel (struct code in boot/kernel/kernel.h).
 */
import { ImageError } from './error.ts'

/** Whose table a part is: the kernel finds it through the header. The order is that of `enum` code_table in kernel.h. */
export const codeTables = ['wasm', 'bodies'] as const
export type CodeTable = (typeof codeTables)[number]

export interface Relocation {
  /** Where in the part's bytes. */
  readonly offset: number
  /**
   * pc32: 4 bytes, the distance from there; abs32: 4 bytes, which the processor extends with their sign; abs64: 8 bytes. (R_X86_64_PC32, _32S and
   * _64 of the x86-64 psABI.)
   */
  readonly kind: 'pc32' | 'abs32' | 'abs64'
  /** A symbol of the kernel, or a place in a part. */
  readonly target: string | { readonly part: string; readonly offset: number }
  readonly addend: number
}

export interface CodePart {
  /** Unique, and shown when the kernel reports a trap in it. */
  readonly name: string
  /** Instructions and constants. */
  readonly bytes: Uint8Array
  /** A power of two, at most a page. */
  readonly align: number
  readonly relocations: readonly Relocation[]
  /** The part is the table of this user. */
  readonly table?: CodeTable
}

/** "XTSC" */
const magic = 0x43535458
/** There is room for four tables. */
const header = { magic: 0, parts: 4, tables: 8, list: 40 } as const
const entryBytes = 8
const pageSize = 4096

/**
 * The bytes of the segment, the same for the same parts. Throws an ImageError that names the part and what is wrong with it.
 * @param base address at which it will be linked
 * @param symbols addresses of the kernel's
 */
export function linkCode(parts: readonly CodePart[], base: bigint, symbols: ReadonlyMap<string, bigint>): Uint8Array {
  const { places, names, size } = layOut(parts)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(header.magic, magic, true)
  view.setUint32(header.parts, parts.length, true)
  parts.forEach((part, i) => {
    const place = places.get(part.name)!
    if (part.table) view.setBigUint64(header.tables + 8 * codeTables.indexOf(part.table), base + BigInt(place), true)
    view.setUint32(header.list + i * entryBytes, place, true)
    view.setUint32(header.list + i * entryBytes + 4, names[i].at, true)
    bytes.set(names[i].bytes, names[i].at)
    bytes.set(part.bytes, place)
  })
  const targets: Targets = { base, places, symbols, sizes: new Map(parts.map(part => [part.name, part.bytes.length])) }
  for (const part of parts) for (const relocation of part.relocations) relocate(view, part, relocation, targets)
  return bytes
}

/** Header, names, then the parts in their order. */
function layOut(parts: readonly CodePart[]) {
  const places = new Map<string, number>()
  let end = header.list + parts.length * entryBytes
  const names = parts.map(({ name }) => {
    const bytes = new TextEncoder().encode(`${name}\0`)
    const at = end
    end += bytes.length
    return { at, bytes }
  })
  const tables = new Set<CodeTable>()
  for (const { name, align, bytes, table } of parts) {
    if (places.has(name)) throw new ImageError(`two parts of the image's code are called ${name}: give them names of their own`)
    if (!(align >= 1 && align <= pageSize && Number.isInteger(Math.log2(align))))
      throw new ImageError(`${name}, a part of the image's code, has the alignment ${align}: it must be a power of two up to ${pageSize}`)
    if (table && tables.has(table)) throw new ImageError(`${name} is a second table "${table}" in the image's code: there can be one`)
    if (table) tables.add(table)
    const place = Math.ceil(end / align) * align
    places.set(name, place)
    end = place + bytes.length
  }
  return { places, names, size: end }
}

interface Targets {
  readonly base: bigint
  readonly places: ReadonlyMap<string, number>
  readonly sizes: ReadonlyMap<string, number>
  readonly symbols: ReadonlyMap<string, bigint>
}

function relocate(view: DataView, part: CodePart, { offset, kind, target, addend }: Relocation, targets: Targets): void {
  const wrong = (why: string): never => {
    throw new ImageError(`${part.name}, a part of the image's code, refers at ${offset} to ${shown(target)}, ${why}: compile it again`)
  }
  const width = kind === 'abs64' ? 8 : 4
  if (!Number.isInteger(offset) || offset < 0 || offset + width > part.bytes.length) wrong('from outside of itself')
  const at = targets.places.get(part.name)! + offset
  const address = (addressOf(target, targets) ?? wrong('which does not exist')) + BigInt(addend)
  if (kind === 'abs64') return view.setBigUint64(at, BigInt.asUintN(64, address), true)
  const value = BigInt.asIntN(64, kind === 'pc32' ? address - targets.base - BigInt(at) : address)
  if (value !== BigInt.asIntN(32, value)) wrong(`which is out of reach (${kind})`)
  view.setInt32(at, Number(value), true)
}

function addressOf(target: Relocation['target'], { base, places, sizes, symbols }: Targets): bigint | undefined {
  if (typeof target === 'string') return symbols.get(target)
  const place = places.get(target.part)
  if (place === undefined || !(target.offset >= 0 && target.offset <= sizes.get(target.part)!)) return undefined
  return base + BigInt(place + target.offset)
}

const shown = (target: Relocation['target']) => (typeof target === 'string' ? target : `${target.part} + ${target.offset}`)
