/**
 * Bodies: functions of the program as machine code. For each chosen function the stencils of its instructions are laid out in
 * order, with operands and jumps patched; over every opcode of it comes the one that makes the interpreter enter the body there. The result is
 * a part of the image's code (code.ts), with a table that the engine finds bodies by (boot/engine/native.h).
 */
import type { CompiledBodies } from '../engine/ahead/file.ts'
import type { Stencils } from '../engine/stencils/file.ts'
import type { Code, Piece, Reference, StencilObject } from '../engine/stencils/object.ts'
import type { CodePart } from './code.ts'
import { type CompiledBody, findCompiled, placeCompiled, sharedPieces } from './compiled.ts'
import { ImageError } from './error.ts'
import { pageSize, type Snapshot } from './format.ts'
import { nameOf } from './function-names.ts'
import { type Bytecode, findBytecode, type Instruction, instructionsOf, type ListedFunction, memoryOf } from './functions.ts'
import { PartWriter } from './part-writer.ts'

export type { ListedFunction } from './functions.ts'

export interface Bodies {
  /** With bytecode that leads to the bodies. */
  readonly snapshot: Snapshot
  readonly code: readonly CodePart[]
  /** Machine code and tables, in bytes by function. */
  readonly shares: readonly { readonly address: number; readonly bytes: number }[]
}

/** boot/engine/native.h */
const nativeOpcode = 244
const hashMultiplier = 2654435761
const headerBytes = 8
const slotBytes = 16
/** A place has the offset of its code in 24 bits. */
const bodyMost = 1 << 24
const bodyAlign = 16
const baseBytes = 0x10000000 // ENGINE_BASE

export function listFunctions(snapshot: Snapshot): ListedFunction[] {
  const memory = memoryOf(snapshot)
  return findBytecode(snapshot, memory).map(({ address, length, kind }) => ({
    address,
    bytes: length,
    kind,
    ...nameOf(memory, snapshot.runtime, address),
  }))
}

/** Bytes of the compiled bodies that there are for these functions, by address. */
export function compiledSizes(snapshot: Snapshot, addresses: ReadonlySet<number>, compiled: CompiledBodies): Map<number, number> {
  const memory = memoryOf(snapshot)
  const functions = findBytecode(snapshot, memory).filter(({ address, context }) => addresses.has(address) && context === snapshot.context)
  return new Map(
    [...findCompiled(functions, memory, snapshot.runtime, compiled)].map(([{ address, length }, { bytes }]) => [
      address,
      bytes + 4 * length,
    ]),
  )
}

/**
 * Throws an ImageError for a function that is not there.
 * @param compiled bodies that are taken where there is one, instead of stencils
 */
