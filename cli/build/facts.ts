/** What a program says of itself before it runs, bundled without anything of xen-ts (programCode). */
import { CliError } from '../errors.ts'
import { type AnyNode, treeOf, type Visitor, walk } from './syntax.ts'

/** The kinds of device that stand on a network interface. */
export type NetworkKind = 'http' | 'stack' | 'ethernet'

const allKinds: readonly NetworkKind[] = ['http', 'stack', 'ethernet']

/** Functions that describe such a device, by the modules that export them, and what comes with the stack itself. */
const exported: Readonly<Record<string, readonly NetworkKind[] | undefined>> = {
  http: ['http', 'stack'],
  stack: ['stack'],
  ethernet: ['ethernet'],
}
/** What belongs to a device of a kind. */
export const kindsOf = (kind: string): readonly NetworkKind[] => (Object.hasOwn(exported, kind) ? exported[kind]! : [])

const ours = /^(xen-ts|@xen-ts\/.+)$/
const stackPackage = '@xen-ts/stack'

/**
 * The kinds of network device that the program may use: what is missing here is certainly not used.
 * @param code an ES module
 * @param shown the program's file, for messages
 * @throws CliError when the program is an ES module without a default export
 */
export function networkKinds(code: string, shown: string): ReadonlySet<NetworkKind> {
  const kinds = new Set<NetworkKind>()
  const values = new Map<string, AnyNode>()
  const makers = new Set<string>()
  const add = (more: readonly NetworkKind[]): void => more.forEach(kind => void kinds.add(kind))
  let main: AnyNode | undefined
  const visit: Visitor = (node, above) => {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init) values.set(node.id.name, node.init)
    else if (node.type === 'ImportDeclaration' && ours.test(String(node.source.value))) {
      if (String(node.source.value).startsWith(stackPackage)) add(['http', 'stack'])
      for (const specifier of node.specifiers) {
        if (specifier.type !== 'ImportSpecifier') add(allKinds)
        else {
          const name = nameOf(specifier.imported)
          if (name === 'unikernel') makers.add(specifier.local.name)
          if (Object.hasOwn(exported, name)) add(exported[name]!)
        }
      }
    } else if (node.type === 'ExportDefaultDeclaration') main = node.declaration
    else if (node.type === 'ExportSpecifier' && nameOf(node.exported) === 'default') main = node.local
    // require('xen-ts'), import('xen-ts'), export * from 'xen-ts': whatever they are used for.
    else if (node.type === 'Literal' && ours.test(String(node.value)) && above.at(-1)?.type !== 'ImportDeclaration') add(allKinds)
  }
  walk(treeOf(code, 'module'), visit)
  if (main === undefined) {
    throw new CliError(
      'the program has no default export',
      shown,
      "write 'export default unikernel({ ... })', or 'export default { fetch(request) { ... } }'",
    )
  }
  const value = main.type === 'Identifier' ? values.get(main.name) : main
  const isDefinition = value?.type === 'CallExpression' && value.callee.type === 'Identifier' && makers.has(value.callee.name)
  // A handler has the server without naming it; of anything else nothing is known.
  return isDefinition ? kinds : new Set(allKinds)
}

const nameOf = (node: AnyNode): string => (node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : '')

/**
 * What an image need not have for these kinds: modules of ours (see `without`). Nothing calls them
 * then; targets provide all kinds without asking who wants them.
 */
export function leftOut(kinds: ReadonlySet<NetworkKind>): string[] {
  if (kinds.has('http')) return []
  if (kinds.has('stack')) return ['stack/http/server/server.ts']
  const noStack = ['@xen-ts/stack', '@xen-ts/stack/config']
  return kinds.has('ethernet') ? noStack : [...noStack, 'drivers/netfront/netfront.ts']
}
