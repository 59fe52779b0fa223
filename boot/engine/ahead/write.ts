/**
 * The body of a function as C. Arguments and variables stay where the interpreter has them; the stack is variables of C, and values on it that somebody else keeps alive are not
 * counted. What a body does not do by itself does the interpreter's handler (steps.ts), with the values of the instruction in their places. A body leaves at an
 * exception with everything in its place, and can be entered at a few instructions: the start, where exceptions are caught, where a generator goes on.
 */
import { type FunctionCode, goesOn, type Instruction, popsOf, targetsOf } from './function.ts'
import './arithmetic.ts'
import './properties.ts'
import { operations } from './operations.ts'
import { dropped, isInteger, isPlain, owned, raw, type Value } from './stack.ts'

export interface BodySource {
  readonly text: string
  /** Instructions where it can be entered, by their places in the bytecode. The first is the start. */
  readonly entries: readonly number[]
  /** Engine functions beyond body.h, by opcode: step_N. */
  readonly steps: ReadonlySet<number>
}

/** Instructions that look deeper into the stack than they say. */
const deep = new Set(['for_of_next', 'for_in_next', 'for_await_of_next', 'copy_data_properties', 'iterator_call', 'iterator_next'])
/** Those that only the interpreter does, from the opcode on. */
const left = new Set(['gosub', 'ret'])
/** Functions with these are not compiled: names are looked up at run time. */
const refused = /^(?:eval|apply_eval|with_|make_|get_ref_value|put_ref_value|import$|invalid)/

/** undefined: the function cannot be compiled. */
export function writeBody(key: string, code: FunctionCode, steps: ReadonlySet<number>): BodySource | undefined {
  const reached = code.instructions.filter(({ depth }) => depth >= 0)
  if (reached.length === 0 || reached.some(({ opcode }) => refused.test(opcode.name))) return undefined
  if (left.has(reached[0].opcode.name)) return undefined
  return new BodyWriter(code, reached, steps).write(key)
}

/** The variable of C for a place on the stack. Not `s32`, which is a type. */
const slot = (i: number): string => `s${i}_`

export class BodyWriter {
  readonly code: FunctionCode
  readonly #instructions: readonly Instruction[]
  readonly #steps: ReadonlySet<number>
  readonly #used = new Set<number>()
  readonly #lines: string[] = []
  /** Labels by what is done there. */
  readonly #exits = new Map<string, string>()
  #stack: Value[] = []
  #fresh = 0
  /** Instruction that is being written. */
  at: Instruction
  /** Whether what follows can be reached from before. */
  #isOpen = true

  constructor(code: FunctionCode, instructions: readonly Instruction[], steps: ReadonlySet<number>) {
    this.code = code
    this.#instructions = instructions
    this.#steps = steps
    this.at = instructions[0]
  }

