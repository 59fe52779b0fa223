/**
 * What modules are called in a bundle: esbuild names the functions that it wraps them in by their paths from the project, which would
 * put the place where xen-ts is installed into each image. Here they get names that depend on the module alone.
 */
import { resolve } from 'node:path'
import { ownPath } from './own.ts'

/**
 * @param path absolute
 * @param root of the project
 * @returns the path from the project, from the folder that packages are installed in, or from that of xen-ts: `xen-ts:stack/index.ts`
 */
export function moduleName(path: string, root: string): string {
  const own = ownPath(path)
  if (own !== undefined) return `xen-ts:${own}`
  const installed = path.lastIndexOf('/node_modules/')
  if (installed >= 0) return path.slice(installed + 1)
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}

/** A comment that says where a module begins, or the property whose function wraps it. */
const heading = /^( *)(?:\/\/ (.+)|"(.+)"(\(.*\) \{))$/gm

/**
 * The script with such names. Lines stay lines, and nothing stands in those that change that the source map has a place for.
 * @param paths what esbuild calls the modules: the keys of the metafile's inputs
 */
export function withModuleNames(script: string, paths: ReadonlySet<string>, root: string): string {
  return script.replace(heading, (line, indent: string, comment?: string, property?: string, signature?: string) => {
    if (comment !== undefined) return paths.has(comment) ? `${indent}// ${named(comment, root)}` : line
    const path = JSON.parse(`"${property}"`)
    return paths.has(path) ? `${indent}${JSON.stringify(named(path, root))}${signature}` : line
  })
}

/** What stands in the heading of a module. */
function named(path: string, root: string): string {
  const [, namespace, rest] = /^([a-z()-]+:)(.*)$/.exec(path) ?? [undefined, '', path]
  return namespace + (rest.startsWith('<') ? rest : moduleName(resolve(root, rest), root))
}

/** The paths of modules by their headings; undefined: two copies of a package have the same. */
export function headingsOf(paths: Iterable<string>, root: string): Map<string, string | undefined> {
  const headings = new Map<string, string | undefined>()
  for (const path of paths) {
    const heading = named(path, root)
    headings.set(heading, headings.has(heading) ? undefined : path)
  }
  return headings
}
