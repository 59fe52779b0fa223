/**
 * Counts bytecodes: the engine's .wasm with a second memory, in which each address of linear memory has a u32. Where the interpreter goes to the
 * handler of an opcode, that of the opcode's address is raised. So a count is exact, and the same each time.
 */
import { EngineError, restorePackage } from './error.ts'

/** The import of the counts. */
export const counterModule = 'counts'
export const counterName = 'memory'
/** Addresses that are counted, from 0 on; those beyond count for others below: a program's bytecode lies far lower. */
export const countedBytes = 64 << 20
/** Of the counts' memory. */
export const counterPages = (countedBytes * 4) / 65536

/** The interpreter of bytecode has about 250 opcodes; that of regular expressions, the other with a large table, less than 100. */
const fewestOpcodes = 200

const section = { import: 2, code: 10 }
const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  call: 0x10,
  callIndirect: 0x11,
  selectTyped: 0x1c,
  localGet: 0x20,
  localTee: 0x22,
  globalSet: 0x24,
  load: 0x28,
  load8: 0x2d,
  i32Load: 0x28,
  i32Store: 0x36,
  store: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Shl: 0x74,
  more: 0xfc,
} as const

function refuse(what: string): never {
  throw new EngineError(`The engine's bytecodes cannot be counted: ${what}.`, 'emscripten-module.wasm', restorePackage)
}

/** The module with counters. Throws an EngineError when its interpreter is not found, or not as it should be. */
export function withCounters(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [wasm.subarray(0, 8)]
  let hasCode = false
  for (let at = 8; at < wasm.length; ) {
    const [length, body] = leb(wasm, at + 1)
    const content = wasm.subarray(body, body + length)
    const id = wasm[at]
    if (id === section.code) hasCode = true
    const changed = id === section.import ? withImport(content) : id === section.code ? withCounts(content) : content
    parts.push(Uint8Array.from([id, ...toLeb(changed.length)]), changed)
    at = body + length
  }
  if (!hasCode) refuse('there is no code')
  return Uint8Array.from(Buffer.concat(parts))
}

function withImport(content: Uint8Array): Uint8Array {
  const [count, entries] = leb(content, 0)
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)]
  // A memory without a maximum. The engine's own is imported as well, so this is the second.
  const added = [...name(counterModule), ...name(counterName), 2, 0, ...toLeb(counterPages)]
  return Buffer.concat([Uint8Array.from(toLeb(count + 1)), content.subarray(entries), Uint8Array.from(added)])
}

function withCounts(content: Uint8Array): Uint8Array {
  const [count, first] = leb(content, 0)
  const parts: Uint8Array[] = [content.subarray(0, first)]
  let interpreters = 0
  let at = first
  for (let i = 0; i < count; i++) {
    const [length, body] = leb(content, at)
    const code = content.subarray(body, body + length)
    const place = dispatchOf(code)
    if (place === undefined) parts.push(content.subarray(at, body + length))
    else {
      interpreters++
      const counting = raise(place.pc)
      parts.push(Uint8Array.from(toLeb(length + counting.length)), code.subarray(0, place.at), counting, code.subarray(place.at))
    }
    at = body + length
  }
  if (interpreters !== 1) refuse(`there are ${interpreters} interpreters`)
  return Buffer.concat(parts)
}

/**
 * Of an interpreter: where its jump to a handler is, and the local that has the opcode's address there. It ends with: fetch the byte at `pc`, subtract 1,
 * jump by it.
 */
function dispatchOf(code: Uint8Array): { at: number; pc: number } | undefined {
  let at = leb(code, 0)[1]
  for (let groups = leb(code, 0)[0]; groups > 0; groups--) at = leb(code, at)[1] + 1
  const before: { at: number; opcode: number; operand: number }[] = []
  let found: { at: number; pc: number } | undefined
  while (at < code.length) {
    const opcode = code[at]
    const [operand, behind] = at + 1 < code.length ? leb(code, at + 1) : [0, at + 1]
    if (opcode === op.brTable && operand >= fewestOpcodes) {
      const [get, load, tee, one, subtract] = before.slice(-5)
      const isFetch = get?.opcode === op.localGet && load.opcode === op.load8 && tee.opcode === op.localTee
      if (!isFetch || one.opcode !== op.i32Const || one.operand !== 1 || subtract.opcode !== op.i32Sub || tee.operand === get.operand)
        refuse('its interpreter does not fetch its opcodes as it did')
      if (found !== undefined) refuse('its interpreter has two jumps to handlers')
      found = { at, pc: get.operand }
    }
    before.push({ at, opcode, operand })
    if (before.length > 8) before.shift()
    at = next(code, at, operand, behind)
  }
  return found
}

/** Where the next instruction begins. */
function next(code: Uint8Array, at: number, operand: number, behind: number): number {
  const opcode = code[at]
  const skip = (start: number, count: number): number => {
    let end = start
    for (let i = 0; i < count; i++) end = leb(code, end)[1]
    return end
  }
  if (opcode === op.brTable) return skip(behind, operand + 1)
  if (opcode === op.selectTyped) return behind + operand
  if (opcode === op.f32Const) return at + 5
  if (opcode === op.f64Const) return at + 9
  if (opcode === op.callIndirect) return skip(behind, 1)
  if (opcode >= op.load && opcode <= op.store) return skip(behind, 1)
  if (opcode === op.more) return skip(behind, operand < 8 ? 0 : operand === 8 || operand === 10 ? 2 : 1)
  const hasOne =
    (opcode >= op.block && opcode <= op.if) ||
    opcode === op.br ||
    opcode === op.brIf ||
    opcode === op.call ||
    (opcode >= op.localGet && opcode <= op.globalSet) ||
    (opcode >= op.memorySize && opcode <= op.i64Const)
  return hasOne ? behind : at + 1
}

/** counts[pc]++ */
function raise(pc: number): Uint8Array {
  const inSecond = [0x42, 1, 0] // aligned to 4 bytes, of memory 1, offset 0
  const address = [op.localGet, ...toLeb(pc), op.i32Const, ...signedLeb(countedBytes - 1), op.i32And, op.i32Const, 2, op.i32Shl]
  return Uint8Array.from([...address, ...address, op.i32Load, ...inSecond, op.i32Const, 1, op.i32Add, op.i32Store, ...inSecond])
}

/** LEB128: the value, as if it had no sign, and the place behind it. */
function leb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let end = at
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[end++]
    value += (byte & 127) * scale
    if (byte < 128) return [value, end]
  }
}

const toLeb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...toLeb(value >>> 7)])
/** Of a number that is not negative. */
const signedLeb = (value: number): number[] => (value < 64 ? [value] : [(value & 127) | 128, ...signedLeb(value >>> 7)])
