/** Sections of an ELF file and the symbols in them (System V gABI, "Sections" and "Symbol Table"). */

export const sectionType = { symbols: 2, rela: 4, noBits: 8 } as const
export const sectionFlag = { write: 1, allocate: 2 } as const

export interface Section {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly address: bigint
  readonly size: number
  /** Empty for what has no bytes in the file. */
  readonly bytes: Uint8Array
  /** Of symbols: the section with their names. Of relocations: the section with their symbols. */
  readonly link: number
  /** Of relocations: the section that they change. */
  readonly info: number
  readonly align: number
}

export interface Symbol {
  readonly name: string
  readonly kind: number
  readonly isGlobal: boolean
  /** Index of its section; 0 when it is defined elsewhere, 0xfff1 when it is a number. */
  readonly section: number
  /** An address; in an object file, an offset in its section. */
  readonly value: bigint
}

const headerBytes = 64
const symbolBytes = 24

/** @param place gives a checked offset or size in the file, which stands at `at` */
export function readSections(file: Uint8Array, place: (at: number, length: number, part: string) => number): Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const count = view.getUint16(60, true)
  if (count === 0) return []
  const table = place(40, count * headerBytes, 'section header table')
  const at = (index: number) => table + index * headerBytes
  const names = place(at(Math.min(view.getUint16(62, true), count - 1)) + 24, 0, 'section name table')
  return Array.from({ length: count }, (_, i): Section => {
    const type = view.getUint32(at(i) + 4, true)
    const size = Number(view.getBigUint64(at(i) + 32, true))
    const hasBytes = type !== 0 && type !== sectionType.noBits
    const offset = hasBytes ? place(at(i) + 24, size, `section ${i}`) : 0
    return {
      name: textAt(file, names + view.getUint32(at(i), true)),
      type,
      flags: Number(view.getBigUint64(at(i) + 8, true)),
      address: view.getBigUint64(at(i) + 16, true),
      size,
      bytes: hasBytes ? file.subarray(offset, offset + size) : new Uint8Array(),
      link: view.getUint32(at(i) + 40, true),
      info: view.getUint32(at(i) + 44, true),
      align: Number(view.getBigUint64(at(i) + 48, true)),
    }
  })
}

/** All symbols in their order, by which relocations name them; empty when the file is stripped. */
export function readSymbols(sections: readonly Section[]): Symbol[] {
  const table = sections.find(({ type }) => type === sectionType.symbols)
  if (!table) return []
  const names = sections[table.link]?.bytes ?? new Uint8Array()
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength)
  return Array.from({ length: Math.floor(table.bytes.length / symbolBytes) }, (_, i): Symbol => {
    const at = i * symbolBytes
    const info = view.getUint8(at + 4)
    return {
      name: textAt(names, view.getUint32(at, true)),
      kind: info & 15,
      isGlobal: info >> 4 !== 0,
      section: view.getUint16(at + 6, true),
      value: view.getBigUint64(at + 8, true),
    }
  })
}

/** By name. What several local symbols are called is left out: nobody could tell which is meant. A global one has its name for itself. */
export function addressesOf(symbols: readonly Pick<Symbol, 'name' | 'value' | 'isGlobal' | 'section'>[]): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint | undefined>()
  const defined = symbols.filter(({ name, section }) => name !== '' && section !== 0)
  for (const { name, value, isGlobal } of defined) if (!isGlobal) found.set(name, found.has(name) ? undefined : value)
  for (const { name, value, isGlobal } of defined) if (isGlobal) found.set(name, value)
  return new Map([...found].filter((entry): entry is [string, bigint] => entry[1] !== undefined))
}

function textAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start)
  return Buffer.from(bytes.subarray(start, end < 0 ? bytes.length : end)).toString()
}
