/**
 * What a variable of a handler is known to be, in terms of what stays the same or is known when a body is joined: the interpreter's
 * registers (stack pointer, variables, arguments ...) plus a constant, plus an operand of the bytecode.
 */
import type { Statement } from './graph.ts'

/** An operand: read by this load of wasm2c at this offset from the opcode, shifted left. */
export interface Operand {
  readonly load: string
  readonly at: number
  readonly shift: number
}

export interface Known {
  /** '' for a constant. */
  readonly base: string
  readonly offset: number
  readonly operand?: Operand
}

export type Environment = Map<string, Known>

export const sameKnown = (a: Known | undefined, b: Known | undefined): boolean => keyOf(a) === keyOf(b)
export const keyOf = (k: Known | undefined): string =>
  k === undefined ? '' : `${k.base}${k.offset}${k.operand ? `${k.operand.load}@${k.operand.at}<<${k.operand.shift}` : ''}`

export const operandHole = ({ load, at, shift }: Operand): string => `hole_${load}_${at}_${shift}`

function add(a: Known, b: Known): Known | undefined {
  if ((a.base && b.base) || (a.operand && b.operand)) return undefined
  const operand = a.operand ?? b.operand
  return { base: a.base || b.base, offset: (a.offset + b.offset) | 0, ...(operand && { operand }) }
}

const patterns = {
  copy: /^(\w+) = (w2c_\w+);$/,
  constant: /^(\w+) = (\d+)u;$/,
  change: /^(\w+) (\+|-|<<)= (?:(w2c_\w+)|\((w2c_\w+) & 31\));$/,
  compare: /^(\w+) = (w2c_\w+) (==|!=|<=|>=|<|>) (w2c_\w+);$/,
  not: /^(\w+) = !\((w2c_\w+)\);$/,
  load: /^(\w+) = (\w+_load\w*)\(\(u64\)\((w2c_\w+)\)(?: \+ (\d+)u)?\);$/,
  store: /^(\w+_store\w*)\(\(u64\)\((w2c_\w+)\)(?: \+ (\d+))?, (w2c_\w+)\);$/,
}

/** The number that is known, as a u32. */
export const constantOf = (known: Known | undefined): number | undefined =>
  known && !known.base && !known.operand ? known.offset >>> 0 : undefined

function compare(a: number, operator: string, b: number): boolean {
  switch (operator) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    default:
      return a >= b
  }
}

/** What a load or store reaches: address, and for a store the variable stored. */
export interface Access {
  readonly operation: string
  readonly address: Known
  readonly into?: string
  readonly value?: string
}

export function accessOf({ text }: Statement, known: Environment): Access | undefined {
  const load = patterns.load.exec(text)
  const store = load ? null : patterns.store.exec(text)
  const [variable, offset] = load ? [load[3], load[4]] : store ? [store[2], store[3]] : []
  const at = variable === undefined ? undefined : known.get(variable)
  if (!at) return undefined
  const address = { ...at, offset: at.offset + Number(offset ?? 0) }
  return load ? { operation: load[2], address, into: load[1] } : { operation: store![1], address, value: store![4] }
}

/** What the statement makes of the variable that it defines; undefined when nothing is known. `isWord`: of 32 bits, no float. */
export function evaluate(statement: Statement, known: Environment, isWord: (variable: string) => boolean): Known | undefined {
  const { text, defines } = statement
  if (defines === undefined || !isWord(defines)) return undefined
  let match: RegExpExecArray | null
  if ((match = patterns.copy.exec(text))) return known.get(match[2])
  if ((match = patterns.constant.exec(text))) return { base: '', offset: Number(match[2]) | 0 }
  if ((match = patterns.change.exec(text))) {
    const a = known.get(match[1])
    const b = known.get(match[3] ?? match[4])
    if (!a || !b) return undefined
    if (match[2] === '+') return add(a, b)
    if (b.base || b.operand) return undefined
    if (match[2] === '-') return add(a, { base: '', offset: -b.offset })
    if (a.base || b.offset < 0 || b.offset > 31) return undefined
    return { base: '', offset: a.offset << b.offset, ...(a.operand && { operand: { ...a.operand, shift: a.operand.shift + b.offset } }) }
  }
  if ((match = patterns.compare.exec(text))) {
    const a = constantOf(known.get(match[2]))
    const b = constantOf(known.get(match[4]))
    return a === undefined || b === undefined ? undefined : { base: '', offset: Number(compare(a, match[3], b)) }
  }
  if ((match = patterns.not.exec(text))) {
    const a = constantOf(known.get(match[2]))
    return a === undefined ? undefined : { base: '', offset: Number(a === 0) }
  }
  const access = accessOf(statement, known)
  if (access?.into !== undefined && access.address.base === 'pc' && !access.address.operand && access.operation.startsWith('i32'))
    return { base: '', offset: 0, operand: { load: access.operation, at: access.address.offset, shift: 0 } }
  return undefined
}
