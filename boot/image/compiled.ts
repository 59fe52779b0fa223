/** A body that was compiled with the kernel, laid out for one function of a snapshot: what it needs of this heap is filled in. */
import { bodyName, type CompiledBodies, entryName } from '../engine/ahead/file.ts'
import { readFunction } from '../engine/ahead/function.ts'
import { atomAddress, keyOf } from '../engine/ahead/key.ts'
import type { Known, Shared } from './bodies.ts'
import { ImageError } from './error.ts'
import type { Bytecode, Instruction } from './functions.ts'
import type { PartWriter } from './part-writer.ts'

const align = 16

interface Home {
  readonly bytecode: Bytecode
  readonly instructions: readonly Instruction[]
  readonly memory: Uint8Array
  readonly runtime: number
}

export interface CompiledBody {
  readonly key: string
  /** Places in the bytecode at which it can be entered. */
  readonly entries: readonly number[]
  readonly bytes: number
}

/** Those of the functions that have a body. */
export function findCompiled(
  functions: readonly Bytecode[],
  memory: Uint8Array,
  runtime: number,
  compiled: CompiledBodies,
): Map<Bytecode, CompiledBody> {
  const found = new Map<Bytecode, CompiledBody>()
  for (const each of functions) {
    const key = keyOf(readFunction(memory, each.address), memory, runtime)
    const body = key === undefined ? undefined : compiled.bodies.get(key)
    if (body) found.set(each, { key: key!, entries: body.entries, bytes: bytesOf(compiled, key!) })
  }
  return found
}

const bytesOf = ({ pieces }: CompiledBodies, key: string): number =>
  [bodyName(key), entryName(key)].reduce((sum, name) => {
    const { hot, cold } = pieces.get(name)!
    return sum + Math.ceil((hot.bytes.length + (cold?.bytes.length ?? 0)) / align) * align
  }, 0)

/** In JSFunctionBytecode. */
const constants = 56

/** Names of the pieces that these bodies call. */
export function sharedPieces({ pieces }: CompiledBodies, bodies: readonly CompiledBody[]): string[] {
  const names = new Set<string>()
  const own = new Set(bodies.flatMap(({ key }) => [bodyName(key), entryName(key)]))
  for (const name of own) {
    const { hot, cold } = pieces.get(name)!
    for (const { target } of [...hot.references, ...(cold?.references ?? [])]) if (pieces.has(target) && !own.has(target)) names.add(target)
  }
  return [...names].sort()
}

/** Lays it out behind what the writer has: where its table of places and its code are, and the instructions at which it can be entered. */
export function placeCompiled(
  { pieces }: CompiledBodies,
  { key, entries }: CompiledBody,
  { bytecode, instructions, memory, runtime }: Home,
  writer: PartWriter,
  shared: Shared,
  known: Known,
): { places: number; code: number; entry: number; entries: Instruction[] } {
  const view = new DataView(memory.buffer, memory.byteOffset)
  const places = writer.reserve(4 * bytecode.length, 4)
  const laid = [bodyName(key), entryName(key)].map(name => {
    const { hot, cold } = pieces.get(name)!
    return { name, hot, cold, at: writer.add(hot.bytes, align), rest: cold ? writer.add(cold.bytes, 1) : 0 }
  })
  const starts = new Map(laid.map(({ name, at }) => [name, at]))
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
    if (target === 'hole_bytecode') return bytecode.address
    return target === 'hole_constants' ? view.getUint32(bytecode.address + constants, true) : hole(target)
  }
  for (const { hot, cold, at, rest } of laid)
    for (const [start, piece] of [
      [at, hot],
      [rest, cold],
    ] as const)
      for (const { offset, kind, target, addend } of piece?.references ?? []) {
        const here = start + offset
        const inside = target === 'hot' ? at : target === 'cold' ? rest : (starts.get(target) ?? shared.get(target))
        if (inside !== undefined && kind === 'pc32') writer.relative(here, inside, addend)
        else if (/^(?:hole|base)_/.test(target)) {
          const value = own(target) + addend
          // Atoms and addresses of linear memory: the compiler takes them for addresses below 2 GiB.
          if (value < 0 || value >= 0x80000000) wrong(`${target} of a compiled body is ${value}`)
          if (!kind.startsWith('abs32')) wrong(`a compiled body has ${target} as ${kind}`)
          writer.view.setInt32(here, value, true)
        } else writer.outside(here, kind, target, addend)
      }
  const [code, entry] = laid.map(({ at }) => at)
  return { places, code, entry, entries: instructions.filter(({ address }) => entries.includes(address - bytecode.code)) }
}

function wrong(what: string): never {
  throw new ImageError(what)
}
