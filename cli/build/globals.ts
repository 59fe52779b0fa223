/** Warns of global names that the bundle uses and the image has not: a program that reaches them fails while it runs. */
import { absentHint } from '@xen-ts/runtime/machine'
import { type Place, showPlace } from './positions.ts'
import { type AnyNode, type Program, type Visitor, walk } from './syntax.ts'

/** What a global object is called. */
const globalObjects = ['globalThis', 'self', 'window', 'global']

export interface Use {
  readonly name: string
  readonly at: number
  /** Only asks whether it is there, or catches that it is not. */
  readonly careful: boolean
}

/**
 * Names that are declared nowhere. (In a bundle of esbuild no declared name is that of a global which is used anywhere: it renames, so
 * scopes need not be looked at.)
 */
export function freeNames(): { visit: Visitor; used: ReadonlySet<string>; declared: ReadonlySet<string>; names(): Set<string> } {
  const used = new Set<string>()
  const declared = new Set<string>(['arguments', '__assets', '__bytes'])
  const declare = (pattern: AnyNode | null | undefined): void => {
    if (pattern?.type === 'Identifier') declared.add(pattern.name)
    else if (pattern?.type === 'ObjectPattern') for (const one of pattern.properties) declare(one.type === 'Property' ? one.value : one)
    else if (pattern?.type === 'ArrayPattern') for (const one of pattern.elements) declare(one)
    else if (pattern?.type === 'AssignmentPattern') declare(pattern.left)
    else if (pattern?.type === 'RestElement') declare(pattern.argument)
  }
  const visit: Visitor = (node, above) => {
    if (node.type === 'Identifier') {
      if (isReference(node, above.at(-1))) used.add(node.name)
    } else if (node.type === 'VariableDeclarator' || node.type === 'ClassDeclaration' || node.type === 'ClassExpression') declare(node.id)
    else if (node.type === 'CatchClause') declare(node.param)
    else if (imported.includes(node.type)) declare((node as AnyNode & { type: 'ImportSpecifier' }).local)
    else if ('params' in node) {
      if ('id' in node) declare(node.id)
      for (const one of node.params) declare(one)
    } else if (node.type === 'AssignmentExpression') {
      // A global that the bundle itself makes.
      if (node.left.type === 'Identifier') declare(node.left)
      else if (node.left.type === 'MemberExpression' && isGlobalObject(node.left.object)) declared.add(propertyOf(node.left) ?? '')
    }
  }
  return { visit, used, declared, names: () => used.difference(declared) }
}

export const isGlobalObject = (node: AnyNode): boolean => node.type === 'Identifier' && globalObjects.includes(node.name)

export function propertyOf(node: AnyNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined
  return node.property.type === 'Literal' && typeof node.property.value === 'string' ? node.property.value : undefined
}

const imported: readonly AnyNode['type'][] = ['ImportSpecifier', 'ImportDefaultSpecifier', 'ImportNamespaceSpecifier']

/** Whether a name stands for a variable here, and not for a property or a label. */
export function isReference(node: AnyNode, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.computed || parent.object === node
    case 'Property':
      return parent.computed || parent.shorthand || parent.value === node
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.computed || parent.value === node
    case 'ExportSpecifier':
      return parent.local === node
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
    case 'MetaProperty':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return false
    default:
      return true
  }
}

/** Whether what is thrown here is caught, in the same function. */
function isCaught(above: readonly AnyNode[]): boolean {
  for (let i = above.length - 1; i > 0; i--) {
    const outer = above[i - 1]
    if (outer.type === 'TryStatement' && outer.handler && outer.block === above[i]) return true
    if ('params' in above[i]) return false
  }
  return false
}

/** Where these names are used, or asked for. */
export function usesOf(tree: Program, names: ReadonlySet<string>): Use[] {
  const uses: Use[] = []
  walk(tree, (node, above) => {
    const parent = above.at(-1)
    if (node.type === 'Identifier' && names.has(node.name) && isReference(node, parent))
      uses.push({
        name: node.name,
        at: node.start,
        careful: (parent?.type === 'UnaryExpression' && parent.operator === 'typeof') || isCaught(above),
      })
    else if (node.type === 'BinaryExpression' && node.operator === 'in' && node.left.type === 'Literal') {
      if (names.has(String(node.left.value))) uses.push({ name: String(node.left.value), at: node.start, careful: true })
    } else if (node.type === 'MemberExpression') {
      const property = propertyOf(node)
      if (property === undefined) return
      if (isGlobalObject(node.object) && names.has(property)) uses.push({ name: property, at: node.start, careful: true })
    }
  })
  return uses
}

/** A global name, and the files that use it. */
export interface GlobalUse {
  readonly name: string
  /** Absolute paths. */
  readonly files: readonly string[]
}

/**
 * What the program and its packages use of the global object, xen-ts itself aside.
 * @param names free names of the bundle
 */
export function globalUses(
  tree: Program,
  names: ReadonlySet<string>,
  place: (offset: number) => Place | undefined,
  isOwn: (file: string) => boolean,
): GlobalUse[] {
  const files = new Map<string, Set<string>>()
  for (const { name, at } of usesOf(tree, names)) {
    const file = place(at)?.file
    if (file === undefined || isOwn(file)) continue
    const found = files.get(name)
    if (found) found.add(file)
    else files.set(name, new Set([file]))
  }
  return [...files].map(([name, files]) => ({ name, files: [...files].sort() })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Use in a file, by its absolute path. */
export interface FileUse extends Use {
  readonly file: string
}

/**
 * The warnings, once it is known what the image has.
 * @param uses of free names that are no properties of the global object, but for those in xen-ts
 */
export function absentGlobals(uses: readonly FileUse[], place: (offset: number) => Place | undefined): string[] {
  const key = ({ file, name }: FileUse) => `${name} ${file}`
  // A file that asks anywhere is taken to know what it does.
  const careful = new Set(uses.filter(use => use.careful).map(key))
  const bold = uses.filter(use => !careful.has(key(use)))
  const packages = Map.groupBy(bold, use => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(use.file)?.[1])
  return [...ofProgram(packages.get(undefined) ?? [], place), ...ofPackages(packages)]
}

const hints = new Map([
  ['React', 'JSX becomes calls of React here, and React is not imported: import it, or write "jsx": "react-jsx" in tsconfig.json'],
])

/** Each name of a file once, where it is used first. */
function ofProgram(uses: readonly FileUse[], place: (offset: number) => Place | undefined): string[] {
  const first = Map.groupBy(uses, use => `${use.file} ${use.name}`)
  return [...first.values()].flatMap(([{ name, at }, ...more]) => {
    const found = place(at)
    const text = hints.get(name) ?? absentHint(name) ?? `${name} is not defined: it is neither declared nor a global`
    return found === undefined ? [] : [`${text}${more.length > 0 ? ` (used ${more.length + 1} times)` : ''}\n${showPlace(found)}`]
  })
}

/** What other hosts have, in one warning for all packages: names that nobody knows may be made somewhere else. */
function ofPackages(uses: ReadonlyMap<string | undefined, readonly FileUse[]>): string[] {
  const named = [...uses].flatMap(([name, ofOne]) => {
    const names = ofOne.map(use => use.name).filter(one => absentHint(one) !== undefined)
    return name === undefined || names.length === 0 ? [] : [`${name} (${[...new Set(names)].sort().join(', ')})`]
  })
  if (named.length === 0) return []
  return [`packages use globals that xen-ts does not have, and fail where they do so: ${named.sort().join(', ')}`]
}