export function makeBodies(snapshot: Snapshot, stencils: Stencils, chosen: ReadonlySet<number>, compiled?: CompiledBodies): Bodies {
  const memory = memoryOf(snapshot)
  const functions = findBytecode(snapshot, memory).filter(({ address }) => chosen.has(address))
  if (functions.some(({ context }) => context !== snapshot.context)) throw new ImageError('a function of another context was chosen')
  if (functions.length !== chosen.size) throw new ImageError('a function was chosen that is not in the snapshot')
  if (functions.length === 0) return { snapshot, code: [], shares: [] }

  const writer = new PartWriter()
  const slots = 1 << Math.ceil(Math.log2(functions.length * 2 + 1))
  const table = writer.reserve(headerBytes + slots * slotBytes, 16)
  const known = new Map([
    ['hole_ctx', snapshot.context],
    ['base_ctx', snapshot.context + baseBytes],
    ['hole_rt', snapshot.runtime],
    ['base_rt', snapshot.runtime + baseBytes],
  ])
  const bodyOf = compiled ? findCompiled(functions, memory, snapshot.runtime, compiled) : new Map<Bytecode, CompiledBody>()
  const joined = functions.filter(each => !bodyOf.has(each))
  const opcodes = new Set(joined.flatMap(each => instructionsOf(each, memory, stencils.lengths).map(({ opcode }) => opcode)))
  const shared = joinShared(stencils, sharedOf(stencils, opcodes), writer, known)
  const own = compiled ? joinShared(compiled, sharedPieces(compiled, [...bodyOf.values()]), writer, known) : new Map<string, number>()
  const bodies = functions.map(each => {
    const before = writer.length
    const instructions = instructionsOf(each, memory, stencils.lengths)
    const ready = bodyOf.get(each)
    if (ready) {
      const { places, code, entry, entries } = placeCompiled(
        compiled!,
        ready,
        { bytecode: each, instructions, memory, runtime: snapshot.runtime },
        writer,
        own,
        known,
      )
      return { ...each, places, code, bytes: writer.length - before, instructions: entries, entry }
    }
    const body = new Body(each, instructions, memory, snapshot, stencils)
    const places = writer.reserve(4 * each.length, 4)
    const code = writer.reserve(body.size, bodyAlign)
    body.write(writer, code, shared)
    for (const [i, { address, opcode }] of instructions.entries())
      writer.view.setUint32(places + 4 * (address - each.code), ((body.offsets[i] + bodyAlign) << 8) | opcode, true)
    return { ...each, places, code: code - bodyAlign, bytes: writer.length - before, instructions, entry: 0 }
  })

  writer.view.setUint32(table, 32 - Math.log2(slots), true)
  writer.view.setUint32(table + 4, slots - 1, true)
  for (const { address, places, code, entry } of bodies) {
    let slot = Math.imul(address, hashMultiplier) >>> (32 - Math.log2(slots))
    while (writer.view.getUint32(table + headerBytes + slot * slotBytes, true) !== 0) slot = (slot + 1) & (slots - 1)
    const at = table + headerBytes + slot * slotBytes
    writer.view.setUint32(at, address, true)
    writer.view.setUint32(at + 4, places, true)
    writer.view.setUint32(at + 8, code, true)
    writer.view.setUint32(at + 12, entry, true)
  }
  return {
    snapshot: { ...snapshot, pages: patchPages(snapshot, bodies) },
    code: [{ name: 'bodies', bytes: writer.bytes(), align: 64, relocations: writer.relocations, table: 'bodies' }],
    shares: bodies.map(({ address, bytes }) => ({ address, bytes })),
  }
}

/** Names of the shared pieces that instructions of these opcodes need. */
function sharedOf(stencils: Stencils, opcodes: ReadonlySet<number>): string[] {
  const names = new Set<string>()
  for (const opcode of opcodes) {
    const piece = pieceOf(stencils, opcode)
    for (const { target } of [...piece.hot.references, ...(piece.cold?.references ?? [])]) {
      const name = target === 'SLOW' || target === 'CALL' ? `call_${opcode}` : sharedName(target)
      if (stencils.pieces.has(name)) names.add(name)
    }
  }
  return [...names].sort()
}

/** The opcodes go, and the engine does not free the bytecode: it would look for the opcodes then. */
function patchPages({ pages }: Snapshot, bodies: readonly (Bytecode & { readonly instructions: readonly Instruction[] })[]) {
  const copies = new Map(pages.map(({ number, content }) => [number, Uint8Array.from(content)]))
  const edit = (address: number, change: (byte: number) => number) => {
    const page = copies.get(Math.floor(address / pageSize))!
    page[address % pageSize] = change(page[address % pageSize])
  }
  for (const { address, instructions } of bodies) {
    let carry = 1 // one reference more
    for (let i = 0; i < 4; i++)
      edit(address + i, byte => {
        const sum = byte + carry
        carry = sum >> 8
        return sum & 0xff
      })
    for (const instruction of instructions) edit(instruction.address, () => nativeOpcode)
  }
  return pages.map(({ number }) => ({ number, content: copies.get(number)! }))
}

/** Where in the part the pieces are that all bodies share, by name. */
export type Shared = ReadonlyMap<string, number>

/**
 * The ways back to the interpreter, calls out of line, and the forms of instructions that are called: those that are needed for these
 * pieces, and what they need in turn.
 */
