/**
 * Functions and classes keep the names of the source. esbuild calls some otherwise in a bundle, and with keepNames gives each its name
 * by a call of `__name`. Most of these change nothing and would only cost time, also in functions that run for each packet: they become
 * blanks here, so that all else stays where the source map says.
 */
import type { AnyNode, Visitor } from './syntax.ts'

interface Range {
  readonly start: number
  readonly end: number
}

/** The name that a call of __name gives, if `node` is one: `__name(VALUE, "NAME")`. */
function naming(node: AnyNode): { value: AnyNode; name: string } | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== '__name') return undefined
  const [value, name] = node.arguments
  return name?.type === 'Literal' && typeof name.value === 'string' ? { value, name: name.value } : undefined
}

/** Collects the calls to blank: for walk(). `isOwn`: whether a place is in xen-ts itself, whose functions (not classes) need no name. */
export function needlessNames(isOwn: (offset: number) => boolean): {
  visit: Visitor
  ranges: Range[]
} {
  const ranges: Range[] = []
  const isClass = (value: AnyNode) => value.type === 'ClassExpression'
  /** What the engine calls `value` by itself, or undefined. */
  const inferred = (value: AnyNode, parent: AnyNode | undefined, call: AnyNode): string | undefined => {
    if (value.type !== 'ArrowFunctionExpression' && value.type !== 'FunctionExpression' && value.type !== 'ClassExpression')
      return undefined
    if (value.type !== 'ArrowFunctionExpression' && value.id) return value.id.name
    if (parent?.type === 'VariableDeclarator' && parent.init === call) return nameIn(parent.id)
    if (parent?.type === 'AssignmentExpression' && parent.operator === '=' && parent.right === call) return nameIn(parent.left)
    if (parent?.type === 'AssignmentPattern' && parent.right === call) return nameIn(parent.left)
    if ((parent?.type === 'Property' || parent?.type === 'PropertyDefinition') && parent.value === call && !parent.computed)
      return nameIn(parent.key)
    return undefined
  }
  /** Where the value can stand without a call around it. */
  const isFree = (parent: AnyNode | undefined, call: AnyNode) =>
    (parent?.type === 'VariableDeclarator' && parent.init === call) ||
    (parent?.type === 'AssignmentExpression' && parent.right === call) ||
    (parent?.type === 'AssignmentPattern' && parent.right === call) ||
    ((parent?.type === 'Property' || parent?.type === 'PropertyDefinition') && parent.value === call) ||
    (parent?.type === 'CallExpression' && parent.callee !== call) ||
    parent?.type === 'ReturnStatement' ||
    parent?.type === 'ArrayExpression'
  /** A function that was declared, or the class around: named by itself, or of no interest. */
  const isNeedless = ({ value, name }: { value: AnyNode; name: string }, at: AnyNode) =>
    value.type === 'Identifier' && (value.name === name || isOwn(at.start))

  return {
    ranges,
    visit(node, above) {
      const parent = above.at(-1)
      if (node.type === 'StaticBlock') {
        const [only] = node.body
        const found = node.body.length === 1 && only.type === 'ExpressionStatement' ? naming(only.expression) : undefined
        if (found?.value.type === 'ThisExpression' && classNameOf(above) === found.name) ranges.push(node)
      } else if (node.type === 'SequenceExpression') {
        ranges.push(
          ...sequence(node.expressions, parent?.type === 'ExpressionStatement', one => {
            const found = naming(one)
            return found !== undefined && isNeedless(found, one)
          }),
        )
      } else {
        const found = naming(node)
        if (!found) return
        const { value, name } = found
        if (parent?.type === 'ExpressionStatement' && isNeedless(found, node)) ranges.push(node)
        else if (
          isFree(parent, node) &&
          (inferred(value, parent, node) === name || (!isClass(value) && value.type !== 'Identifier' && isOwn(node.start)))
        )
          ranges.push({ start: node.start, end: value.start }, { start: value.end, end: node.end })
      }
    },
  }
}

const nameIn = (target: AnyNode): string | undefined =>
  target.type === 'Identifier' ? target.name : target.type === 'PrivateIdentifier' ? `#${target.name}` : undefined

/** What a class is called by itself: the one whose body lies directly around. */
function classNameOf(above: readonly AnyNode[]): string | undefined {
  const node = above.at(-2)
  const parent = above.at(-3)
  if (node?.type !== 'ClassDeclaration' && node?.type !== 'ClassExpression') return undefined
  if (node.id) return node.id.name
  if (parent?.type === 'VariableDeclarator') return nameIn(parent.id)
  return parent?.type === 'AssignmentExpression' && parent.operator === '=' ? nameIn(parent.left) : undefined
}

/** Of `a, b, c`: what is needless, and the commas that are too many then. */
function sequence(nodes: readonly AnyNode[], isStatement: boolean, isNeedless: (node: AnyNode) => boolean): Range[] {
  const ranges: Range[] = []
  const kept = nodes.map((node, i) => !((isStatement || i < nodes.length - 1) && isNeedless(node)))
  nodes.forEach((node, i) => {
    if (!kept[i]) ranges.push(node)
    if (i > 0 && !(kept[i] && kept.slice(0, i).includes(true))) ranges.push({ start: nodes[i - 1].end, end: node.start })
  })
  return ranges
}

/** The code with these ranges, which do not overlap, as blanks. */
export function blank(code: string, ranges: readonly Range[]): string {
  const pieces: string[] = []
  let end = 0
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    pieces.push(code.slice(end, range.start), code.slice(range.start, range.end).replace(/[^\n]/g, ' '))
    end = range.end
  }
  return pieces.join('') + code.slice(end)
}
