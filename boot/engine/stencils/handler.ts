/**
 * The handler of one opcode as a C function: the blocks from its entry of the dispatch table to the next dispatch, copied. Where
 * the program counter is known, and it nearly always is, a dispatch becomes a jump to the next piece or to a branch's target;
 * otherwise, and for exceptions, return and yield, the piece leaves to the interpreter with its state.
 */
import { unexpected } from '../text.ts'
import { type Block, type End, type Graph, opcodeLabel, type Statement, successors } from './graph.ts'
import type { Roles } from './roles.ts'
import { accessOf, constantOf, type Environment, evaluate, type Known, keyOf, type Operand, operandHole, sameKnown } from './symbolic.ts'

/**
 * How a handler becomes a function of C. `inline`: `op_N`, a piece of its own for each instruction, with what is known of it as holes; where the way
 * leads to a call of the engine and nothing was changed yet, it goes to the slow form instead. `call`: `call_N`, once for all, which has
 * the instruction's address on the stack and looks at the bytecode, as the interpreter does.
 */
export type Form = 'inline' | 'call'

export interface Handler {
  readonly opcode: number
  readonly source: string
  /** Whether it goes to the slow form. */
  readonly slow: boolean
  /** Bytes of the bytecode, when the handler goes on behind it. */
  readonly length?: number
  /** Branches: the operand and what is added to the opcode's address. */
  readonly branches: readonly string[]
  readonly functions: ReadonlySet<string>
  readonly states: ReadonlySet<string>
}

interface Node {
  readonly name: string
  readonly block: Block
  known: Environment
}

/** undefined for the form `call` of a branch, which cannot be one. */
export function writeHandler(graph: Graph, roles: Roles, opcode: number, form: Form): Handler | undefined {
  if (form === 'inline') return new Writer(graph, roles, opcode, form, writeHandler(graph, roles, opcode, 'call') !== undefined).write()
  const handler = new Writer(graph, roles, opcode, form, false).write()
  return handler.branches.length > 0 ? undefined : handler
}

class Writer {
  readonly #graph: Graph
  readonly #roles: Roles
  readonly #opcode: number
  readonly #nodes = new Map<string, Node>()
  readonly #form: Form
  /** Inline, with a slow form to go to. */
  readonly #cuts: boolean
  #slow = false
  readonly #branches = new Set<string>()
  #length: number | undefined

  constructor(graph: Graph, roles: Roles, opcode: number, form: Form, cuts: boolean) {
    this.#graph = graph
    this.#roles = form === 'inline' ? roles : { ...roles, bases: new Map([...roles.bases].filter(([, base]) => base !== 'b')) }
    this.#opcode = opcode
    this.#form = form
    this.#cuts = cuts
  }