function joinShared(stencils: StencilObject, wanted: Iterable<string>, writer: PartWriter, known: Known): Shared {
  const shared = new Map<string, number>([['data', writer.add(stencils.data, 32)]])
  const todo = [...wanted]
  const order: { readonly at: number; readonly cold: number; readonly piece: Piece }[] = []
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (shared.has(name)) continue
    const piece = stencils.pieces.get(name)!
    const at = writer.add(piece.hot.bytes, 16)
    const cold = piece.cold ? writer.add(piece.cold.bytes, 1) : 0
    shared.set(name, at)
    order.push({ at, cold, piece })
    for (const { target } of [...piece.hot.references, ...(piece.cold?.references ?? [])]) {
      const other = sharedName(target)
      if (stencils.pieces.has(other)) todo.push(other)
    }
  }
  for (const { at, cold, piece } of order)
    for (const [start, code] of [
      [at, piece.hot],
      [cold, piece.cold],
    ] as const)
      for (const { offset, kind, target, addend } of code?.references ?? []) {
        const inside = target === 'hot' ? at : target === 'cold' ? cold : shared.get(sharedName(target))
        const here = start + offset
        if (inside !== undefined && kind === 'pc32') writer.relative(here, inside, addend)
        else if (/^(?:hole|base)_/.test(target))
          writer.view.setInt32(here, (known.get(target) ?? wrong(`a shared stencil has ${target}`)) + addend, true)
        else writer.outside(here, kind, target, addend)
      }
  return shared
}

/** A piece leaves by one of these names, from wherever it is. */
const sharedName = (target: string) =>
  /^(?:CALL_)?LEAVE_/.test(target) ? target.replace(/^(?:CALL_)?LEAVE_/, 'leave_').toLowerCase() : target

/** Holes whose number is the same for all bodies. */
export type Known = ReadonlyMap<string, number>

/** A piece of up to so many bytes is laid out for each instruction; of a larger one there is one, which is called. */
const inlineMost = 96

class Body {
  /** Of each instruction, from the start of the body. */
  readonly offsets: number[] = []
  readonly size: number
  readonly #instructions: readonly Instruction[]
  /** Of instructions by their addresses. */
  readonly #indices: ReadonlyMap<number, number>
  readonly #view: DataView
  readonly #holes: ReadonlyMap<string, number>
  readonly #pieces: { readonly piece: Piece; readonly hot: number; readonly cold: number; readonly slow: number }[] = []
  readonly #slow: Piece
  /** Behind the last instruction, which does not go on. */
  readonly #trap: number

