/** Which of a target's globals a program uses: `fetch(...)`, `globalThis.fetch`, `const { fetch } = globalThis`. Not its own methods of that name. */
import { freeNames, isGlobalObject, propertyOf } from './globals.ts'
import { type AnyNode, treeOf, walk } from './syntax.ts'

/**
 * @param code of the program and its packages, bundled
 * @param names that the target has
 */
export function usedGlobals(code: string, names: readonly string[]): string[] {
  // Most programs name none of them, and to read a large one takes a while.
  if (!names.some(name => code.includes(name))) return []
  const free = freeNames()
  const found = new Set<string>()
  walk(treeOf(code, 'module'), free.visit, node => {
    for (const name of propertiesOfGlobal(node)) found.add(name)
  })
  const used = found.union(free.names())
  return names.filter(name => used.has(name))
}

/** Of the global object, what a node reads or asks for. */
function propertiesOfGlobal(node: AnyNode): readonly string[] {
  if (node.type === 'MemberExpression' && isGlobalObject(node.object)) return [propertyOf(node) ?? '']
  if (node.type === 'BinaryExpression' && node.operator === 'in' && isGlobalObject(node.right))
    return node.left.type === 'Literal' ? [String(node.left.value)] : []
  const [pattern, value] =
    node.type === 'VariableDeclarator' ? [node.id, node.init] : node.type === 'AssignmentExpression' ? [node.left, node.right] : []
  if (pattern?.type !== 'ObjectPattern' || !value || !isGlobalObject(value)) return []
  return pattern.properties.flatMap(one =>
    one.type === 'Property' && one.key.type === 'Identifier' && !one.computed ? [one.key.name] : [],
  )
}
