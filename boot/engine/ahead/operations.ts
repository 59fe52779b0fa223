/** What bodies do by themselves, by the name of the opcode. An operation that says false, or that is not here, is the interpreter's. */
import type { Instruction } from './function.ts'
import { asInteger, constant, dropped, integer, isInteger, isPlain, owned, raw, type Value } from './stack.ts'
import type { BodyWriter } from './write.ts'

type Operation = (body: BodyWriter, instruction: Instruction) => boolean | void

export const operations = new Map<string, Operation>()

const define = (names: string, operation: (body: BodyWriter, instruction: Instruction) => boolean): void => {
  for (const name of names.split(' ')) operations.set(name, operation)
}
/** One that never says no. */
const always = (names: string, operation: (body: BodyWriter, instruction: Instruction) => void): void =>
  define(names, (body, instruction) => {
    operation(body, instruction)
    return true
  })

// Constants

always('push_i32 push_i8 push_i16 push_minus1 push_0 push_1 push_2 push_3 push_4 push_5 push_6 push_7', (body, { operand }) =>
  body.push(integer(operand)),
)
always('undefined', body => body.push(constant('VALUE(UNDEFINED, 0)')))
always('null', body => body.push(constant('VALUE(NIL, 0)')))
always('push_false', body => body.push(constant('TRUTH(0)')))
always('push_true', body => body.push(constant('TRUTH(1)')))
always('push_const push_const8', (body, { operand }) => body.push({ kind: 'place', text: `CONSTANT(${operand})`, where: 'constant' }))
define('push_atom_value', (body, { at, operand }) => {
  if (operand >= 0x80000000) return false
  body.push({ kind: 'place', text: `TEXT(hole_text_${at})`, where: 'constant' })
  return true
})
always('catch', (body, { operand }) => body.push(constant(`VALUE(CATCH_OFFSET, ${operand})`)))
define('push_this', body => {
  if (!body.code.isStrict) return false
  body.push({ kind: 'place', text: 'S->w2c_p2', where: 'this' })
  return true
})

// Arguments and variables

/** The place that an opcode's name and operand tell. */
function variable(
  { code }: BodyWriter,
  { opcode, operand }: Instruction,
): { address: string; text: string; where: string; captured: boolean } {
  const isArgument = /arg/.test(opcode.name)
  return {
    address: `${isArgument ? 'arguments' : 'variables'} + ${8 * operand}`,
    text: `i64_load(${isArgument ? 'arguments' : 'variables'} + ${8 * operand})`,
    where: `${isArgument ? 'argument' : 'local'} ${operand}`,
    captured: (isArgument ? code.captured.arguments : code.captured.variables)[operand] ?? true,
  }
}

function read(body: BodyWriter, instruction: Instruction): void {
  const { text, where, captured } = variable(body, instruction)
  if (!captured) return body.push({ kind: 'place', text, where })
  const name = body.name()
  body.emit(`u64 ${name} = ${text};`)
  body.push({ kind: 'weak', name })
}

function write(body: BodyWriter, instruction: Instruction, value: Value): void {
  const { address, where } = variable(body, instruction)
  body.written(where)
  const name = body.name()
  body.release(value)
  body.emit(`u64 ${name} = ${owned(value)};`)
  body.effects()
  body.emit(`set(${address}, ${name});`)
}

always('get_loc get_loc8 get_loc0 get_loc1 get_loc2 get_loc3 get_arg get_arg0 get_arg1 get_arg2 get_arg3', read)
always('put_loc put_loc8 put_loc0 put_loc1 put_loc2 put_loc3 put_arg put_arg0 put_arg1 put_arg2 put_arg3', (body, instruction) =>
  write(body, instruction, body.pop()),
)
always('set_loc set_loc8 set_loc0 set_loc1 set_loc2 set_loc3 set_arg set_arg0 set_arg1 set_arg2 set_arg3', (body, instruction) => {
  write(body, instruction, body.pop())
  read(body, instruction)
})
always('set_loc_uninitialized', (body, instruction) => write(body, instruction, constant('VALUE(UNINITIALIZED, 0)')))

