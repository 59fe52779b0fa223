/** What the bundle tells of the program without running it. */
import { CliError } from '../errors.ts'
import { isOwn } from './own.ts'
import type { Place } from './positions.ts'
import type { AnyNode, Visitor } from './syntax.ts'

/** The functions that describe a device with a network interface, and where they are. */
const networkName = /^(http|httpClient|stack|ethernet)\d*$/
const networkFile = /\/(runtime\/devices\/(http|stack)|stack\/http\/client\/device|drivers\/devices)\.ts$/

/** Collects what usesNetwork needs. */
export function programFacts() {
  const exports = new Map<string, AnyNode>()
  const values = new Map<string, AnyNode>()
  const named: { node: AnyNode & { type: 'Identifier' }; parent: AnyNode }[] = []
  let program: AnyNode | undefined
  const visit: Visitor = (node, above) => {
    const parent = above.at(-1)
    if (node.type === 'Identifier' && networkName.test(node.name) && parent) named.push({ node, parent })
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init) values.set(node.id.name, node.init)
    if (node.type === 'AssignmentExpression' && node.left.type === 'Identifier') values.set(node.left.name, node.right)
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return
    const [first, second] = node.arguments
    if (node.callee.name === '__export' && first.type === 'Identifier') exports.set(first.name, second)
    if (/^boot\d*$/.test(node.callee.name) && first?.type === 'ObjectExpression') program = property(first, 'program') ?? program
  }
  return { visit, exports, values, named, load: () => program }
}

/**
 * Whether the program may use the network: false is certain.
 * @param shown the program's file, for messages
 * @throws CliError when the program is an ES module without a default export
 */
export function usesNetwork(
  { exports, values, named, load }: ReturnType<typeof programFacts>,
  place: (offset: number) => Place | undefined,
  shown: string,
): boolean {
  const found = moduleObject(load())
  // A CommonJS module: nothing is known.
  if (found === undefined) return true
  const main = getter(property(exports.get(found), 'default'))
  if (main === undefined) {
    throw new CliError(
      'the program has no default export',
      shown,
      "write 'export default unikernel({ ... })', or 'export default { fetch(request) { ... } }'",
    )
  }
  const value = values.get(main)
  if (value?.type !== 'CallExpression' || value.callee.type !== 'Identifier' || !/^unikernel\d*$/.test(value.callee.name)) return true

  const isDefinition = (parent: AnyNode, node: AnyNode) =>
    (parent.type === 'AssignmentExpression' && parent.left === node) ||
    ((parent.type === 'VariableDeclarator' || parent.type === 'FunctionDeclaration') && parent.id === node)
  const functions = new Set(
    named
      .filter(({ node, parent }) => isDefinition(parent, node) && networkFile.test(place(node.start)?.file ?? ''))
      .map(({ node }) => node.name),
  )
  return named.some(({ node, parent }) => {
    if (!functions.has(node.name) || isDefinition(parent, node) || (parent.type === 'Property' && parent.key === node)) return false
    if (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) return false
    const at = place(node.start)
    return at === undefined || !isOwn(at.file)
  })
}

/** The value of a property in an object literal. */
function property(object: AnyNode | undefined, name: string): AnyNode | undefined {
  if (object?.type !== 'ObjectExpression') return undefined
  const found = object.properties.find(one => one.type === 'Property' && one.key.type === 'Identifier' && one.key.name === name)
  return found?.type === 'Property' ? found.value : undefined
}

/** The variable in `() => variable`. */
function getter(node: AnyNode | undefined): string | undefined {
  return node?.type === 'ArrowFunctionExpression' && node.body.type === 'Identifier' ? node.body.name : undefined
}

/** The object of the program's module in `() => Promise.resolve().then(() => (init_app(), app_exports))`. */
function moduleObject(load: AnyNode | undefined): string | undefined {
  let node: AnyNode | null | undefined = load
  if (node?.type === 'CallExpression') node = node.arguments[0] // __name(load, "program")
  if (node?.type !== 'ArrowFunctionExpression' || node.body.type !== 'CallExpression') return undefined
  node = node.body.arguments[0]
  if (node?.type !== 'ArrowFunctionExpression' || node.body.type !== 'SequenceExpression') return undefined
  const last = node.body.expressions.at(-1)
  return last?.type === 'Identifier' ? last.name : undefined
}
