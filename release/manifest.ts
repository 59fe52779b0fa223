/** The package.json of a package as it is published. */
import type { Package, Workspace } from './workspace.ts'

const compiled = (file: string): string => file.replace(/\.ts$/, '.js')

/**
 * @param exported keys of `exports` that stay
 * @param isShipped whether a file of the package, by its path in it, is in the tarball
 * @param files what stands in the package's folder
 */
export function publishedManifest(
  { folder, manifest }: Package,
  { node, repository }: Workspace,
  exported: ReadonlySet<string>,
  isShipped: (file: string) => boolean,
  files: readonly string[],
): Record<string, unknown> {
  const { name, version, description, license, type, bin, dependencies, sideEffects } = manifest
  const exports = Object.entries(manifest.exports ?? {}).flatMap(([key, file]) => {
    if (!exported.has(key)) return []
    return [[key, file.endsWith('.ts') ? { types: file.replace(/\.ts$/, '.d.ts'), default: compiled(file) } : file]]
  })
  return {
    name,
    version,
    description,
    license,
    type,
    repository: repository && { ...repository, directory: folder },
    engines: { node },
    bin: bin && Object.fromEntries(Object.entries(bin).map(([command, file]) => [command, compiled(file)])),
    exports: exports.length === 0 ? undefined : Object.fromEntries(exports),
    files,
    dependencies,
    sideEffects: Array.isArray(sideEffects) ? sideEffects.filter(file => isShipped(file)).map(compiled) : sideEffects,
  }
}