  constructor(bytecode: Bytecode, instructions: readonly Instruction[], memory: Uint8Array, snapshot: Snapshot, stencils: Stencils) {
    this.#instructions = instructions
    this.#indices = new Map(instructions.map(({ address }, i) => [address, i]))
    this.#view = new DataView(memory.buffer)
    this.#holes = new Map([
      ['b', bytecode.address],
      ['ctx', bytecode.context],
      ['rt', snapshot.runtime],
    ])
    const pieces = instructions.map(({ address, opcode }) => {
      const piece = pieceOf(stencils, opcode)
      return this.#fits(piece, address) ? piece : stencils.pieces.get('interpret')!
    })
    const slow = stencils.pieces.get('slow')!
    let end = 0
    for (const { hot } of pieces) {
      this.offsets.push(end)
      end += hotLength(hot)
    }
    this.#trap = end++
    for (const [i, piece] of pieces.entries()) {
      const cold = end
      end += piece.cold?.bytes.length ?? 0
      this.#pieces.push({ piece, hot: this.offsets[i], cold, slow: end })
      if (refersTo(piece, 'SLOW')) end += slow.hot.bytes.length
    }
    this.#slow = slow
    this.size = end
    if (end + bodyAlign >= bodyMost) wrong('a function is too large for a body: leave it out')
  }

  write(writer: PartWriter, start: number, shared: Shared): void {
    writer.put(start + this.#trap, Uint8Array.of(0xcc))
    for (const [i, { piece, ...places }] of this.#pieces.entries()) {
      const own = { hot: start + places.hot, cold: start + places.cold, slow: start + places.slow }
      this.#code(writer, piece.hot, { start, i, at: own.hot, own }, shared, hotLength(piece.hot))
      if (piece.cold) this.#code(writer, piece.cold, { start, i, at: own.cold, own }, shared)
      if (refersTo(piece, 'SLOW')) this.#code(writer, this.#slow.hot, { start, i, at: own.slow, own }, shared)
    }
  }

  #code(writer: PartWriter, code: Code, place: Place, shared: Shared, length = code.bytes.length): void {
    writer.put(place.at, code.bytes.subarray(0, length))
    for (const reference of code.references) if (reference.offset < length) this.#patch(writer, reference, place, shared)
  }

  #patch(writer: PartWriter, { offset, kind, target, addend }: Reference, { start, i, at, own }: Place, shared: Shared): void {
    const here = at + offset
    const { address, opcode } = this.#instructions[i]
    if (/^(?:hole|base)_/.test(target)) return writer.view.setInt32(here, (this.#hole(target, address) + addend) | 0, true)
    const inside =
      target === 'hot'
        ? own.hot
        : target === 'cold'
          ? own.cold
          : target === 'SLOW'
            ? own.slow
            : shared.get(target === 'CALL' ? `call_${opcode}` : sharedName(target))
    if (inside !== undefined) {
      if (kind === 'pc32') return writer.relative(here, inside, addend)
      wrong(`a stencil has the address of ${target}`)
    }
    if (target === 'NEXT') {
      return writer.relative(here, start + (this.offsets[i + 1] ?? this.#trap), addend)
    }
    if (target.startsWith('TARGET_')) return writer.relative(here, start + this.#branch(target, address), addend)
    writer.outside(here, kind, target, addend)
  }

  #branch(target: string, address: number): number {
    const [, load, at, shift, more] = /^TARGET_(\w+)_(\d+)_(\d+)_(\d+)$/.exec(target) ?? wrong(`unknown branch ${target}`)
    const to = address + Number(more) + (this.#operand(load, address + Number(at)) << Number(shift))
    const index = this.#indices.get(to) ?? wrong(`a branch goes to ${to}, where no instruction begins`)
    return this.offsets[index]
  }

  /** As a 32-bit number with a sign. */
  #hole(name: string, address: number): number {
    if (name === 'hole_pc') return address
    const known = this.#holes.get(name.slice(5))
    if (known !== undefined) return name.startsWith('base_') ? known + baseBytes : known
    const [, load, at, shift] = /^hole_(\w+)_(\d+)_(\d+)$/.exec(name) ?? wrong(`unknown hole ${name}`)
    return this.#operand(load, address + Number(at)) << Number(shift)
  }

  #operand(load: string, address: number): number {
    switch (load) {
      case 'i32_load8_u':
      case 'i64_load8_u':
        return this.#view.getUint8(address)
      case 'i32_load8_s':
      case 'i64_load8_s':
        return this.#view.getInt8(address)
      case 'i32_load16_u':
      case 'i64_load16_u':
        return this.#view.getUint16(address, true)
      case 'i32_load16_s':
      case 'i64_load16_s':
        return this.#view.getInt16(address, true)
      case 'i32_load':
      case 'i64_load32_u':
      case 'i64_load32_s':
        return this.#view.getInt32(address, true)
      default:
        return wrong(`an operand is read with ${load}`)
    }
  }

  /** Whether all numbers are such as the compiler thought of: a hole is an address below 2 GiB for it, where it is more than 32 bits. */
  #fits({ hot, cold }: Piece, address: number): boolean {
    return [hot, cold].every(
      code =>
        code?.references.every(({ target, kind, addend }) => {
          if (kind !== 'abs32s' && kind !== 'abs64') return true
          return (
            !/^(?:hole|base)_/.test(target) ||
            (kind === 'abs32s' && this.#hole(target, address) >= 0 && this.#hole(target, address) + addend < 0x80000000)
          )
        }) ?? true,
    )
  }
}

interface Place {
  readonly start: number
  /** Index of the instruction. */
  readonly i: number
  readonly at: number
  readonly own: { readonly hot: number; readonly cold: number; readonly slow: number }
}

/** The piece for an instruction: inline where it is small, or has no other form. */
function pieceOf({ pieces }: Stencils, opcode: number): Piece {
  const inline = pieces.get(`op_${opcode}`) ?? wrong(`there is no stencil for the opcode ${opcode}`)
  const bytes = hotLength(inline.hot) + (inline.cold?.bytes.length ?? 0)
  const onlySlow = inline.hot.bytes.length === 5 && refersTo(inline, 'SLOW')
  return (bytes <= inlineMost && !onlySlow) || !pieces.has(`call_${opcode}`) ? inline : pieces.get('slow')!
}

const refersTo = ({ hot, cold }: Piece, name: string) => [hot, cold].some(code => code?.references.some(({ target }) => target === name))

/** Without the jump to the next piece, where it is the last instruction: the next piece follows. */
function hotLength({ bytes, references }: Code): number {
  const last = bytes.length - 5
  const jumps = bytes[last] === 0xe9 && references.some(({ offset, target }) => target === 'NEXT' && offset === last + 1)
  return jumps ? last : bytes.length
}

function wrong(what: string): never {
  throw new ImageError(what)
}
