/** Which of a target's globals a program uses: `fetch(...)`, `globalThis.fetch`, `const { fetch } = globalThis`. Not its own methods of that name. */
import type { Facts } from './facts.ts'
import { isGlobalObject, propertyOf } from './globals.ts'
import type { AnyNode } from './syntax.ts'

/**
 * @param facts of the program and its packages, bundled
 * @param names that the target has
 */
export function usedGlobals({ used, properties, declared }: Facts, names: readonly string[]): string[] {
  const free = new Set(used).difference(new Set(declared)).union(new Set(properties))
  return names.filter(name => free.has(name))
}

/** Of the global object, what a node reads or asks for. */
export function propertiesOfGlobal(node: AnyNode): readonly string[] {
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
