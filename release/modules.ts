/** Which modules of the workspace are shipped: what can be reached from what packages offer to their users. No test is. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'oxc-parser'
import { internal, type Workspace } from './workspace.ts'

/** A literal in a module that names another one. */
export interface Mention {
  readonly specifier: string
  /** Offsets of the text, without its quotes. */
  readonly start: number
  readonly end: number
}

type Node = Record<string, unknown> & { readonly start: number; readonly end: number }

/**
 * All literals that may be names of modules, relative or of our packages: of imports, and those that `import.meta.resolve`, `new URL` and
 * Worker are given.
 * @throws SyntaxError for what is no TypeScript
 */
export function mentions(file: string, source: string): Mention[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const found: Mention[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { type, value: text, start, end } = value as Node
    if (type === 'Literal' && typeof text === 'string' && /^(\.\.?\/[^\s*]*\.ts|(@xen-ts\/|xen-ts$)\S*)$/.test(text))
      found.push({ specifier: text, start: start + 1, end: end - 1 })
    for (const child of Object.values(value)) visit(child)
  }
  visit(program)
  return found
}

export interface Shipped {
  /** Modules by their paths from the root, sorted. */
  readonly modules: readonly string[]
  /** By package: the keys of its `exports` that stay. */
  readonly exports: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * All that packages export, but for what is internal, and what that needs.
 * @throws Error for a module that is named and not there
 */
export function shippedModules({ root, packages }: Workspace): Shipped {
  const modules = new Set<string>()
  const exports = new Map([...packages.keys()].map(name => [name, new Set<string>()]))
  const waiting: string[] = []
  const reach = (file: string): void => {
    if (modules.has(file)) return
    modules.add(file)
    waiting.push(file)
  }
  const reachExport = (name: string, key: string): void => {
    const { folder, manifest } = packages.get(name)!
    const target = manifest.exports?.[key]
    if (target === undefined) return
    exports.get(name)!.add(key)
    if (target.endsWith('.ts')) reach(normalize(join(folder, target)))
  }
  for (const [name, { folder, manifest }] of packages) {
    for (const key of Object.keys(manifest.exports ?? {})) if (!internal[name]?.includes(key)) reachExport(name, key)
    for (const file of Object.values(manifest.bin ?? {})) reach(normalize(join(folder, file)))
  }
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const path = join(root, file)
    if (!existsSync(path)) throw new Error(`${file} is named by a module or a package.json, and does not exist`)
    for (const { specifier } of mentions(path, readFileSync(path, 'utf8'))) {
      if (specifier.startsWith('.')) reach(normalize(join(dirname(file), specifier)))
      else {
        const name = [...packages.keys()].find(one => specifier === one || specifier.startsWith(`${one}/`))
        if (name !== undefined) reachExport(name, `.${specifier.slice(name.length)}`)
      }
    }
  }
  return { modules: [...modules].sort(), exports }
}

/** A module's text, with the names of modules that were TypeScript as they are after compilation. Nothing moves: `.js` is as long as `.ts`. */
export function withCompiledNames(file: string, text: string): string {
  let result = text
  for (const { specifier, end } of mentions(file, text)) {
    if (specifier.startsWith('.')) result = `${result.slice(0, end - 2)}js${result.slice(end)}`
  }
  return result
}