/** Those that look whether the variable has been initialized: when not, the interpreter throws. */
function checked(body: BodyWriter, text: string): void {
  body.effects()
  body.emit(`if (UNLIKELY(TAG(${text}) == UNINITIALIZED)) { ${body.slow([])} }`)
}
always('get_loc_check', (body, instruction) => {
  checked(body, variable(body, instruction).text)
  read(body, instruction)
})
define('put_loc_check', (body, instruction) => {
  const value = body.pop()
  body.effects()
  body.emit(`if (UNLIKELY(TAG(${variable(body, instruction).text}) == UNINITIALIZED)) { ${body.slow([value])} }`)
  write(body, instruction, value)
  return true
})
define('inc_loc dec_loc', (body, instruction) => {
  const { text, address, where } = variable(body, instruction)
  const isUp = instruction.opcode.name === 'inc_loc'
  body.written(where)
  body.effects()
  const name = body.name()
  body.emit(`u64 ${name} = ${text};`)
  body.emit(
    `if (LIKELY(TAG(${name}) == INT && (s32)${name} != ${isUp ? '2147483647' : '(-2147483647 - 1)'})) i64_store(${address}, (u64)((u32)${name} ${isUp ? '+' : '-'} 1u)); else { ${body.slow([])} }`,
  )
  return true
})
define('add_loc', (body, instruction) => {
  const { text, address, where } = variable(body, instruction)
  const value = body.pop()
  if (isInteger(value) === '0') {
    body.push(value)
    return false
  }
  body.written(where)
  body.effects()
  const [name, sum] = [body.name(), body.name('i')]
  body.emit(`u64 ${name} = ${text}; s32 ${sum};`)
  body.emit(
    `if (LIKELY(TAG(${name}) == INT && ${isInteger(value)} && !__builtin_add_overflow((s32)${name}, ${asInteger(value)}, &${sum}))) i64_store(${address}, (u64)(u32)${sum}); else { ${body.slow([value])} }`,
  )
  return true
})

// Variables of enclosing functions

function readClosure(body: BodyWriter, operand: number): void {
  const name = body.name()
  body.emit(`u64 ${name} = i64_load(CLOSURE(${operand}));`)
  body.push({ kind: 'weak', name })
}
always('get_var_ref get_var_ref0 get_var_ref1 get_var_ref2 get_var_ref3', (body, { operand }) => readClosure(body, operand))
always('get_var_ref_check', (body, { operand }) => {
  body.effects()
  const name = body.name()
  body.emit(`u64 ${name} = i64_load(CLOSURE(${operand}));`)
  body.emit(`if (UNLIKELY(TAG(${name}) == UNINITIALIZED)) { ${body.slow([])} }`)
  body.push({ kind: 'weak', name })
})
function writeClosure(body: BodyWriter, operand: number, value: Value): void {
  body.release(value)
  const name = body.name()
  body.emit(`u64 ${name} = ${owned(value)};`)
  body.effects()
  body.emit(`set(CLOSURE(${operand}), ${name});`)
}
always('put_var_ref put_var_ref0 put_var_ref1 put_var_ref2 put_var_ref3', (body, { operand }) => writeClosure(body, operand, body.pop()))
always('set_var_ref set_var_ref0 set_var_ref1 set_var_ref2 set_var_ref3', (body, { operand }) => {
  writeClosure(body, operand, body.pop())
  readClosure(body, operand)
})

// The stack itself

always('drop', body => body.drop(body.pop()))
/** The same value once more, above it. */
function copied(value: Value): Value {
  if (value.kind === 'own') return { kind: 'weak', name: value.name, of: value.name }
  if (value.kind === 'weak') return { kind: 'weak', name: value.name, of: value.of ?? (value.keep ? undefined : value.of) }
  return value
}
/** Copies of a weak value with a reference that is kept in a variable cannot rely on it. */
function steady(body: BodyWriter, count: number): Value[] {
  const values = Array.from({ length: count }, () => body.pop()).reverse()
  return values.map(value => (value.kind === 'weak' && value.keep ? body.keep(value) : value))
}
const arrange = (names: string, count: number, order: (values: readonly Value[]) => readonly Value[]): void =>
  always(names, body => {
    for (const value of order(steady(body, count))) body.push(value)
  })
arrange('dup', 1, ([a]) => [a, copied(a)])
arrange('dup1', 2, ([a, b]) => [a, copied(a), b])
arrange('dup2', 2, ([a, b]) => [a, b, copied(a), copied(b)])
arrange('dup3', 3, ([a, b, c]) => [a, b, c, copied(a), copied(b), copied(c)])
arrange('insert2', 2, ([a, b]) => [copied(b), a, b])
arrange('insert3', 3, ([a, b, c]) => [copied(c), a, b, c])
arrange('insert4', 4, ([a, b, c, d]) => [copied(d), a, b, c, d])
arrange('swap', 2, ([a, b]) => [b, a])
arrange('swap2', 4, ([a, b, c, d]) => [c, d, a, b])
arrange('perm3', 3, ([a, b, c]) => [b, a, c])
arrange('perm4', 4, ([a, b, c, d]) => [c, a, b, d])
arrange('perm5', 5, ([a, b, c, d, e]) => [d, a, b, c, e])
arrange('rot3l', 3, ([a, b, c]) => [b, c, a])
arrange('rot3r', 3, ([a, b, c]) => [c, a, b])
arrange('rot4l', 4, ([a, b, c, d]) => [b, c, d, a])
arrange('rot5l', 5, ([a, b, c, d, e]) => [b, c, d, e, a])
always('nip', body => {
  const top = body.pop()
  const below = body.pop()
  body.push(top)
  body.drop(below)
})
always('nip1', body => {
  const [b, c] = [body.pop(), body.pop()]
  const below = body.pop()
  body.push(c)
  body.push(b)
  body.drop(below)
})
always('nip_catch', (body, { after }) => {
  const top = body.pop()
  const gone: Value[] = []
  while (body.depth >= after) gone.push(body.pop())
  body.push(top)
  for (const value of gone) body.drop(value)
})
always('nop', () => {})

