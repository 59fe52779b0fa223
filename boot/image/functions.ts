/** The functions of bytecode in a snapshot, and their instructions. Offsets are those that the interpreter's text proves (boot/engine/stencils/roles.ts). */
import { ImageError } from './error.ts'
import { pageSize, type Snapshot } from './format.ts'
import type { NamedFunction } from './function-names.ts'

export type FunctionKind = 'function' | 'generator' | 'async' | 'async generator'

export interface ListedFunction extends NamedFunction {
  /** Of its JSFunctionBytecode in linear memory. */
  readonly address: number
  /** Of the bytecode. */
  readonly bytes: number
  readonly kind: FunctionKind
}

export interface Bytecode {
  readonly address: number
  /** Address of its first instruction. */
  readonly code: number
  readonly length: number
  readonly context: number
  readonly kind: FunctionKind
}

/** JSFunctionBytecode and what all objects of the collector begin with. */
const offsets = { type: 4, next: 12, flags: 17, code: 20, length: 24, context: 52 }
const functionType = 1 // JS_GC_OBJ_TYPE_FUNCTION_BYTECODE
const kinds: readonly FunctionKind[] = ['function', 'generator', 'async', 'async generator']
/** The head of the list of all objects is in JSRuntime. The allocator keeps a block's size, and three flags, 4 bytes in front of it. */
const blockBytes = (view: DataView, block: number) => view.getUint32(block - 4, true) & ~7
const linkOffset = 8

/** Linear memory as the snapshot has it, for reading. */
export function memoryOf({ pages, memoryPages }: Pick<Snapshot, 'pages' | 'memoryPages'>): Uint8Array {
  const memory = new Uint8Array(memoryPages * 65536)
  for (const { number, content } of pages) memory.set(content, number * pageSize)
  return memory
}

/** All functions of bytecode, by address: those on the collector's list, from the program's turn function on round to its head in JSRuntime. */
export function findBytecode(
  snapshot: Pick<Snapshot, 'pages' | 'memoryPages' | 'runtime' | 'turn'>,
  memory = memoryOf(snapshot),
): Bytecode[] {
  const view = new DataView(memory.buffer)
  const u32 = (address: number) => view.getUint32(address, true)
  const start = u32(snapshot.turn) // the low half of a JSValue is the object's address
  const found: Bytecode[] = []
  const runtimeEnd = snapshot.runtime + blockBytes(view, snapshot.runtime)
  let inRuntime = 0
  for (let object = start, steps = 0; ; steps++) {
    if (steps > memory.length / 16) throw new ImageError("the snapshot's list of objects has no end")
    if (object >= snapshot.runtime && object < runtimeEnd) inRuntime++
    else if ((memory[object + offsets.type] & 15) === functionType) found.push(readBytecode(object))
    object = u32(object + offsets.next) - linkOffset
    if (object === start) break
  }
  if (inRuntime !== 1) throw new ImageError(`the snapshot's list of objects goes ${inRuntime} times through the runtime`)
  return found.sort((a, b) => a.address - b.address)

  function readBytecode(address: number): Bytecode {
    return {
      address,
      code: u32(address + offsets.code),
      length: u32(address + offsets.length),
      context: u32(address + offsets.context),
      kind: kinds[(memory[address + offsets.flags] >> 4) & 3],
    }
  }
}

export interface Instruction {
  readonly address: number
  readonly opcode: number
}

/** Throws an ImageError when the bytecode does not end with an instruction's end. */
export function instructionsOf({ code, length }: Bytecode, memory: Uint8Array, lengths: ReadonlyMap<number, number>): Instruction[] {
  const instructions: Instruction[] = []
  let address = code
  while (address < code + length) {
    const opcode = memory[address]
    const bytes = lengths.get(opcode)
    if (bytes === undefined) throw new ImageError(`the snapshot's bytecode has the opcode ${opcode} at ${address}, which is unknown`)
    instructions.push({ address, opcode })
    address += bytes
  }
  if (address !== code + length) throw new ImageError(`the snapshot's bytecode at ${code} does not end with an instruction`)
  return instructions
}