  write(): Handler {
    const roles = this.#roles
    const start: Environment = new Map()
    for (const [name, base] of roles.bases) start.set(name, { base, offset: 0 })
    const first = this.#label(opcodeLabel(this.#opcode))
    const prelude: Statement[] = this.#neededPrelude(first)
    const known = new Map(start)
    for (const each of prelude) this.#step(each, known)
    const entry = this.#reach(first, known)
    this.#explore(entry)
    const cut = this.#cuts ? this.#slowNodes(entry) : new Set<Node>()
    const order = this.#order(entry, cut)
    this.#slow = order.some(node => cut.has(node))
    const lines: string[] = []
    const environment = new Map(start)
    for (const each of prelude) {
      lines.push(this.#text(each, environment))
      this.#step(each, environment)
    }
    for (const node of order) lines.push(`${node.name}:;`, ...(cut.has(node) ? ['return SLOW();'] : this.#block(node)))
    const text = lines.join('\n')
    const variables = [...new Set(text.match(/\bw2c_[plijd]\d+(?:_\d+)?\b/g))].filter(name => !name.startsWith('w2c_f'))
    const states = new Set<string>()
    const declarations = variables.map(name => {
      const type = roles.types.get(name) ?? unexpected(`the interpreter has no variable ${name}`)
      const base = roles.bases.get(name)
      if (base !== undefined) return `${type} ${name} = ${this.#value({ base, offset: 0 })};`
      if (!roles.invariants.has(name) || prelude.some(({ defines }) => defines === name)) return `${type} ${name} = 0;`
      states.add(name)
      return `${type} ${name} = S->${name};`
    })
    for (const node of order.filter(each => !cut.has(each)))
      for (const { defines } of node.block.statements)
        if (defines !== undefined && roles.invariants.has(defines)) unexpected(`opcode ${this.#opcode} changes ${defines}`)
    const functions = new Set([...text.matchAll(/\bw2c_f\d+(?=\(|\b)/g)].map(([name]) => name))
    return {
      opcode: this.#opcode,
      source: `${this.#form === 'inline' ? `struct leave op_${this.#opcode}(void)` : `void call_${this.#opcode}(NONE, u32 pc)`}\n{\n${[...declarations, ...lines].join('\n')}\n}\n`,
      slow: this.#slow,
      length: this.#length,
      branches: [...this.#branches],
      functions,
      states,
    }
  }

  /** Of the statements at the loop's head that derive variables from others, those that this handler needs. */
  #neededPrelude(first: Block): Statement[] {
    const wanted = new Set<string>()
    const seen = new Set<string>()
    const todo = [first.label]
    while (todo.length > 0) {
      const label = todo.pop()!
      if (seen.has(label) || this.#roles.exits.has(label)) continue
      seen.add(label)
      const block = this.#label(label)
      for (const { uses } of block.statements) for (const name of uses) wanted.add(name)
      todo.push(...successors(block.end))
    }
    const needed: Statement[] = []
    for (const each of [...this.#roles.derived].reverse()) {
      if (each.defines === undefined || !wanted.has(each.defines)) continue
      needed.unshift(each)
      if (!each.uses.includes(each.defines)) wanted.delete(each.defines)
      for (const name of each.uses) wanted.add(name)
    }
    return needed
  }

  #label(label: string): Block {
    return this.#graph.blocks.get(label) ?? unexpected(`there is no ${label}`)
  }

  /** The node for a block as it is reached with what is known: another one for every place in the bytecode that variables stand for. */
  #reach(block: Block, known: Environment): Node {
    const live = this.#graph.live.get(block.label)!
    const places = [...known].filter(([name, what]) => what.base === 'pc' && live.has(name))
    const key = [block.label, ...places.map(([name, what]) => `${name}=${keyOf(what)}`).sort()].join(' ')
    const found = this.#nodes.get(key)
    if (!found) {
      if (this.#nodes.size > 600) unexpected(`opcode ${this.#opcode} has too many paths`)
      const node = {
        name: `n${this.#nodes.size}`,
        block,
        known: new Map([...known].filter(([name]) => live.has(name) || this.#roles.bases.has(name))),
      }
      this.#nodes.set(key, node)
      this.#changed.add(node)
      return node
    }
    for (const [name, what] of found.known)
      if (!sameKnown(what, known.get(name))) {
        found.known.delete(name)
        this.#changed.add(found)
      }
    return found
  }

  readonly #changed = new Set<Node>()

  /**
   * The nodes that are only the beginning of a way to a call of the engine, and before which nothing was changed: the slow form can do all of it.
   * Calls that usually are none (quick.ts) do not count; a stack frame and floating point count as a call, to keep pieces small.
   */
  #slowNodes(entry: Node): Set<Node> {
    const nodes = this.#order(entry, new Set())
    const calls = (node: Node) =>
      node.block.statements.some(
        ({ text }) =>
          [...text.matchAll(/\b(w2c_f\d+)\(/g)].some(([, name]) => !this.#roles.quick.has(name)) ||
          /CALL_INDIRECT|memory_|engine_sp|w2c_d\d/.test(text),
      )
    // The place of a possible exception may be noted twice.
    const notes = (each: Statement, known: Environment) => {
      const access = accessOf(each, known)
      return access?.value !== undefined && access.address.base === 'sf' && access.address.offset === placeOffset
    }
    const changes = (node: Node) => {
      const known = new Map(node.known)
      return node.block.statements.some(each => {
        const changing = /_store|w2c_f\d+\(|CALL_INDIRECT|memory_|engine_sp =/.test(each.text) && !notes(each, known)
        this.#step(each, known)
        return changing
      })
    }
    const exit = (node: Node) => this.#roles.exits.get(node.block.label)
    const quick = new Set<Node>()
    const dirty = new Set<Node>()
    for (let before = -1; before !== quick.size + dirty.size; ) {
      before = quick.size + dirty.size
      for (const node of nodes) {
        const next = this.#next(node)
        const ends = exit(node) ? exit(node)!.name !== 'EXCEPTION' : node.block.end.kind === 'dispatch'
        if (!calls(node) && (ends || next.some(each => quick.has(each)))) quick.add(node)
        if (dirty.has(node) || changes(node)) for (const each of next) dirty.add(each)
      }
    }
    return new Set(nodes.filter(node => !quick.has(node) && !dirty.has(node) && node !== entry))
  }

  /** Reaches all nodes, to the fixed point. */
  #explore(entry: Node): void {
    while (this.#changed.size > 0) {
      const [node] = this.#changed
      this.#changed.delete(node)
      this.#next(node)
    }
    this.#order(entry, new Set())
  }

  /** Those that are reached, without what is only behind the `cut`. */
  #order(entry: Node, cut: ReadonlySet<Node>): Node[] {
    const order = new Set<Node>()
    const visit = (node: Node) => {
      if (order.has(node)) return
      order.add(node)
      if (cut.has(node)) return
      for (const next of this.#next(node)) visit(next)
    }
    visit(entry)
    return [...order]
  }

  #next(node: Node): Node[] {
    if (this.#roles.exits.has(node.block.label)) return []
    const known = this.#after(node)
    return successors(decide(node.block.end, known)).map(label => this.#reach(this.#label(label), known))
  }

  #after(node: Node): Environment {
    const known = new Map(node.known)
    for (const each of node.block.statements) this.#step(each, known)
    return known
  }

  #step(each: Statement, known: Environment): void {
    if (each.defines === undefined) return
    const what = evaluate(each, known, name => this.#roles.types.get(name) === 'u32')
    if (what) known.set(each.defines, what)
    else known.delete(each.defines)
  }

  #block(node: Node): string[] {
    const exit = this.#roles.exits.get(node.block.label)
    if (exit) return this.#leave(exit, node.known)
    const lines: string[] = []
    const known = new Map(node.known)
    for (const each of node.block.statements) {
      lines.push(this.#text(each, known))
      this.#step(each, known)
    }
    const to = (label: string) => this.#reach(this.#label(label), known).name
    const end = decide(node.block.end, known)
    switch (end.kind) {
      case 'goto':
        return [...lines, `goto ${to(end.to)};`]
      case 'if':
        return [...lines, `if (${end.condition}) goto ${to(end.then)};`, `goto ${to(end.otherwise)};`]
      case 'switch': {
        const cases = end.cases.map(([number, label]) => `case ${number}: goto ${to(label)};`)
        return [...lines, `switch (${end.on}) {`, ...cases, `default: goto ${to(end.otherwise)};`, '}']
      }
      case 'dispatch':
        return [...lines, ...this.#dispatch(known)]
      case 'unreachable':
        return [...lines, 'UNREACHABLE;']
      default:
        return unexpected(`opcode ${this.#opcode} returns from the interpreter`)
    }
  }

  #text(each: Statement, known: Environment): string {
    const access = accessOf(each, known)
    if (access) {
      const { operation, address: to } = access
      if (to.base === 'pc' && access.into !== undefined && !to.operand) {
        const hole = operandHole({ load: operation, at: to.offset, shift: 0 })
        if (operation === 'i64_load' || !/^i(32|64)_/.test(operation))
          unexpected(`opcode ${this.#opcode} reads an operand with ${operation}`)
        return this.#form === 'call'
          ? `${access.into} = ${operation}((u64)pc + ${to.offset});`
          : `${access.into} = ${operation.endsWith('_s') ? '(s64)(s32)' : ''}KNOWN(${hole});`
      }
      if (to.base !== 'pc')
        return access.into !== undefined
          ? `${access.into} = ${operation}(${this.#address(to)});`
          : `${operation}(${this.#address(to)}, ${access.value});`
    }
    const call = /^((?:\w+ = )?)(w2c_f\d+)\((.*)\);$/.exec(each.text)
    const quick = call && this.#roles.quick.get(call[2])
    if (quick) {
      const [context, ...others] = call[3].split(', ')
      if (known.get(context)?.base !== 'ctx') return each.text
      // A place in linear memory may stand without wrapping at 32 bits: these functions do nothing but look there.
      const given = others.map(name => (registers[known.get(name)?.base ?? ''] ? this.#address(known.get(name)!) : name))
      return `${call[1]}${quick}(${given.join(', ')});`
    }
    const what = evaluate(each, known, name => this.#roles.types.get(name) === 'u32')
    return what ? `${each.defines} = ${this.#value(what)};` : each.text
  }

  #stackPointer(variable: string, known: Environment): string[] {
    const what = known.get(variable)
    if (what?.base === 'sp' && !what.operand) return what.offset === 0 ? [] : [`SP += ${what.offset};`]
    return [`SP = ENGINE_BASE + (u64)(${what ? this.#value(what) : variable});`]
  }

  #dispatch(known: Environment): string[] {
    const { pc, sp } = this.#roles
    const lines = this.#stackPointer(sp, known)
    const next = known.get(pc)
    if (next?.base !== 'pc') return [...lines, this.#leaveTo('DISPATCH', pc)]
    if (!next.operand) {
      if (this.#length !== undefined && this.#length !== next.offset)
        unexpected(`opcode ${this.#opcode} goes on behind ${this.#length} bytes and behind ${next.offset}`)
      this.#length = next.offset
      return [...lines, this.#form === 'inline' ? 'return NEXT();' : 'return;']
    }
    const branch = `TARGET_${next.operand.load}_${next.operand.at}_${next.operand.shift}_${next.offset}`
    this.#branches.add(branch)
    return [...lines, `return ${branch}();`]
  }

  #leaveTo(name: string, pc: string): string {
    return this.#form === 'inline' ? `return LEAVE_${name}(${pc});` : `{ CALL_LEAVE_${name}(${pc}); return; }`
  }

  #leave(exit: Exit, known: Environment): string[] {
    const place = (name: string) => (known.get(name) ? this.#value(known.get(name)!) : name)
    const lines = this.#stackPointer(exit.sp, known)
    if (exit.value) lines.push(`S->value = ${exit.value};`)
    return [...lines, this.#leaveTo(exit.name, exit.pc ? place(exit.pc) : '0')]
  }

  /** As a u64, without wrapping at 32 bits: all of it lies in linear memory. */
  #address({ base, offset, operand }: Known): string {
    if (registers[base]) {
      const more = operand && (this.#form === 'inline' ? `(u64)${operandHole(operand)}` : this.#operand(operand))
      return `${registers[base]} - ENGINE_BASE${signed(offset)}${more ? ` + ${more}` : ''}`
    }
    if (base === '' || base === 'pc') return `(u64)(${this.#value({ base, offset, operand })})`
    return `KNOWN(base_${base}) - ENGINE_BASE${signed(offset)}${operand ? ` + ${this.#operand(operand)}` : ''}`
  }

  #value({ base, offset, operand }: Known): string {
    if (base === '') return operand ? `${this.#operand(operand)}${signed(offset)}` : `${offset >>> 0}u`
    if (registers[base]) return `(u32)(${this.#address({ base, offset, operand })})`
    const start = base === 'pc' && this.#form === 'call' ? `(pc${signed(offset)})` : `KNOWN(hole_${base}${signed(offset)})`
    return `${start}${operand ? ` + ${this.#operand(operand)}` : ''}`
  }

  #operand(operand: Operand): string {
    return this.#form === 'inline' ? `KNOWN(${operandHole(operand)})` : `(${operand.load}((u64)pc + ${operand.at}) << ${operand.shift})`
  }
}

/** Where a branch goes whose condition is known: handlers of several opcodes look at the opcode. */
function decide(end: End, known: Environment): End {
  if (end.kind === 'if') {
    const condition = constantOf(known.get(end.condition))
    if (condition !== undefined) return { kind: 'goto', to: condition ? end.then : end.otherwise }
  }
  if (end.kind === 'switch') {
    const on = constantOf(known.get(end.on))
    if (on !== undefined) return { kind: 'goto', to: end.cases.find(([number]) => number === on)?.[1] ?? end.otherwise }
  }
  return end
}

/** A place where the interpreter goes on: which variables it needs. */
export interface Exit {
  readonly name: string
  readonly sp: string
  readonly pc?: string
  readonly value?: string
}

/** Of cur_pc in JSStackFrame. */
const placeOffset = 28

const registers: Record<string, string> = { sp: 'SP', var: 'VAR', arg: 'ARG', vref: 'VREF', sf: 'SF' }

const signed = (offset: number) => (offset === 0 ? '' : offset < 0 ? ` - ${-offset}` : ` + ${offset}`)
