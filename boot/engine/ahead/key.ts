/** What a function of bytecode is known by, wherever it stands: its instructions, with names instead of the numbers that atoms have in one heap. */
import { createHash } from 'node:crypto'
import type { FunctionCode } from './function.ts'

/** In JSRuntime: JSAtomStruct **atom_array; in JSString the type of an atom is in the upper two bits of `hash`. */
const atomArray = 56
const string = { length: 4, hash: 8, text: 16 }
const stringAtom = 1
const numberAtom = 0x80000000
const longest = 1 << 12

/** Formats whose first operand is an atom. */
export const hasAtom = (format: string): boolean => format.startsWith('atom')

/**
 * A name that is the same for the same code. undefined: something in it has no name that another heap would have as well.
 * @param memory linear memory @param runtime address of JSRuntime
 */
export function keyOf(code: FunctionCode, memory: Uint8Array, runtime: number): string | undefined {
  const { captured, mode, flags, stackSize, references, closures } = code
  const bits = (list: readonly boolean[]) => list.map(Number).join('')
  const lines = [[bits(captured.arguments), bits(captured.variables), stackSize, references, closures, mode, flags & 0x30].join()]
  for (const { at, opcode, operand, second } of code.instructions) {
    const first = hasAtom(opcode.format) ? atomText(memory, runtime, operand) : operand
    if (first === undefined) return undefined
    lines.push([at, opcode.number, first, second].join())
  }
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)
}

function atomText(memory: Uint8Array, runtime: number, atom: number): string | undefined {
  if (atom >= numberAtom) return `#${atom - numberAtom}`
  const view = new DataView(memory.buffer, memory.byteOffset)
  const u32 = (at: number) => view.getUint32(at, true)
  const at = atomAddress(memory, runtime, atom)
  if (u32(at + string.hash) >>> 30 !== stringAtom) return atom < firstOwnAtom ? `@${atom}` : undefined
  const [length, isWide] = [u32(at + string.length) & 0x7fffffff, u32(at + string.length) >= 0x80000000]
  if (length > longest) return undefined
  const bytes = memory.slice(at + string.text, at + string.text + length * (isWide ? 2 : 1))
  return `"${isWide ? 'w' : 'n'}${Buffer.from(bytes).toString('base64')}`
}

/** Those below are QuickJS's own, in each heap: keywords, names, well-known symbols. */
const firstOwnAtom = 200

/** Address of the text of an atom that is not a number. */
export const atomAddress = (memory: Uint8Array, runtime: number, atom: number): number => {
  const view = new DataView(memory.buffer, memory.byteOffset)
  return view.getUint32(view.getUint32(runtime + atomArray, true) + 4 * atom, true)
}
