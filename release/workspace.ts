/** The workspace's packages. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly license: string
  readonly type: string
  readonly exports?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  /** What is shipped beside the modules. */
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly sideEffects?: boolean | readonly string[]
}

export interface Package {
  /** From the root. */
  readonly folder: string
  readonly manifest: Manifest
}

export interface Workspace {
  readonly root: string
  /** The one version of all packages. */
  readonly version: string
  /** What Node the packages need, as `engines` has it. */
  readonly node: string
  /** Where its sources are, as package.json has it: registries compare that with the place where a package was built (provenance). */
  readonly repository?: { readonly type: string; readonly url: string }
  /** Those that are published, by name. */
  readonly packages: ReadonlyMap<string, Package>
}

/** Exports that are there for tests and benchmarks of the workspace, and for making the kernel. */
export const internal: Readonly<Record<string, readonly string[]>> = {
  '@xen-ts/boot': ['./cases', './engine', './fuzz', './memory-cases', './testing', './wasm/testing'],
  '@xen-ts/drivers': ['./hostile', './interleave', './sim', './sim/engine-setup', './sim/leak-check'],
  '@xen-ts/runtime': ['./web/subtle'],
  '@xen-ts/stack': ['./testing'],
}

const isPublished = (name: string): boolean => /^(@xen-ts\/|(create-)?xen-ts$)/.test(name) && name !== '@xen-ts/api-reference'

/** @throws Error when packages differ in version */
export function readWorkspace(root: string): Workspace {
  const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const { workspaces, engines, repository } = read('.') as Pick<Workspace, 'repository'> & {
    workspaces: string[]
    engines: { node: string }
  }
  const all = workspaces.filter(folder => !folder.includes('*')).map((folder): Package => ({ folder, manifest: read(folder) }))
  const packages = new Map(all.filter(({ manifest }) => isPublished(manifest.name)).map(one => [one.manifest.name, one]))
  const [version, ...others] = new Set([...packages.values()].map(({ manifest }) => manifest.version))
  if (others.length > 0) throw new Error(`the packages have the versions ${[version, ...others].join(', ')}: give all the same one`)
  for (const [name, { manifest }] of packages) {
    for (const [needed, wanted] of Object.entries(manifest.dependencies ?? {})) {
      if (packages.has(needed) && wanted !== version)
        throw new Error(`${name} depends on ${needed} ${wanted}, and the version of all packages is ${version}`)
    }
  }
  return { root, version, node: engines.node, repository, packages }
}
