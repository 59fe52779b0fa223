/** What functions of bytecode are called, and where they stand in the bundle: for lists, profiles, and what is shown to people. */
import { ImageError } from './error.ts'

export interface NamedFunction {
  /** Empty for one without a name. */
  readonly name: string
  /** Of the script, as it was evaluated: `app.js`. */
  readonly file: string
  /** Of its head, both from 1 on. */
  readonly line: number
  readonly column: number
}

/** In JSFunctionBytecode: JSAtom func_name; of its debug information JSAtom filename, u32 pc2line_len, u8 *pc2line_buf. Proved by function-names.test.ts. */
const bytecode = { name: 28, file: 68, linesLength: 76, lines: 80 }
/** In JSRuntime: JSAtomStruct **atom_array. */
const atomArray = 56
/** In JSString: u31 length and above it whether characters have two bytes; then the characters. */
const string = { length: 4, text: 16 }
/** A JSAtom of an array index. */
const isNumber = 0x80000000
const longest = 1 << 16

/** @param memory linear memory @param runtimeAt address of JSRuntime @param address of a JSFunctionBytecode */
export function nameOf(memory: Uint8Array, runtimeAt: number, address: number): NamedFunction {
  const view = new DataView(memory.buffer, memory.byteOffset)
  const u32 = (at: number): number => view.getUint32(at, true)
  const text = (atom: number): string => {
    if (atom === 0) return ''
    if (atom >= isNumber) return String(atom - isNumber)
    const at = u32(u32(runtimeAt + atomArray) + 4 * atom)
    const [length, isWide] = [u32(at + string.length) & 0x7fffffff, u32(at + string.length) >= 0x80000000]
    if (length > longest) throw new ImageError(`the snapshot's function at ${address} has a name of ${length} characters`)
    const bytes = memory.slice(at + string.text, at + string.text + length * (isWide ? 2 : 1))
    return Buffer.from(bytes).toString(isWide ? 'utf16le' : 'latin1')
  }
  // The table of positions begins with that of the head, line and column as LEB128 from 0 on.
  const lines = u32(address + bytecode.lines)
  const hasLines = lines !== 0 && u32(address + bytecode.linesLength) > 1
  const [line, behind] = hasLines ? leb(memory, lines) : [-1, 0]
  const column = hasLines ? leb(memory, behind)[0] : -1
  return { name: text(u32(address + bytecode.name)), file: text(u32(address + bytecode.file)), line: line + 1, column: column + 1 }
}

function leb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let end = at
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[end++]
    value |= (byte & 127) << shift
    if (byte < 128) return [value, end]
  }
}
