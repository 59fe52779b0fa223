/**
 * The handler of one opcode as a C function: the blocks from its entry of the dispatch table to the next dispatch, copied. Where
 * the program counter is known, and it nearly always is, a dispatch becomes a jump to the next piece or to a branch's target;
 * otherwise, and for exceptions, return and yield, the piece leaves to the interpreter with its state.
 */
import { unexpected } from '../text.ts'
import { type Block, type End, type Graph, opcodeLabel, type Statement, successors } from './graph.ts'
import type { Roles } from './roles.ts'
import { accessOf, constantOf, type Environment, evaluate, type Known, keyOf, operandHole, sameKnown } from './symbolic.ts'

export interface Handler {
  readonly opcode: number
  /** The C function `op_N`. */
  readonly source: string
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

export function writeHandler(graph: Graph, roles: Roles, opcode: number): Handler {
  return new Writer(graph, roles, opcode).write()
}

class Writer {
  readonly #graph: Graph
  readonly #roles: Roles
  readonly #opcode: number
  readonly #nodes = new Map<string, Node>()
  readonly #branches = new Set<string>()
  #length: number | undefined

  constructor(graph: Graph, roles: Roles, opcode: number) {
    this.#graph = graph
    this.#roles = roles
    this.#opcode = opcode
  }

  write(): Handler {
    const { roles } = { roles: this.#roles }
    const start: Environment = new Map()
    for (const [name, base] of roles.bases) start.set(name, { base, offset: 0 })
    const first = this.#label(opcodeLabel(this.#opcode))
    const prelude: Statement[] = this.#neededPrelude(first)
    const known = new Map(start)
    for (const each of prelude) this.#step(each, known)
    const entry = this.#reach(first, known)
    const order = this.#explore(entry)
    const lines: string[] = []
    const environment = new Map(start)
    for (const each of prelude) {
      lines.push(this.#text(each, environment))
      this.#step(each, environment)
    }
    for (const node of order) lines.push(`${node.name}:;`, ...this.#block(node))
    const text = lines.join('\n')
    const variables = [...new Set(text.match(/\bw2c_[plijd]\d+(?:_\d+)?\b/g))].filter(name => !name.startsWith('w2c_f'))
    const states = new Set<string>()
    const declarations = variables.map(name => {
      const type = roles.types.get(name) ?? unexpected(`the interpreter has no variable ${name}`)
      const base = roles.bases.get(name)
      if (base !== undefined) return `${type} ${name} = ${value({ base, offset: 0 })};`
      if (!roles.invariants.has(name) || prelude.some(({ defines }) => defines === name)) return `${type} ${name} = 0;`
      states.add(name)
      return `${type} ${name} = S->${name};`
    })
    for (const node of order)
      for (const { defines } of node.block.statements)
        if (defines !== undefined && roles.invariants.has(defines)) unexpected(`opcode ${this.#opcode} changes ${defines}`)
    const functions = new Set([...text.matchAll(/\bw2c_f\d+(?=\(|\b)/g)].map(([name]) => name))
    return {
      opcode: this.#opcode,
      source: `struct leave op_${this.#opcode}(void)\n{\n${[...declarations, ...lines].join('\n')}\n}\n`,
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
      const node = { name: `n${this.#nodes.size}`, block, known: new Map([...known].filter(([name]) => live.has(name) || this.#roles.bases.has(name))) }
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

  /** Reaches all nodes, to the fixed point; returns those that are reached in the end. */
  #explore(entry: Node): Node[] {
    while (this.#changed.size > 0) {
      const [node] = this.#changed
      this.#changed.delete(node)
      this.#next(node)
    }
    const order: Node[] = []
    const visit = (node: Node) => {
      if (order.includes(node)) return
      order.push(node)
      for (const next of this.#next(node)) visit(next)
    }
    visit(entry)
    return order
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
        if (operation === 'i64_load' || !/^i(32|64)_/.test(operation)) unexpected(`opcode ${this.#opcode} reads an operand with ${operation}`)
        return `${access.into} = ${operation.endsWith('_s') ? `(s64)(s32)` : ''}KNOWN(${hole});`
      }
      if (to.base !== 'pc') return access.into !== undefined ? `${access.into} = ${operation}(${address(to)});` : `${operation}(${address(to)}, ${access.value});`
    }
    const call = /^((?:\w+ = )?)(w2c_f\d+)\((.*)\);$/.exec(each.text)
    const quick = call && this.#roles.quick.get(call[2])
    if (quick) {
      const [context, ...others] = call[3].split(', ')
      if (known.get(context)?.base !== 'ctx') return each.text
      // A place in linear memory may stand without wrapping at 32 bits: these functions do nothing but look there.
      const given = others.map(name => (registers[known.get(name)?.base ?? ''] ? address(known.get(name)!) : name))
      return `${call[1]}${quick}(${given.join(', ')});`
    }
    const what = evaluate(each, known, name => this.#roles.types.get(name) === 'u32')
    return what ? `${each.defines} = ${value(what)};` : each.text
  }

  #stackPointer(variable: string, known: Environment): string[] {
    const what = known.get(variable)
    if (what?.base === 'sp' && !what.operand) return what.offset === 0 ? [] : [`SP += ${what.offset};`]
    return [`SP = ENGINE_BASE + (u64)(${what ? value(what) : variable});`]
  }

  #dispatch(known: Environment): string[] {
    const { pc, sp } = this.#roles
    const lines = this.#stackPointer(sp, known)
    const next = known.get(pc)
    if (next?.base !== 'pc') return [...lines, `return LEAVE_DISPATCH(${pc});`]
    if (!next.operand) {
      if (this.#length !== undefined && this.#length !== next.offset)
        unexpected(`opcode ${this.#opcode} goes on behind ${this.#length} bytes and behind ${next.offset}`)
      this.#length = next.offset
      return [...lines, 'return NEXT();']
    }
    const branch = `TARGET_${next.operand.load}_${next.operand.at}_${next.operand.shift}_${next.offset}`
    this.#branches.add(branch)
    return [...lines, `return ${branch}();`]
  }

  #leave(exit: Exit, known: Environment): string[] {
    const place = (name: string) => (known.get(name) ? value(known.get(name)!) : name)
    const lines = this.#stackPointer(exit.sp, known)
    if (exit.value) lines.push(`S->value = ${exit.value};`)
    return [...lines, `return LEAVE_${exit.name}(${exit.pc ? place(exit.pc) : ''});`]
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

const registers: Record<string, string> = { sp: 'SP', var: 'VAR', arg: 'ARG', vref: 'VREF', sf: 'SF' }

const signed = (offset: number) => (offset === 0 ? '' : offset < 0 ? ` - ${-offset}` : ` + ${offset}`)

/** As a u64, without wrapping at 32 bits: all of it lies in linear memory. */
function address({ base, offset, operand }: Known): string {
  if (registers[base]) return `${registers[base]} - ENGINE_BASE${signed(offset)}${operand ? ` + (u64)${operandHole(operand)}` : ''}`
  if (base === '') return `(u64)${value({ base, offset, operand })}`
  return `KNOWN(base_${base}) - ENGINE_BASE${signed(offset)}${operand ? ` + KNOWN(${operandHole(operand)})` : ''}`
}

function value({ base, offset, operand }: Known): string {
  if (base === '') return operand ? `KNOWN(${operandHole(operand)})${signed(offset)}` : `${offset >>> 0}u`
  if (registers[base]) return `(u32)(${address({ base, offset, operand })})`
  return `KNOWN(hole_${base}${signed(offset)})${operand ? ` + KNOWN(${operandHole(operand)})` : ''}`
}
