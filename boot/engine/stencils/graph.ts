/**
 * The flow graph of QuickJS's bytecode interpreter (JS_CallInternal), read from its text as wasm2c and interpreter.ts leave it:
 * one statement a line, blocks with labels, jumps. Nested `if` becomes jumps. And which variables are live where.
 */
import { unexpected } from '../text.ts'

export interface Statement {
  readonly text: string
  readonly defines?: string
  readonly uses: readonly string[]
}

export type End =
  | { readonly kind: 'goto'; readonly to: string }
  | { readonly kind: 'if'; readonly condition: string; readonly then: string; readonly otherwise: string }
  | { readonly kind: 'switch'; readonly on: string; readonly cases: readonly (readonly [number, string])[]; readonly otherwise: string }
  | { readonly kind: 'dispatch' | 'return' | 'unreachable' }

export interface Block {
  readonly label: string
  readonly statements: Statement[]
  end: End
}

export interface Graph {
  readonly blocks: ReadonlyMap<string, Block>
  /** Of every block, the variables whose values it or a later one needs. */
  readonly live: ReadonlyMap<string, ReadonlySet<string>>
}

const variable = /\bw2c_[plijd]\d+(?:_\d+)?\b/g
const dispatchLabel = 'dispatch'

export const opcodeLabel = (opcode: number): string => `opcode_${opcode}`

export const successors = (end: End): string[] => {
  switch (end.kind) {
    case 'goto':
      return [end.to]
    case 'if':
      return [end.then, end.otherwise]
    case 'switch':
      return [...new Set([...end.cases.map(([, label]) => label), end.otherwise])]
    default:
      return []
  }
}

export function statement(text: string): Statement {
  if (!/^[^;{}]*;$/.test(text) || /\bgoto\b/.test(text)) unexpected(`the interpreter has the line ${text}`)
  const [, defined, operator, right] = /^(\w+) ([-+*/&|^%]|<<|>>)?= (.*);$/.exec(text) ?? []
  if (defined === undefined) return { text, uses: [...new Set(text.match(variable) ?? [])] }
  const uses = new Set(right.match(variable) ?? [])
  if (operator) uses.add(defined)
  return defined.startsWith('w2c_') ? { text, defines: defined, uses: [...uses] } : { text, uses: [...uses] }
}

/** The graph of a function's body: its lines after the declarations of variables. */
export function readGraph(body: string, pc: string): Graph {
  const blocks = readBlocks(body, pc)
  for (const { label, end } of blocks.values())
    for (const to of successors(end)) if (!blocks.has(to)) unexpected(`the interpreter jumps from ${label} to ${to}, which is not there`)
  return { blocks, live: liveness(blocks, pc) }
}