  write(key: string): BodySource {
    const entries = this.#entries()
    const leaders = new Set([...entries, ...this.#instructions.flatMap(targetsOf)])
    const deepest = Math.max(0, ...this.#instructions.map(({ depth, after }) => Math.max(depth, after)))
    for (const instruction of this.#instructions) {
      this.at = instruction
      const leads = leaders.has(instruction.at)
      if (leads && this.#isOpen) this.#settle()
      if (leads || !this.#isOpen) {
        if (leads) this.emit(`L${instruction.at}:;`)
        this.#stack = Array.from({ length: instruction.depth }, (_, i): Value => ({ kind: 'own', name: slot(i) }))
      }
      this.#isOpen = goesOn(instruction)
      this.#write(instruction)
    }
    const slots = Array.from({ length: deepest }, (_, i) => slot(i))
    const cases = entries.map((at, i) => {
      const { depth } = this.#instructions.find(each => each.at === at)!
      const loads = slots.slice(0, depth).map((name, j) => `${name} = i64_load(SLOT(${j})); `)
      return i === 0 ? '' : `\tcase ${i}: ${loads.join('')}goto L${at};\n`
    })
    const exits = [...this.#exits].map(([text, label]) => `\t${label}: __attribute__((cold)); ${text}\n`)
    const { code } = this
    const text = `struct left body_${key}(struct native_state *const S, u32 entry)
{
	enum { VARIABLES = ${code.variables} };
	const u64 sf = AT(S->sf - ENGINE_BASE), variables = AT(S->var - ENGINE_BASE), arguments = AT(S->arg - ENGINE_BASE), closures = AT(S->vref - ENGINE_BASE);
	u32 k = 0;
	${slots.length > 0 ? `u64 ${slots.map(name => `${name} = 0`).join(', ')};` : ''}
	if (LIKELY(!entry)) goto L0;
	switch (entry) {
${cases.join('')}	}
	__builtin_unreachable();
${this.#lines.map(line => `\t${line}\n`).join('')}${exits.join('')}}

asm(".section .text.call_${key},\\"ax\\",@progbits\\n"
	"call_${key}: .globl call_${key}\\n"
	"lea body_${key}(%rip), %rax\\n push %rax\\n call call_body\\n pop %rdx\\n ret\\n"
	".type call_${key}, @function; .size call_${key}, . - call_${key}\\n.text\\n");
`
    return { text, entries, steps: this.#used }
  }

  /** Where the interpreter may come in: what it does alone, or what it goes on with after an exception or a pause. */
  #entries(): number[] {
    const found = new Set<number>()
    this.#instructions.forEach((instruction, i) => {
      const { name } = instruction.opcode
      const next = this.#instructions[i + 1]
      if (name === 'catch' || left.has(name)) for (const to of targetsOf(instruction)) found.add(to)
      if ((left.has(name) || /yield|await$/.test(name)) && goesOn(instruction) && next) found.add(next.at)
      // A loop that the interpreter has come into.
      for (const to of targetsOf(instruction)) if (to <= instruction.at) found.add(to)
    })
    const alone = new Set(this.#instructions.filter(({ opcode }) => left.has(opcode.name)).map(({ at }) => at))
    found.delete(this.#instructions[0].at)
    return [this.#instructions[0].at, ...[...found].filter(at => !alone.has(at)).sort((a, b) => a - b)]
  }

  #write(instruction: Instruction): void {
    const { name, number } = instruction.opcode
    const operation = operations.get(name)
    if (operation?.(this, instruction)) return
    if (left.has(name) || !this.#steps.has(number)) return this.#leave()
    this.step()
  }

  emit(line: string): void {
    if (line !== '') this.#lines.push(line)
  }

  /** A new variable of C. */
  name(letter = 't'): string {
    return `${letter}${++this.#fresh}_`
  }

  push(value: Value): void {
    this.#stack.push(value)
  }

  /** Pushes a u64 of C that has a reference of its own. */
  pushOwn(text: string): void {
    const name = this.name()
    this.emit(`u64 ${name} = ${text};`)
    this.push({ kind: 'own', name })
  }

  pop(): Value {
    return this.#stack.pop()!
  }

  /** The values that an instruction on integers takes, in their order; undefined, and the stack as it was, where one is none for sure. */
  integers(count: number): Value[] | undefined {
    const taken = this.#stack.slice(-count)
    if (taken.some(value => isInteger(value) === '0')) return undefined
    this.#stack.length -= count
    this.effects()
    return taken
  }

  top(): Value {
    return this.#stack[this.#stack.length - 1]
  }

  get depth(): number {
    return this.#stack.length
  }

  /** What follows may free what nobody keeps for us: takes references to such values on the stack. */
  effects(): void {
    this.#stack = this.#stack.map(value => (value.kind === 'weak' ? this.keep(value) : value))
  }

  /** As one with a reference of ours. */
  keep(value: Value): Value {
    if (value.kind !== 'weak') return value
    const name = this.name()
    this.emit(`u64 ${name} = ${owned(value)};`)
    return { kind: 'own', name }
  }

  /** The place is written: values on the stack that are read from there get variables of their own. */
  written(where: string): void {
    this.#stack = this.#stack.map(value => {
      if (value.kind !== 'place' || value.where !== where) return value
      const name = this.name()
      this.emit(`u64 ${name} = ${owned(value)};`)
      return { kind: 'own', name }
    })
  }

  /** Before the reference of a value goes: whoever relies on it gets one. */
  release(value: Value): void {
    if (value.kind !== 'own') return
    this.#stack = this.#stack.map(other => (other.kind === 'weak' && other.of === value.name ? this.keep(other) : other))
  }

  drop(value: Value): void {
    if (isPlain(value) || value.kind === 'place' || (value.kind === 'weak' && !value.keep)) return
    this.release(value)
    this.effects()
    this.emit(dropped(value))
  }

  /** C that stores the values of the stack in their places, up to the depth `to`. */
  spilled(from = 0, values: readonly Value[] = this.#stack): string {
    return values.map((value, i) => `i64_store(SLOT(${from + i}), ${owned(value)});`).join(' ')
  }

  /** C that leaves with an exception: what is on the stack now is there when it is caught. */
  thrown(): string {
    const { at, opcode } = this.at
    return `{ S->pc = PC(${at + opcode.size}); ${this.#exit(`S->sp = SP_AT(${this.depth}); return ended(S, NATIVE_EXCEPTION);`)} }`
  }

  /** C that goes to where the stack is put into its places before `end`: once for all that leave so. */
  #exit(end: string): string {
    const text = `${this.spilled()} ${end}`
    const label = this.#exits.get(text) ?? `x${this.#exits.size}_`
    this.#exits.set(text, label)
    return `goto ${label};`
  }

  /**
   * C for what the instruction gives when the interpreter does it with one or two values, which are no longer on the stack: into `result`,
   * with a reference of its own.
   */
  slowly(result: string, taken: readonly Value[]): string {
    const { at, opcode } = this.at
    this.#used.add(opcode.number)
    let bits = 0
    const given = taken.map((value, i) => {
      if (value.kind !== 'place' && (value.kind !== 'weak' || value.keep)) return owned(value)
      bits |= 1 << i
      return raw(value)
    })
    const call = `slow_${taken.length === 1 ? 'one' : 'two'}(S, ${given.join(', ')}, AT(SLOT(${this.depth}) | ${bits}), PC(${at}), STEP(step_${opcode.number}))`
    return `${result} = ${call}; if (IS_EXCEPTION(${result})) ${this.#exit('return ended(S, NATIVE_EXCEPTION);')}`
  }

  /**
   * C that does the instruction as the interpreter does, with the values that it takes, which are no longer on the stack: what it leaves is in
   * their places.
   * @param name `step` where that is its only way
   */
  slow(taken: readonly Value[], name = 'rare'): string {
    const { at, opcode } = this.at
    this.#used.add(opcode.number)
    const base = this.depth
    return `${this.spilled(base, taken)} S->sp = SP_AT(${base + taken.length}); k = ${name}_${opcode.number}(S, PC(${at})); if (UNLIKELY(k)) ${this.#exit('return ended(S, k);')}`
  }

  /** The whole instruction as the interpreter does it. */
  step(): void {
    const { opcode } = this.at
    const count = deep.has(opcode.name) ? this.depth : popsOf(this.at)
    if (/arg|loc/.test(opcode.format)) this.written(`${opcode.format.includes('arg') ? 'argument' : 'local'} ${this.at.operand}`)
    this.effects()
    const taken = this.#stack.splice(this.depth - count)
    const base = this.depth
    const left = base + count + (opcode.pushes - popsOf(this.at))
    this.effects()
    const results = Array.from({ length: left - base }, () => this.name())
    if (results.length > 0) this.emit(`u64 ${results.join(', ')};`)
    this.emit(`{ ${this.slow(taken, 'step')} ${results.map((name, i) => `${name} = i64_load(SLOT(${base + i}));`).join(' ')} }`)
    if (!goesOn(this.at)) this.emit('__builtin_unreachable();')
    for (const name of results) this.push({ kind: 'own', name })
  }

  /** All values into the variables of the stack: as every block finds them. */
  #settle(): void {
    const moves: [string, string][] = []
    this.#stack.forEach((value, i) => {
      if (value.kind === 'own' && value.name === slot(i)) return
      const name = this.name('m')
      moves.push([slot(i), name])
      this.emit(`u64 ${name} = ${owned(value)};`)
    })
    for (const [to, name] of moves) this.emit(`${to} = ${name};`)
    this.#stack = this.#stack.map((_, i): Value => ({ kind: 'own', name: slot(i) }))
  }

  /** Goes on at another instruction, always or if the condition holds, with the stack as it is now. */
  jump(to: number, condition?: string): void {
    this.#settle()
    this.emit(condition === undefined ? `goto L${to};` : `if (${condition}) goto L${to};`)
  }

  /** To the interpreter, which does this instruction. */
  #leave(): void {
    this.emit(`${this.spilled()} S->sp = SP_AT(${this.depth}); S->pc = PC(${this.at.at}); return ended(S, NATIVE_DISPATCH);`)
    this.#isOpen = false
  }

  /** The end of the function. */
  returns(value: Value): void {
    const name = this.name()
    this.release(value)
    this.emit(`u64 ${name} = ${this.#moved(value)};`)
    for (const rest of this.#stack.splice(0)) this.emit(dropped(rest))
    this.emit(`S->sp = SP_AT(0); return (struct left){ ${name}, NATIVE_RETURN };`)
  }

  /** A variable that ends with the function gives its reference. */
  #moved(value: Value): string {
    const local = value.kind === 'place' ? /^local (\d+)$/.exec(value.where) : null
    return local ? `take(${raw(value).replace(/^i64_load\((.*)\)$/, '$1')})` : owned(value)
  }
}
