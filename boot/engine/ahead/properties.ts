/** Properties, elements and calls. */
import type { Instruction } from './function.ts'
import { operations } from './operations.ts'
import { dropped, owned, raw, type Value } from './stack.ts'
import type { BodyWriter } from './write.ts'

const hole = ({ at }: Instruction): string => `hole_atom_${at}`
const atom = (instruction: Instruction): string => `NUMBER(${hole(instruction)})`
const after = ({ at, opcode }: Instruction): string => `PC(${at + opcode.size})`

/** Whether the name is a number: such an atom is no address below 2 GiB, as which the compiler takes it. The interpreter does these. */
const isNumber = ({ operand }: Instruction): boolean => operand >= 0x80000000

/** Whether somebody else keeps the value alive until something is done. */
const isBorrowed = (value: Value): boolean => value.kind === 'place' || (value.kind === 'weak' && !value.keep)

/**
 * Pushes what `found` (C for a struct kept) gives for the object, which is used up. `quick` is C that sets a variable, or goes to a label, where
 * the other is asked.
 */
function look(
  body: BodyWriter,
  object: Value,
  { quick, found, others = [] }: { quick(value: string, label: string): string; found: string; others?: readonly Value[] },
): void {
  body.effects()
  const [value, keep, label] = [body.name(), body.name('k'), body.name('miss')]
  const general = `struct kept f = ${found}; ${value} = f.value; ${keep} = f.keep; if (IS_EXCEPTION(${value})) { ${[...others, object].map(dropped).join(' ')} ${body.thrown()} }`
  body.emit(`u64 ${value}, ${keep} = 0; { ${quick(value, label)} } if (0) { ${label}: __attribute__((cold)); ${general} }`)
  for (const other of others) body.emit(dropped(other))
  if (isBorrowed(object) || object.kind === 'constant') return body.push({ kind: 'weak', name: value, keep })
  const name = body.name()
  body.emit(`u64 ${name} = ${owned({ kind: 'weak', name: value, keep })}; ${dropped(object)}`)
  body.push({ kind: 'own', name })
}

operations.set('get_field', (body, instruction) => {
  if (isNumber(instruction)) return false
  const object = body.pop()
  look(body, object, {
    quick: (value, label) =>
      `u64 object = ${raw(object)}; FIND_FIELD(found, object, ${hole(instruction)}, ${label}) ${value} = i64_load(found);`,
    found: `field(S, ${raw(object)}, ${atom(instruction)}, ${after(instruction)})`,
  })
  return true
})
operations.set('get_private_field', body => {
  const symbol = body.pop()
  const object = body.pop()
  body.effects()
  const [value, label, slow] = [body.name(), body.name('miss'), body.name()]
  body.emit(
    `u64 ${value}, ${slow} = 0; { u64 object = ${raw(object)}, symbol = ${raw(symbol)}; FIND_PRIVATE(found, object, symbol, ${label}) ${value} = dup(i64_load(found)); ${dropped(object)} ${dropped(symbol)} } if (0) { ${label}: __attribute__((cold)); ${body.slowly(value, [object, symbol])} }`,
  )
  body.push({ kind: 'own', name: value })
  return true
})
operations.set('get_field2', (body, instruction) => {
  if (isNumber(instruction)) return false
  body.effects()
  const object = body.top()
  const name = body.name()
  body.emit(`struct kept f${name} = field(S, ${raw(object)}, ${atom(instruction)}, ${after(instruction)});`)
  body.emit(`if (IS_EXCEPTION(f${name}.value)) ${body.thrown()}`)
  body.emit(`u64 ${name} = f${name}.value, k${name} = f${name}.keep;`)
  body.push({ kind: 'weak', name, keep: `k${name}` })
  return true
})
operations.set('put_field', (body, instruction) => {
  if (isNumber(instruction)) return false
  const value = body.pop()
  const object = body.pop()
  body.effects()
  const [name, label] = [body.name(), body.name('miss')]
  body.emit(
    `u64 ${name} = ${owned(value)}; { u64 object = ${raw(object)}; FIND_PLACE(found, object, ${hole(instruction)}, ${label}) set(found, ${name}); } if (0) { ${label}: __attribute__((cold)); if (set_field(S, ${raw(object)}, ${atom(instruction)}, ${name}, ${after(instruction)})) { ${dropped(object)} ${body.thrown()} } }`,
  )
  body.emit(dropped(object))
  return true
})
operations.set('get_array_el', (body, instruction) => {
  const index = body.pop()
  const object = body.pop()
  const [a, b] = [raw(object), raw(index)]
  look(body, object, {
    quick: (value, label) => `${value} = element_of(${a}, ${b}); if (UNLIKELY(${value} == MISS)) goto ${label};`,
    found: `element(S, ${a}, ${b}, ${after(instruction)})`,
    others: [index],
  })
  return true
})
operations.set('put_array_el', body => {
  const value = body.pop()
  const index = body.pop()
  const object = body.pop()
  body.effects()
  body.emit(
    `if (LIKELY(set_byte(${raw(object)}, ${raw(index)}, ${raw(value)}))) { ${dropped(object)} } else { ${body.slow([object, index, value])} }`,
  )
  return true
})
operations.set('get_length', (body, { at, opcode }) => {
  const object = body.pop()
  if (object.kind !== 'place' && object.kind !== 'weak' && object.kind !== 'own') {
    body.push(object)
    return false
  }
  look(body, object, {
    quick: (value, label) => `${value} = length_of(${raw(object)}); if (UNLIKELY(${value} == MISS)) goto ${label};`,
    found: `field(S, ${raw(object)}, ATOM_LENGTH, PC(${at + opcode.size}))`,
  })
  return true
})

// Calls

function call(body: BodyWriter, instruction: Instruction, count: number, hasThis: boolean): void {
  body.effects()
  const args = Array.from({ length: count }, () => body.pop()).reverse()
  const fn = body.pop()
  const self = hasThis ? body.pop() : undefined
  body.effects()
  const base = body.depth + (hasThis ? 2 : 1)
  body.emit(args.map((value, i) => `i64_store(SLOT(${base + i}), ${owned(value)});`).join(' '))
  const result = body.name()
  body.emit(`NOTE_PC(${instruction.at + instruction.opcode.size});`)
  body.emit(
    `u64 ${result} = native_apply(CTX, ${raw(fn)}, ${self ? raw(self) : 'VALUE(UNDEFINED, 0)'}, ${count}, ${count > 0 ? `AT(SLOT(${base}))` : '0'});`,
  )
  if (count > 2) body.emit(`drop_all(AT(SLOT(${base})), ${count});`)
  else for (let i = 0; i < count; i++) body.emit(`drop_at(SLOT(${base + i}));`)
  body.emit(`${dropped(fn)} ${self ? dropped(self) : ''}`)
  body.emit(`if (IS_EXCEPTION(${result})) ${body.thrown()}`)
  body.push({ kind: 'own', name: result })
}
for (const [names, hasThis] of [
  ['call call0 call1 call2 call3 tail_call', false],
  ['call_method tail_call_method', true],
] as const)
  for (const name of names.split(' '))
    operations.set(name, (body, instruction) => {
      call(body, instruction, instruction.operand, hasThis)
      if (name.startsWith('tail_')) body.returns(body.pop())
      return true
    })
