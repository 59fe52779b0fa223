/** A function of bytecode as it lies in memory: its instructions with their operands, and how deep the stack is at each. */
import { EngineError } from '../error.ts'
import { type Opcode, opcodes } from './opcodes.ts'

export interface Instruction {
  /** In bytes from the function's first instruction. */
  readonly at: number
  readonly opcode: Opcode
  /** The first operand; for a label where it leads, counted as `at` is. 0 without one. */
  readonly operand: number
  /** What follows a label or an atom. */
  readonly second: number
  /** Values on the stack before it, -1 where no way leads to it; and after it, where it goes on. */
  depth: number
  after: number
}

export interface FunctionCode {
  readonly instructions: readonly Instruction[]
  readonly arguments: number
  readonly variables: number
  readonly stackSize: number
  /** How many of arguments and variables closures refer to. */
  readonly references: number
  /** Variables of enclosing functions. */
  readonly closures: number
  readonly isStrict: boolean
  readonly mode: number
  /** Bits of JSFunctionBytecode: kind, what it may use. */
  readonly flags: number
  /** By index: whether closures refer to it. */
  readonly captured: { readonly arguments: readonly boolean[]; readonly variables: readonly boolean[] }
}

/** In JSFunctionBytecode and JSBytecodeVarDef. */
const bytecode = {
  mode: 16,
  flags: 17,
  code: 20,
  length: 24,
  definitions: 32,
  arguments: 40,
  variables: 42,
  stack: 46,
  references: 48,
  closures: 64,
}
const definition = { bytes: 12, bits: 8, captured: 4 }
const strict = 1

/**
 * @param memory linear memory
 * @param address of a JSFunctionBytecode
 * @throws EngineError for bytecode that the table of opcodes does not fit
 */
export function readFunction(memory: Uint8Array, address: number): FunctionCode {
  const view = new DataView(memory.buffer, memory.byteOffset)
  const u16 = (offset: number) => view.getUint16(address + offset, true)
  const u32 = (offset: number) => view.getUint32(address + offset, true)
  const counts = { arguments: u16(bytecode.arguments), variables: u16(bytecode.variables) }
  const definitions = u32(bytecode.definitions)
  const isCaptured = (i: number) =>
    definitions === 0 || (memory[definitions + i * definition.bytes + definition.bits] & definition.captured) !== 0
  const instructions = decode(view, u32(bytecode.code), u32(bytecode.length))
  setDepths(instructions)
  return {
    instructions,
    ...counts,
    stackSize: u16(bytecode.stack),
    references: u16(bytecode.references),
    closures: u32(bytecode.closures),
    mode: memory[address + bytecode.mode],
    isStrict: (memory[address + bytecode.mode] & strict) !== 0,
    flags: view.getUint16(address + bytecode.flags, true),
    captured: {
      arguments: Array.from({ length: counts.arguments }, (_, i) => isCaptured(i)),
      variables: Array.from({ length: counts.variables }, (_, i) => isCaptured(counts.arguments + i)),
    },
  }
}

function decode(view: DataView, code: number, length: number): Instruction[] {
  const found: Instruction[] = []
  for (let at = 0; at < length; ) {
    const opcode = opcodes[view.getUint8(code + at)]
    if (opcode === undefined || opcode.number === 0 || at + opcode.size > length)
      throw new EngineError(`The bytecode at ${code} has no instruction at ${at}.`, 'boot/engine/ahead', 'Is it that of another QuickJS?')
    found.push({ at, opcode, ...operandsOf(view, code, at, opcode), depth: -1, after: -1 })
    at += opcode.size
  }
  return found
}

