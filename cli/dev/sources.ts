/** Which files a build has read, or looked for: what is to be watched. */
import { dirname, resolve, sep } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import type { Project } from '../build/project.ts'
import { foldersIn } from './watch.ts'

/** Of packages that are installed nothing changes while one develops, and there are many. */
const installed = `${sep}node_modules${sep}`
const manifests = ['package.json', 'tsconfig.json']

export class Sources {
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  /** Folders of assets. They stay known when a build fails: an error says nothing of them. */
  assets: readonly string[] = []

  /** What a build that came to its end has read. @param root that its paths are relative to */
  read({ inputs }: Metafile, root: string): void {
    this.#clear()
    for (const path of Object.keys(inputs)) if (!/^(?:<|[\w-]{2,}:)/.test(path)) this.#addFile(resolve(root, path))
  }

  /** What a build that fails would read: also what it does not find. */
  async look({ entry }: Project): Promise<void> {
    this.#clear()
    const options: BuildOptions = { entryPoints: [entry], bundle: true, write: false, packages: 'external', logLevel: 'silent' }
    await build({ ...options, plugins: [this.#seeing] }).catch(() => {})
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
    return new Set([root, dirname(entry), ...this.#folders, ...this.assets.flatMap(foldersIn)])
  }

  /**
   * Whether a build may come out otherwise after a change.
   * @param failed whether the last one failed: then it may have lacked whatever has come
   */
  concerns(path: string, { root, entry }: Project, failed: boolean): boolean {
    if (failed || path === entry || this.#files.has(path)) return true
    return isManifest(path, root) || this.assets.some(folder => path === folder || path.startsWith(folder + sep))
  }
}

/** Whether the project itself may be another one after a change. */
export const isManifest = (path: string, root: string): boolean => manifests.some(name => path === resolve(root, name))
