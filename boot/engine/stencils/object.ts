/** Reads stencils.o (ELF64, relocatable; System V gABI and the psABI for x86-64): the pieces of machine code and what they refer to. */
import { EngineError } from '../error.ts'

export type RelocationKind = 'pc32' | 'abs32' | 'abs32s' | 'abs64'

export interface Reference {
  readonly offset: number
  readonly kind: RelocationKind
  /** A symbol's name; `hot` and `cold` for the piece itself, `data` for the constants of all. */
  readonly target: string
  readonly addend: number
}

export interface Code {
  readonly bytes: Uint8Array
  readonly references: readonly Reference[]
}

/** A function of stencils.c: what runs as a rule, and what rarely does. */
export interface Piece {
  readonly hot: Code
  readonly cold?: Code
}

export interface StencilObject {
  readonly pieces: ReadonlyMap<string, Piece>
  readonly data: Uint8Array
}

const refuse = (what: string): never => {
  throw new EngineError(`The object file of the stencils ${what}.`, 'stencils.o', 'boot/engine/stencils knows what gcc 12 makes: adapt it.')
}

const sectionType = { symbols: 2, relocations: 4 }
const relocationKinds: Record<number, RelocationKind> = { 1: 'abs64', 2: 'pc32', 4: 'pc32', 10: 'abs32', 11: 'abs32s' }

interface Section {
  readonly name: string
  readonly type: number
  readonly bytes: Uint8Array
  readonly link: number
  readonly info: number
  readonly align: number
}

function readSections(file: Uint8Array): Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(0, false) !== 0x7f454c46 || view.getUint16(16, true) !== 1) refuse('is not an ELF object')
  const table = Number(view.getBigUint64(40, true))
  const header = (index: number) => table + 64 * index
  const place = (index: number) => {
    const start = Number(view.getBigUint64(header(index) + 24, true))
    const size = Number(view.getBigUint64(header(index) + 32, true))
    return view.getUint32(header(index) + 4, true) === 8 ? new Uint8Array(0) : file.subarray(start, start + size)
  }
  const names = place(view.getUint16(62, true))
  return Array.from({ length: view.getUint16(60, true) }, (_, i) => ({
    name: text(names, view.getUint32(header(i), true)),
    type: view.getUint32(header(i) + 4, true),
    bytes: place(i),
    link: view.getUint32(header(i) + 40, true),
    info: view.getUint32(header(i) + 44, true),
    align: Number(view.getBigUint64(header(i) + 48, true)),
  }))
}

const text = (bytes: Uint8Array, at: number): string => Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString()

export function readStencilObject(file: Uint8Array): StencilObject {
  const sections = readSections(file)
  const { data, places } = joinData(sections)
  const symbols = readSymbols(sections)
  const code = new Map<string, Code>()
  const pieceOf = (name: string) => /^\.text\.(unlikely\.)?(\w+)$/.exec(name)
  sections.forEach((section, index) => {
    if (!pieceOf(section.name) || section.bytes.length === 0) return
    const relocations = sections.find(({ type, info }) => type === sectionType.relocations && info === index)
    const references = relocations ? readRelocations(relocations.bytes) : []
    code.set(section.name, {
      bytes: section.bytes,
      references: references.map(({ symbol, ...rest }) => {
        const { name, section: home, value } = symbols[symbol]
        if (home === undefined) return { ...rest, target: name }
        const at = sections[home]
        if (places.has(home)) return { ...rest, target: 'data', addend: rest.addend + value + places.get(home)! }
        const own = pieceOf(section.name)![2]
        const found = pieceOf(at.name)
        // A label in a section; or the whole of another function of the file.
        if (found?.[2] === own) return { ...rest, target: found[1] ? 'cold' : 'hot', addend: rest.addend + value }
        const isWhole = found && value === 0 && (!found[1] || !sections.some(({ name }) => name === `.text.${found[2]}`))
        if (isWhole) return { ...rest, target: found[2] }
        return refuse(`refers from ${section.name} to ${name} in ${at.name}`)
      }),
    })
  })
  const pieces = new Map<string, Piece>()
  for (const [name, hot] of code) {
    const [, unlikely, own] = pieceOf(name)!
    if (!unlikely) pieces.set(own, { hot, cold: code.get(`.text.unlikely.${own}`) })
    else if (!code.has(`.text.${own}`)) pieces.set(own, { hot })
  }
  return { pieces, data }
}

/** The read-only data of all sections, one behind the other. */
function joinData(sections: readonly Section[]): { data: Uint8Array; places: Map<number, number> } {
  const places = new Map<number, number>()
  const parts: Uint8Array[] = []
  let length = 0
  sections.forEach(({ name, bytes, align }, index) => {
    if (/^\.(data|bss)/.test(name) && bytes.length > 0) refuse(`has data that change, in ${name}`)
    if (!name.startsWith('.rodata')) return
    const padding = (align - (length % align)) % align
    parts.push(new Uint8Array(padding), bytes)
    places.set(index, length + padding)
    length += padding + bytes.length
  })
  return { data: new Uint8Array(Buffer.concat(parts)), places }
}

function readSymbols(sections: readonly Section[]) {
  const table = sections.find(({ type }) => type === sectionType.symbols) ?? refuse('has no symbols')
  const names = sections[table.link].bytes
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength)
  return Array.from({ length: table.bytes.length / 24 }, (_, i) => {
    const home = view.getUint16(24 * i + 6, true)
    return {
      name: text(names, view.getUint32(24 * i, true)),
      section: home === 0 || home >= 0xff00 ? undefined : home,
      value: Number(view.getBigUint64(24 * i + 8, true)),
    }
  })
}

function readRelocations(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 24 }, (_, i) => {
    const type = view.getUint32(24 * i + 8, true)
    return {
      offset: Number(view.getBigUint64(24 * i, true)),
      kind: relocationKinds[type] ?? refuse(`has a relocation of type ${type}`),
      symbol: view.getUint32(24 * i + 12, true),
      addend: Number(view.getBigInt64(24 * i + 16, true)),
    }
  })
}
