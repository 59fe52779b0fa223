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

/**
 * The field of package.json for a repository, as npm writes it.
 * @param url `https://HOST/OWNER/NAME`, with or without what git puts round it
 * @throws Error when it is not the URL of a public repository
 */
export function repositoryAt(url: string): { type: string; url: string } {
  const place = url.replace(/^git\+/, '').replace(/(\.git)?\/?$/, '')
  if (!/^https:\/\/[^\s/@?#]+(\/[^\s/@?#]+)+$/.test(place))
    throw new Error(`repository '${url}': must be https://HOST/OWNER/NAME, as the workflow that publishes knows it`)
  return { type: 'git', url: `git+${place}.git` }
}

/**
 * @param url of the repository, when package.json does not say it
 * @throws Error when packages differ in version, and for another repository than that of package.json
 */
export function readWorkspace(root: string, url?: string): Workspace {
  const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const {
    workspaces,
    engines,
    repository: named,
  } = read('.') as Pick<Workspace, 'repository'> & {
    workspaces: string[]
    engines: { node: string }
  }
  const repository = url === undefined ? named : repositoryAt(url)
  if (named !== undefined && named.url !== repository!.url)
    throw new Error(`repository ${repository!.url} was given, and package.json names ${named.url}: leave one out, or make them the same`)
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
