/** What a program says of itself before it runs, bundled without anything of xen-ts (programCode). */
import { CliError } from '../errors.ts'
import { freeNames } from './globals.ts'
import type { AnyNode, Visitor } from './syntax.ts'
import { propertiesOfGlobal } from './target-globals.ts'
import type { FoundTarget } from './targets.ts'

/** The kinds of device that stand on a network interface, and `sockets`: the stack is used for more than to serve HTTP. */
export type NetworkKind = 'http' | 'stack' | 'sockets' | 'ethernet'

const allKinds: readonly NetworkKind[] = ['http', 'stack', 'sockets', 'ethernet']

/** Functions that describe such a device, by the modules that export them, and what comes with the stack itself. */
const exported: Readonly<Record<string, readonly NetworkKind[] | undefined>> = {
  http: ['http', 'stack'],
  stack: ['stack', 'sockets'],
  ethernet: ['ethernet'],
  // Of any kind, by its name.
  provided: allKinds,
}
/** What belongs to a device of a kind. */
export const kindsOf = (kind: string): readonly NetworkKind[] => (Object.hasOwn(exported, kind) ? exported[kind]! : [])

const ours = /^(xen-ts|@xen-ts\/.+)$/
const stackPackage = '@xen-ts/stack'

/** What a program's text says, or a part of it. */
export interface Facts {
  /** Kinds of network device that may be described. */
  readonly kinds: readonly NetworkKind[]
  /** What `unikernel` is called. */
  readonly makers: readonly string[]
  /** By the name of a variable: what function its value is a call of; '' for any other value. */
  readonly calls: Readonly<Record<string, string>>
  /** The default export: by its name, or what function it is a call of. */
  readonly main?: { readonly name?: string; readonly call: string }
  /** Names that are used, also as properties of the global object, and those that are declared. */
  readonly used: readonly string[]
  readonly properties: readonly string[]
  readonly declared: readonly string[]
}

/** For walk(): what `factsOf` gives is known afterwards. */
export function programFacts(): { visitors: readonly Visitor[]; facts(): Facts } {
  const kinds = new Set<NetworkKind>()
  const calls: Record<string, string> = {}
  const makers = new Set<string>()
  const properties = new Set<string>()
  const free = freeNames()
  const add = (more: readonly NetworkKind[]): void => more.forEach(kind => void kinds.add(kind))
  let main: Facts['main']
  const visit: Visitor = (node, above) => {
    for (const name of propertiesOfGlobal(node)) properties.add(name)
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init) calls[node.id.name] = calleeOf(node.init)
    else if (node.type === 'ImportDeclaration' && ours.test(String(node.source.value))) {
      if (String(node.source.value).startsWith(stackPackage)) add(['http', 'stack', 'sockets'])
      for (const specifier of node.specifiers) {
        if (specifier.type !== 'ImportSpecifier') add(allKinds)
        else {
          const name = nameOf(specifier.imported)
          if (name === 'unikernel') makers.add(specifier.local.name)
          if (Object.hasOwn(exported, name)) add(exported[name]!)
        }
      }
    } else if (node.type === 'ExportDefaultDeclaration') main = mainOf(node.declaration)
    else if (node.type === 'ExportSpecifier' && nameOf(node.exported) === 'default') main = mainOf(node.local)
    // require('xen-ts'), import('xen-ts'), export * from 'xen-ts': whatever they are used for.
    else if (node.type === 'Literal' && ours.test(String(node.value)) && above.at(-1)?.type !== 'ImportDeclaration') add(allKinds)
  }
  return {
    visitors: [free.visit, visit],
    facts: () => ({
      kinds: [...kinds],
      makers: [...makers],
      calls,
      main,
      used: [...free.used],
      properties: [...properties],
      declared: [...free.declared],
    }),
  }
}

const calleeOf = (node: AnyNode): string => (node.type === 'CallExpression' && node.callee.type === 'Identifier' ? node.callee.name : '')
const mainOf = (node: AnyNode): NonNullable<Facts['main']> => ({
  name: node.type === 'Identifier' ? node.name : undefined,
  call: calleeOf(node),
})

/** The facts of a text from those of its parts, in their order. */
export const joinFacts = (parts: readonly Facts[]): Facts => ({
  kinds: parts.flatMap(part => part.kinds),
  makers: parts.flatMap(part => part.makers),
  calls: Object.assign({}, ...parts.map(part => part.calls)),
  main: parts.findLast(part => part.main !== undefined)?.main,
  used: parts.flatMap(part => part.used),
  properties: parts.flatMap(part => part.properties),
  declared: parts.flatMap(part => part.declared),
})

/**
 * The kinds of network device that the program may use: what is missing here is certainly not used.
 * @param facts of an ES module
 * @param shown the program's file, for messages
 * @throws CliError when the program is an ES module without a default export
 */
export function networkKinds({ kinds, makers, calls, main }: Facts, shown: string): ReadonlySet<NetworkKind> {
  if (main === undefined) {
    throw new CliError(
      'the program has no default export',
      shown,
      "write 'export default unikernel({ ... })', or 'export default { fetch(request) { ... } }'",
    )
  }
  const call = main.name === undefined ? main.call : Object.hasOwn(calls, main.name) ? calls[main.name]! : ''
  // A handler has the server without naming it. Whatever else is described here is described by a function of ours.
  return new Set(makers.includes(call) ? kinds : [...kinds, 'http', 'stack'])
}

const nameOf = (node: AnyNode): string => (node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : '')

/**
 * What an image need not have for these kinds: modules of ours, and what stands for them (see `without`). Nothing calls them
 * then; targets provide all kinds without asking who wants them.
 * @param stays what the target needs besides
 */
export function leftOut(kinds: ReadonlySet<NetworkKind>, stays: StackParts): Readonly<Record<string, string>> {
  if (!kinds.has('stack')) {
    const noStack = { '@xen-ts/stack': '', '@xen-ts/stack/config': '' }
    return kinds.has('ethernet') ? noStack : { ...noStack, 'drivers/netfront/netfront.ts': '' }
  }
  return {
    ...(!kinds.has('http') && { 'stack/http/server/server.ts': '' }),
    ...(!kinds.has('sockets') && !stays.names && { 'stack/dns/of-stack.ts': '@xen-ts/stack/without-dns', 'stack/tcp/by-name.ts': '' }),
    ...(!kinds.has('sockets') && !stays.udp && { 'stack/udp/udp.ts': '@xen-ts/stack/without-udp' }),
  }
}

export interface StackParts {
  readonly names: boolean
  readonly udp: boolean
}

/** What a target's own code does with the stack. One that is not ours may do anything; addresses of arguments may be those of DHCP, over UDP. */
export const partsOf = ({ specifier, target }: FoundTarget): StackParts => ({
  names: specifier === undefined,
  udp: specifier === undefined || target.network?.address === 'arguments',
})
