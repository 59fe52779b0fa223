/**
 * `let` and `const` in functions become `var` where nobody can tell: QuickJS looks at each use of a lexical variable whether it has its value
 * yet (its temporal dead zone, ECMA-262 section 14.3.1), and sets it back at each entry into its block. One bytecode in ten of a request was such.
 *
 * Nobody can tell when
 *   - each use stands behind the declaration, in its block: then the declaration has always run before;
 *   - the function declares the name once only, or in blocks side by side; nothing in it uses an outer variable of that name; no direct eval;
 *   - there is an initial value, so that another round of a loop starts anew;
 *   - no function made in a loop keeps the variable, for each round has one of its own, and none if there are several blocks. Otherwise an
 *     expression may, which cannot be called before it was made; a function declaration can be;
 *   - a `const` is assigned nowhere.
 *
 * The words are filled up with blanks: all else stays where the source map says.
 */
import { isReference } from './globals.ts'
import type { AnyNode, Visitor } from './syntax.ts'

interface Range {
  readonly start: number
  readonly end: number
}

interface Variable {
  readonly name: string
  /** Behind its initial value. */
  readonly from: number
}

/** A declaration with `let` or `const` that might as well be one with `var`. */
interface Candidate {
  /** Of the word. */
  readonly word: Range
  readonly isConst: boolean
  readonly isInLoop: boolean
  readonly variables: readonly Variable[]
  readonly block: Range
}

interface Use {
  readonly at: number
  readonly isWrite: boolean
  /** The use is in a function within the one that declares: what kind of function that is. */
  readonly within?: 'expression' | 'declaration'
}

/** What a `var` belongs to: a function, a static block. The initial value of a class's field is one too: it is evaluated later. */
class Scope {
  readonly candidates: Candidate[] = []
  readonly uses = new Map<string, Use[]>()
  /** The blocks in which `let` and `const` declare a name. */
  readonly blocks = new Map<string, Range[]>()
  /** How often each name is declared, in whatever way and block. */
  readonly declared = new Map<string, number>()
  /** Names that mean the same in the whole body. */
  readonly own = new Set<string>()
  readonly parameters = new Set<string>()
  hasEval = false

  readonly within: 'expression' | 'declaration'
  readonly outer: Scope | undefined
  /** Where the body begins: default values of parameters, in front of it, do not see its variables. */
  readonly body: number

  constructor(node: AnyNode, outer: Scope | undefined) {
    this.within = node.type === 'FunctionDeclaration' ? 'declaration' : 'expression'
    this.outer = outer
    this.body = 'params' in node ? node.body.start : node.start
  }

  declare(name: string): void {
    this.declared.set(name, (this.declared.get(name) ?? 0) + 1)
  }

  use(name: string, use: Use): void {
    const all = this.uses.get(name)
    if (all) all.push(use)
    else this.uses.set(name, [use])
  }

  /** Once all is known of it: what it uses of those around it. */
  tellOuter(): void {
    const { outer } = this
    if (outer === undefined) return
    if (this.hasEval) outer.hasEval = true
    for (const [name, uses] of this.uses) {
      if (this.parameters.has(name)) continue
      for (const use of uses) if (!(this.own.has(name) && use.at >= this.body)) outer.use(name, { ...use, within: this.within })
    }
  }

  /** Whether `var` would say the same. */
  isSafe({ isConst, isInLoop, variables, block }: Candidate): boolean {
    return (
      !this.hasEval &&
      variables.every(variable => {
        const blocks = this.blocks.get(variable.name) ?? []
        const others = blocks.filter(one => one !== block)
        if (blocks.length !== this.declared.get(variable.name) || others.some(one => one.start < block.end && block.start < one.end))
          return false
        const mayBeKept = others.length === 0 && !isInLoop
        return (this.uses.get(variable.name) ?? []).every(({ at, isWrite, within }) => {
          if (!isIn(block, at)) return others.some(one => isIn(one, at))
          return at >= variable.from && !(isConst && isWrite) && (within === undefined || (within === 'expression' && mayBeKept))
        })
      })
    )
  }
}

const isIn = ({ start, end }: Range, at: number): boolean => at >= start && at < end