function readBlocks(body: string, pc: string): Map<string, Block> {
  const dispatch = `goto *opcode_labels[i32_load8_u(${pc})];`
  const blocks = new Map<string, Block>([[dispatchLabel, { label: dispatchLabel, statements: [], end: { kind: 'dispatch' } }]])
  const open: { otherwise: string; after?: string }[] = []
  let current: Block | undefined
  let fresh = 0
  let ended = false
  const newLabel = () => `part_${fresh++}`
  const begin = (label: string) => {
    if (blocks.has(label)) unexpected(`the interpreter has the label ${label} twice`)
    const block: Block = { label, statements: [], end: { kind: 'unreachable' } }
    if (current) current.end = { kind: 'goto', to: label }
    blocks.set(label, block)
    current = block
  }
  const finish = (end: End) => {
    if (current) current.end = end
    current = undefined
  }
  const lines = body.split(/\n|(?<=;) +(?=\S)/).map(line => line.trim())
  begin('entry')
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at]
    const labelled = /^(w2c_[BL]\w+|opcode_\d+):;?\s*(.*)$/.exec(line)
    if (labelled) {
      begin(labelled[1])
      line = labelled[2]
    }
    if (line === '') continue
    const closing = line === '}' || line === '} else {'
    // What follows a jump without a label of its own cannot be reached, but for the end of an `if`.
    if (!current && !closing) {
      if (line.startsWith('if') && line.endsWith('{')) unexpected(`code after a jump: ${line}`)
      if (line !== 'UNREACHABLE;' && !line.startsWith('static const')) begin(newLabel())
      else continue
    }
    let match: RegExpExecArray | null
    if (line === dispatch) finish({ kind: 'dispatch' })
    else if (line === 'UNREACHABLE;') finish({ kind: 'unreachable' })
    else if (/^return\b/.test(line)) {
      current!.statements.push(statement(line))
      finish({ kind: 'return' })
    } else if ((match = /^goto (\w+);$/.exec(line))) finish({ kind: 'goto', to: match[1] })
    else if ((match = /^if \((\w+)\) \{(goto .*;)\}$/.exec(line))) {
      const then = match[2] === dispatch ? dispatchLabel : /^goto (\w+);$/.exec(match[2])![1]
      const otherwise = newLabel()
      finish({ kind: 'if', condition: match[1], then, otherwise })
      begin(otherwise)
    } else if ((match = /^if \((\w+)\) \{$/.exec(line))) {
      const then = newLabel()
      const otherwise = newLabel()
      finish({ kind: 'if', condition: match[1], then, otherwise })
      open.push({ otherwise })
      begin(then)
    } else if (line === '} else {') {
      const inner = open[open.length - 1] ?? unexpected('the interpreter has an else without an if')
      inner.after = newLabel()
      finish({ kind: 'goto', to: inner.after })
      begin(inner.otherwise)
    } else if (line === '}') {
      const inner = open.pop()
      if (!inner) {
        ended = true
        break
      }
      begin(inner.after ?? inner.otherwise)
    } else if ((match = /^switch \((\w+)\) \{$/.exec(line))) {
      const cases: [number, string][] = []
      let otherwise: string | undefined
      while (lines[++at] !== '}') {
        const found = /^(?:case (\d+)|default): goto (\w+);$/.exec(lines[at]) ?? unexpected(`a switch has the line ${lines[at]}`)
        if (found[1] === undefined) otherwise = found[2]
        else cases.push([Number(found[1]), found[2]])
      }
      finish({ kind: 'switch', on: match[1], cases, otherwise: otherwise ?? unexpected('a switch has no default') })
    } else if (/[{}]/.test(line.replace(/CALL_INDIRECT\(.*\)/, ''))) {
      if (!line.startsWith('static const')) unexpected(`the interpreter has the line ${line}`)
    } else current!.statements.push(statement(line))
  }
  if (!ended) unexpected('the interpreter does not end')
  return blocks
}

/** Backward data flow to the fixed point. A dispatch may go on at any opcode. */
function liveness(blocks: ReadonlyMap<string, Block>, pc: string): Map<string, Set<string>> {
  const opcodes = [...blocks.keys()].filter(label => label.startsWith('opcode_'))
  const live = new Map<string, Set<string>>([...blocks.keys()].map(label => [label, new Set<string>()]))
  const backwards = [...blocks.values()].reverse()
  for (let changed = true; changed; ) {
    changed = false
    for (const { label, statements, end } of backwards) {
      const now = new Set<string>()
      for (const next of end.kind === 'dispatch' ? opcodes : successors(end)) for (const name of live.get(next)!) now.add(name)
      if (end.kind === 'if') now.add(end.condition)
      if (end.kind === 'switch') now.add(end.on)
      if (end.kind === 'dispatch') now.add(pc)
      for (let i = statements.length - 1; i >= 0; i--) {
        const { defines, uses } = statements[i]
        if (defines !== undefined) now.delete(defines)
        for (const name of uses) now.add(name)
      }
      const before = live.get(label)!
      if (now.size !== before.size) {
        live.set(label, now)
        changed = true
      }
    }
  }
  return live
}