function operandsOf(view: DataView, code: number, at: number, { name, format }: Opcode): { operand: number; second: number } {
  const first = code + at + 1
  const u8 = (offset: number) => view.getUint8(first + offset)
  const u16 = (offset: number) => view.getUint16(first + offset, true)
  const u32 = (offset: number) => view.getUint32(first + offset, true)
  const one = (operand: number) => ({ operand, second: 0 })
  switch (format) {
    case 'none_int':
      return one(name === 'push_minus1' ? -1 : Number(name.slice(-1)))
    case 'none_loc':
    case 'none_arg':
    case 'none_var_ref':
    case 'npopx':
      return one(Number(name.slice(-1)))
    case 'u8':
    case 'loc8':
    case 'const8':
      return one(u8(0))
    case 'i8':
      return one(view.getInt8(first))
    case 'u16':
    case 'npop':
    case 'loc':
    case 'arg':
    case 'var_ref':
      return one(u16(0))
    case 'i16':
      return one(view.getInt16(first, true))
    case 'npop_u16':
      return { operand: u16(0), second: u16(2) }
    case 'label8':
      return one(at + 1 + view.getInt8(first))
    case 'label16':
      return one(at + 1 + view.getInt16(first, true))
    case 'label':
      return one(at + 1 + view.getInt32(first, true))
    case 'i32':
      return one(view.getInt32(first, true))
    case 'u32':
    case 'const':
    case 'atom':
      return one(u32(0))
    case 'atom_u8':
      return { operand: u32(0), second: u8(4) }
    case 'atom_u16':
      return { operand: u32(0), second: u16(4) }
    case 'atom_label_u8':
    case 'atom_label_u16':
      return { operand: u32(0), second: at + 5 + view.getInt32(first + 4, true) }
    default:
      return one(0)
  }
}

/** What an instruction takes in all. */
export const popsOf = ({ opcode, operand }: Instruction): number =>
  opcode.pops + (opcode.format === 'npop' || opcode.format === 'npop_u16' || opcode.format === 'npopx' ? operand : 0)

const last = new Set([
  'tail_call',
  'tail_call_method',
  'return',
  'return_undef',
  'return_async',
  'throw',
  'throw_error',
  'ret',
  'goto',
  'goto8',
  'goto16',
])
const branches = new Set(['label', 'label8', 'label16'])

/** Whether the instruction after it follows. */
export const goesOn = ({ opcode }: Instruction): boolean => !last.has(opcode.name)

/** Where else it leads. */
export function targetsOf({ opcode, operand, second }: Instruction): number[] {
  if (branches.has(opcode.format)) return [operand]
  return opcode.format.startsWith('atom_label') ? [second] : []
}

/** A place that is reached: how deep the stack is, and the innermost `catch` or loop of an iterator around it. */
interface Reached {
  readonly at: number
  readonly depth: number
  /** Of the instruction; -1 for none. */
  readonly handler: number
}

const loops = new Set(['for_of_start', 'for_await_of_start'])
/** By these the place of a handler leaves the stack: where it lies when it is the one that goes, from the depth after them. */
const removing: Readonly<Record<string, number>> = { drop: 0, nip: -1, nip1: -1, iterator_close: 2 }

/** From the start, where the stack is empty, along all ways, as the engine's own compute_stack_size does. */
function setDepths(instructions: readonly Instruction[]): void {
  const indices = new Map(instructions.map(({ at }, i) => [at, i]))
  const outer = new Map<number, number>()
  const todo: Reached[] = [{ at: 0, depth: 0, handler: -1 }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    let { at, depth, handler } = next
    for (;;) {
      const index = indices.get(at)
      if (index === undefined) lost(at)
      const instruction = instructions[index!]
      if (instruction.depth >= 0) {
        if (instruction.depth !== depth) lost(at)
        break
      }
      instruction.depth = depth
      outer.set(at, handler)
      const { name, size } = instruction.opcode
      let after = depth - popsOf(instruction) + instruction.opcode.pushes
      /** Of the handler's value on the stack. */
      const level = (): number => {
        const start = instructions[indices.get(handler)!]
        return start.depth + (loops.has(start.opcode.name) ? 1 : 0)
      }
      for (const to of targetsOf(instruction)) todo.push({ at: to, depth: after + (atTarget[name] ?? 0), handler })
      if (name === 'catch' || loops.has(name)) handler = at
      else if (name in removing && handler >= 0 && after + removing[name] === level()) handler = outer.get(handler)!
      else if (name === 'nip_catch') {
        if (handler < 0) lost(at)
        after = level() + 1
        handler = outer.get(handler)!
      }
      instruction.after = after
      if (!goesOn(instruction)) break
      depth = after
      at += size
    }
  }
}

/** How much more is on the stack where a branch leads. */
const atTarget: Readonly<Record<string, number>> = {
  gosub: 1,
  with_get_var: 1,
  with_delete_var: 1,
  with_make_ref: 2,
  with_get_ref: 2,
  with_put_var: -1,
}

const lost = (at: number): never => {
  throw new EngineError(`The stack of bytecode at ${at} has two depths.`, 'boot/engine/ahead/function.ts', 'Is it that of another QuickJS?')
}
