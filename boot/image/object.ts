/** An object file of a compiler as a part of an image's code: its instructions and constants, one behind the other. */
import type { CodePart, Relocation } from './code.ts'
import { readObject } from './elf.ts'
import { ImageError } from './error.ts'
import { readSymbols, type Section, type Symbol, sectionFlag, sectionType } from './sections.ts'

export interface ObjectCode extends CodePart {
  /** Where the object's global symbols are in the part. */
  readonly symbols: ReadonlyMap<string, number>
}

/** x86-64 psABI, "Relocation Types". A PLT32 of code that is linked at once is a PC32. */
const kinds: Readonly<Record<number, Relocation['kind']>> = { 1: 'abs64', 2: 'pc32', 4: 'pc32', 11: 'abs32' }
const relaBytes = 24
/** Indices from here on mean something else than a section. */
const reserved = 0xff00

/** Throws an ImageError, or an ElfError, that begins with `name`, when the object has something that an image's code cannot have. */
export function codeOfObject(file: Uint8Array, name: string): ObjectCode {
  const refuse = (why: string): never => {
    throw new ImageError(`${name} ${why}`)
  }
  const sections = readObject(file, name)
  const symbols = readSymbols(sections)
  const places = new Map<number, number>()
  let size = 0
  sections.forEach((section, i) => {
    if (!isLoaded(section)) return
    if (section.flags & sectionFlag.write) refuse(`has data that changes (${section.name}): code of an image has constants only`)
    places.set(i, Math.ceil(size / section.align) * section.align)
    size = places.get(i)! + section.size
  })
  const bytes = new Uint8Array(size)
  for (const [i, place] of places) bytes.set(sections[i].bytes, place)
  const target = (symbol: Symbol): Relocation['target'] => {
    if (symbol.section === 0) return symbol.name
    const place = places.get(symbol.section)
    if (place === undefined || symbol.section >= reserved) return refuse(`refers to ${symbol.name || 'a section'}, which is not loaded`)
    return { part: name, offset: place + Number(symbol.value) }
  }
  const relocations = sections.flatMap(section => {
    const place = section.type === sectionType.rela ? places.get(section.info) : undefined
    if (place === undefined) return []
    return readRela(section).map(({ offset, type, symbol, addend }): Relocation => {
      const kind = kinds[type] ?? refuse(`has a relocation of type ${type}: compile it with -mcmodel=kernel -fno-pic`)
      return { offset: place + offset, kind, target: target(symbols[symbol]), addend }
    })
  })
  return {
    name,
    bytes,
    align: Math.max(16, ...[...places.keys()].map(i => sections[i].align)),
    relocations,
    symbols: new Map(
      symbols
        .filter(({ isGlobal, section }) => isGlobal && places.has(section))
        .map(symbol => [symbol.name, places.get(symbol.section)! + Number(symbol.value)]),
    ),
  }
}

/** Tables for unwinding are of no use: nothing unwinds. */
const isLoaded = ({ flags, name, size }: Section) =>
  Boolean(flags & sectionFlag.allocate) && size > 0 && !name.startsWith('.eh_frame') && !name.startsWith('.note')

function readRela({ bytes }: Section) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / relaBytes) }, (_, i) => ({
    offset: Number(view.getBigUint64(i * relaBytes, true)),
    type: view.getUint32(i * relaBytes + 8, true),
    symbol: view.getUint32(i * relaBytes + 12, true),
    addend: Number(view.getBigInt64(i * relaBytes + 16, true)),
  }))
}
