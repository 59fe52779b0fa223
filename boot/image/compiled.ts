/** A body that was compiled with the kernel, laid out for one function of a snapshot: what it needs of this heap is filled in. */
import type { CompiledBodies } from '../engine/ahead/compile.ts'
import { atomAddress } from '../engine/ahead/key.ts'
import type { Known, PartWriter, Shared } from './bodies.ts'
import { ImageError } from './error.ts'
import type { Bytecode, Instruction } from './functions.ts'

interface Home {
  readonly bytecode: Bytecode
  readonly instructions: readonly Instruction[]
  readonly memory: Uint8Array
  readonly runtime: number
}

interface Body {
  readonly name: string
  readonly entries: readonly number[]
}

const align = 16
/** In JSFunctionBytecode. */
const constants = 56

/** Names of the pieces that these bodies call. */
export function sharedPieces({ pieces }: CompiledBodies, bodies: readonly Body[]): string[] {
  const names = new Set<string>()
  for (const { name } of bodies) {
    const { hot, cold } = pieces.get(name)!
    for (const { target } of [...hot.references, ...(cold?.references ?? [])]) if (pieces.has(target)) names.add(target)
  }
  return [...names].sort()
}

/** Lays it out behind what the writer has: where its table of places and its code are, and the instructions at which it can be entered. */
export function placeCompiled(
  { pieces }: CompiledBodies,
  { name, entries }: Body,
  { bytecode, instructions, memory, runtime }: Home,
  writer: PartWriter,
  shared: Shared,
  known: Known,
): { places: number; code: number; entries: Instruction[] } {
  const { hot, cold } = pieces.get(name)!
  const view = new DataView(memory.buffer, memory.byteOffset)
  const places = writer.reserve(4 * bytecode.length, 4)
  const code = writer.add(hot.bytes, align)
  const rest = cold ? writer.add(cold.bytes, 1) : 0
  for (const { address, opcode } of instructions) {
    const at = address - bytecode.code
    writer.view.setUint32(places + 4 * at, ((entries.indexOf(at) + 1) << 8) | opcode, true)
  }
  const hole = (target: string): number => {
    const [, what, at] = /^hole_(atom|text)_(\d+)$/.exec(target) ?? []
    if (what === undefined) return known.get(target) ?? wrong(`a compiled body has ${target}`)
    const atom = view.getUint32(bytecode.code + Number(at) + 1, true)
    return what === 'atom' ? atom : atomAddress(memory, runtime, atom)
  }
  const own = (target: string): number => {
    if (target === 'hole_code') return bytecode.code
    return target === 'hole_constants' ? view.getUint32(bytecode.address + constants, true) : hole(target)
  }
  for (const [start, piece] of [
    [code, hot],
    [rest, cold],
  ] as const)
    for (const { offset, kind, target, addend } of piece?.references ?? []) {
      const here = start + offset
      const inside = target === 'hot' ? code : target === 'cold' ? rest : shared.get(target)
      if (inside !== undefined && kind === 'pc32') writer.relative(here, inside, addend)
      else if (/^(?:hole|base)_/.test(target)) {
        const value = own(target) + addend
        // Atoms and addresses of linear memory: the compiler takes them for addresses below 2 GiB.
        if (value < 0 || value >= 0x80000000) wrong(`${target} of a compiled body is ${value}`)
        if (!kind.startsWith('abs32')) wrong(`a compiled body has ${target} as ${kind}`)
        writer.view.setInt32(here, value, true)
      } else writer.outside(here, kind, target, addend)
    }
  return { places, code, entries: instructions.filter(({ address }) => entries.includes(address - bytecode.code)) }
}

function wrong(what: string): never {
  throw new ImageError(what)
}
