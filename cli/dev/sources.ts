/** Which files a build has read, or looked for: what is to be watched. */
import { dirname, resolve, sep } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { readByBuildModules } from '../build/build-modules.ts'
import type { Project } from '../build/project.ts'
import { foldersIn } from './watch.ts'

/** Of packages that are installed nothing changes while one develops, and there are many. */
const installed = `${sep}node_modules${sep}`
const manifests = ['package.json', 'tsconfig.json']

export class Sources {
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  /** Folders whose names count, and whatever is in folders. */
  #listed: readonly string[] = []
  #trees: readonly string[] = []
  /** Folders of assets. They stay known when a build fails: an error says nothing of them. */
  assets: readonly string[] = []

  /** What a build that came to its end has read. */
  async read({ inputs }: Metafile, project: Project): Promise<void> {
    this.#clear()
    for (const path of Object.keys(inputs)) if (!/^(?:<|[\w-]{2,}:)/.test(path)) this.#addFile(resolve(project.root, path))
    await this.#addReads(project)
  }

  /** What a build that fails would read: also what it does not find. */
  async look(project: Project): Promise<void> {
    const { entry } = project
    this.#clear()
    await this.#addReads(project)
    const options: BuildOptions = { entryPoints: [entry], bundle: true, write: false, packages: 'external', logLevel: 'silent' }
    await build({ ...options, plugins: [this.#seeing] }).catch(() => {})
  }

  async #addReads(project: Project): Promise<void> {
    const { files, folders, trees } = await readByBuildModules(project)
    for (const path of files) this.#addFile(path)
    for (const path of folders) this.#addFolder(path)
    this.#listed = folders
    this.#trees = trees
  }

  #clear(): void {
    this.#files.clear()
    this.#folders.clear()
  }

  /** Not for builds that go well: asking for each file takes as long as all the rest. */
  readonly #seeing: Plugin = {
    name: 'sources',
    setup: build => {
      build.onResolve({ filter: /^\.{0,2}\// }, ({ path, resolveDir }) => {
        this.#addFolder(dirname(resolve(resolveDir, path)))
        return undefined
      })
      build.onLoad({ filter: /./, namespace: 'file' }, ({ path }) => {
        this.#addFile(path)
        return undefined
      })
    },
  }

  #addFile(path: string): void {
    if (!path.includes(installed)) this.#files.add(path)
    this.#addFolder(dirname(path))
  }

  #addFolder(folder: string): void {
    if (!`${folder}${sep}`.includes(installed)) this.#folders.add(folder)
  }

  /** What is to be watched for a project. */
  folders({ root, entry }: Project): Set<string> {
    return new Set([root, dirname(entry), ...this.#folders, ...[...this.assets, ...this.#trees].flatMap(foldersIn)])
  }

  /**
   * Whether a build may come out otherwise after a change.
   * @param failed whether the last one failed: then it may have lacked whatever has come
   */
  concerns(path: string, { root, entry }: Project, failed: boolean): boolean {
    if (failed || path === entry || this.#files.has(path)) return true
    if (isManifest(path, root) || this.#listed.some(folder => path === folder || dirname(path) === folder)) return true
    return [...this.assets, ...this.#trees].some(folder => path === folder || path.startsWith(folder + sep))
  }
}

/** Whether the project itself may be another one after a change. */
export const isManifest = (path: string, root: string): boolean => manifests.some(name => path === resolve(root, name))