// Branches

/** As a condition of C that stays the same; the value is used up. */
function condition(body: BodyWriter, value: Value): string {
  if (value.kind === 'truth') return value.name
  if (value.kind === 'integer') return `${value.name} != 0`
  body.release(value)
  const name = body.name('c')
  body.emit(`u32 ${name} = truth(${raw(value)});`)
  body.drop(value)
  return name
}
always('goto goto8 goto16', (body, { operand }) => body.jump(operand))
always('if_true if_true8', (body, { operand }) => body.jump(operand, condition(body, body.pop())))
always('if_false if_false8', (body, { operand }) => body.jump(operand, `!(${condition(body, body.pop())})`))
always('return', body => body.returns(body.pop()))
always('return_undef', body => body.returns(constant('VALUE(UNDEFINED, 0)')))

// Tests

const test = (names: string, of: (bits: string) => string): void =>
  always(names, body => {
    const value = body.pop()
    const name = body.name('c')
    body.emit(`u32 ${name} = ${of(raw(value))};`)
    body.drop(value)
    body.push({ kind: 'truth', name })
  })
test('is_undefined', bits => `TAG(${bits}) == UNDEFINED`)
test('is_null', bits => `TAG(${bits}) == NIL`)
test('is_undefined_or_null', bits => `(TAG(${bits}) & ~1u) == NIL`)
always('lnot', body => {
  const value = body.pop()
  const was = condition(body, value)
  const name = body.name('c')
  body.emit(`u32 ${name} = !(${was});`)
  body.push({ kind: 'truth', name })
})

/** Two integers, or what the interpreter says. */
const compare = (names: string, operator: string): void =>
  define(names, body => {
    const taken = body.integers(2)
    if (taken === undefined) return false
    const [a, b] = taken
    const name = body.name('c')
    const fast = `${name} = ${asInteger(a)} ${operator} ${asInteger(b)};`
    const slow = body.name()
    body.emit(`u32 ${name}; u64 ${slow};`)
    if (isInteger(a) === '1' && isInteger(b) === '1') body.emit(fast)
    else body.emit(`if (LIKELY(${isInteger(a)} && ${isInteger(b)})) ${fast} else { ${body.slowly(slow, [a, b])} ${name} = (u32)${slow}; }`)
    body.push({ kind: 'truth', name })
    return true
  })
compare('lt', '<')
compare('lte', '<=')
compare('gt', '>')
compare('gte', '>=')

/** The same bits mean the same unless it is a number that is not one; different bits mean something else unless there are numbers, texts or big integers. */
const same = (names: string, isEqual: boolean, isStrict: boolean): void =>
  define(names, body => {
    const b = body.pop()
    const a = body.pop()
    body.effects()
    const name = body.name('c')
    const [x, y] = [raw(a), raw(b)]
    const decided = `${name} = ${x} ${isEqual ? '==' : '!='} ${y};`
    const isSimple = (value: Value) => value.kind === 'truth' || (value.kind === 'constant' && value.integer === undefined)
    const slow = body.name()
    body.emit(`u32 ${name}; u64 ${slow};`)
    if (isStrict && (isSimple(a) || isSimple(b))) {
      body.emit(decided)
      for (const value of [a, b]) body.emit(dropped(value))
    } else {
      const objects = isStrict && !isPlain(a) && !isPlain(b) ? ` || ((${x}) >= OBJECT && (${y}) >= OBJECT)` : ''
      const drops = [a, b].map(dropped).join(' ')
      body.emit(
        `if (LIKELY((${isInteger(a)} && ${isInteger(b)})${objects})) { ${decided} ${drops} } else { ${body.slowly(slow, [a, b])} ${name} = (u32)${slow}; }`,
      )
    }
    body.push({ kind: 'truth', name })
    return true
  })
same('strict_eq', true, true)
same('strict_neq', false, true)
same('eq', true, false)
same('neq', false, false)