/** Collects the words to replace: for walk(). */
export function deadZones(): { visit: Visitor; ranges(): Range[] } {
  /** Outer ones first. */
  const scopes = new Map<AnyNode, Scope>()
  const bindings = new Set<AnyNode>()

  const scopeAround = (above: readonly AnyNode[]): Scope | undefined => {
    for (let i = above.length - 1; i >= 0; i--) if (isScope(above[i]!)) return scopes.get(above[i]!)
    return undefined
  }

  const bind = (pattern: AnyNode | null | undefined, scope: Scope | undefined, also?: Set<string>): void => {
    for (const one of boundIn(pattern)) {
      bindings.add(one)
      scope?.declare(one.name)
      also?.add(one.name)
    }
  }

  const forbid = (above: readonly AnyNode[]): void => {
    const scope = scopeAround(above)
    if (scope) scope.hasEval = true
  }

  const enter = (node: AnyNode, outer: Scope | undefined): void => {
    const scope = new Scope(node, outer)
    scopes.set(node, scope)
    if (!('params' in node)) return
    for (const one of node.params) bind(one, scope, scope.parameters)
    // Its own name: a declaration's is the outer function's, an expression's is seen inside only, and hidden by what the body declares.
    if ('id' in node) bind(node.id, node.type === 'FunctionDeclaration' ? outer : scope)
  }

  const declaration = (node: AnyNode & { type: 'VariableDeclaration' }, above: readonly AnyNode[], scope: Scope | undefined): void => {
    const parent = above.at(-1)!
    // A static block is its own body: a block in it is one like others.
    const isBody = parent.type === 'StaticBlock' || (parent.type === 'BlockStatement' && above.length > 1 && hasBody(above.at(-2)!))
    for (const { id } of node.declarations) bind(id, scope, node.kind === 'var' || isBody ? scope?.own : undefined)
    if (scope === undefined) return
    if (node.kind !== 'let' && node.kind !== 'const') return
    const isHead = (parent.type === 'ForOfStatement' || parent.type === 'ForInStatement') && parent.left === node
    const isFor = parent.type === 'ForStatement' && parent.init === node
    if (!isHead && !isFor && parent.type !== 'BlockStatement' && parent.type !== 'StaticBlock') return
    const block = { start: parent.start, end: parent.end }
    for (const { id } of node.declarations)
      for (const { name } of boundIn(id)) {
        const blocks = scope.blocks.get(name)
        if (blocks) blocks.push(block)
        else scope.blocks.set(name, [block])
      }
    if (!isHead && node.declarations.some(({ init }) => !init)) return
    scope.candidates.push({
      word: { start: node.start, end: node.start + node.kind.length },
      isConst: node.kind === 'const',
      isInLoop: isHead || isFor || isLooping(above),
      block,
      variables: node.declarations.flatMap(declarator => {
        const from = isHead ? parent.body.start : isFunction(declarator.init!) ? declarator.start : declarator.end
        return boundIn(declarator.id).map(({ name }) => ({ name, from }))
      }),
    })
  }

  return {
    visit(node, above) {
      switch (node.type) {
        case 'Identifier': {
          const parent = above.at(-1)!
          if (bindings.has(node) || isKey(node, parent) || !isReference(node, parent)) return
          if (node.name === 'eval' && parent.type === 'CallExpression') return forbid(above)
          return scopeAround(above)?.use(node.name, { at: node.start, isWrite: isTarget(node, above) })
        }
        case 'ArrowFunctionExpression':
        case 'FunctionExpression':
        case 'FunctionDeclaration':
        case 'StaticBlock':
        case 'PropertyDefinition':
          return enter(node, scopeAround(above))
        case 'VariableDeclaration':
          return declaration(node, above, scopeAround(above))
        case 'ClassDeclaration':
        case 'ClassExpression':
          return bind(node.id, scopeAround(above))
        case 'CatchClause':
          return bind(node.param, scopeAround(above))
        case 'WithStatement':
          return forbid(above)
      }
    },
    ranges() {
      const all = [...scopes.values()]
      for (const scope of all.toReversed()) scope.tellOuter()
      return all.flatMap(scope => scope.candidates.filter(one => scope.isSafe(one)).map(({ word }) => word))
    },
  }
}

/** The code with `var` in these places. */
export function withVar(code: string, ranges: readonly Range[]): string {
  const pieces: string[] = []
  let end = 0
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    pieces.push(code.slice(end, range.start), 'var'.padEnd(range.end - range.start))
    end = range.end
  }
  return pieces.join('') + code.slice(end)
}

const isFunction = (node: AnyNode): boolean => node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression'

const hasBody = (node: AnyNode): boolean => isFunction(node) || node.type === 'FunctionDeclaration'

const isScope = (node: AnyNode): boolean => hasBody(node) || node.type === 'StaticBlock' || node.type === 'PropertyDefinition'

const LOOPS: readonly AnyNode['type'][] = ['ForStatement', 'ForInStatement', 'ForOfStatement', 'WhileStatement', 'DoWhileStatement']

/** Whether a loop goes round this place, in its function. */
function isLooping(above: readonly AnyNode[]): boolean {
  for (let i = above.length - 1; i >= 0 && !isScope(above[i]!); i--) if (LOOPS.includes(above[i]!.type)) return true
  return false
}

/** The names that a pattern binds. */
function boundIn(pattern: AnyNode | null | undefined): (AnyNode & { type: 'Identifier' })[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern]
    case 'ObjectPattern':
      return pattern.properties.flatMap(one => boundIn(one.type === 'Property' ? one.value : one))
    case 'ArrayPattern':
      return pattern.elements.flatMap(boundIn)
    case 'AssignmentPattern':
      return boundIn(pattern.left)
    case 'RestElement':
      return boundIn(pattern.argument)
    default:
      return []
  }
}

/** The name of a property. `{ a }` has it twice: the value counts. */
const isKey = (node: AnyNode, parent: AnyNode): boolean => parent.type === 'Property' && parent.key === node && !parent.computed

/** Whether a value is assigned to it. */
function isTarget(node: AnyNode, above: readonly AnyNode[]): boolean {
  const parent = above.at(-1)!
  switch (parent.type) {
    case 'AssignmentExpression':
    case 'AssignmentPattern':
    case 'ForInStatement':
    case 'ForOfStatement':
      return parent.left === node
    case 'UpdateExpression':
    case 'ArrayPattern':
    case 'RestElement':
      return true
    case 'Property':
      return above.at(-2)!.type === 'ObjectPattern' && parent.value === node
    default:
      return false
  }
}
