/**
 * What a process reads of the project that is built, and of what is installed: by the functions of node:fs, by import and by require. What its
 * children read is not told.
 */
import fs from 'node:fs'
import { registerHooks, syncBuiltinESMExports } from 'node:module'
import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Reads {
  /** Also those that were asked for and are not there. */
  readonly files: readonly string[]
  /** Of which names were listed. */
  readonly folders: readonly string[]
  /** The same with all that is in them. */
  readonly trees: readonly string[]
  /** Files and folders of what is installed. */
  readonly installed: readonly string[]
}

export const noReads: Reads = { files: [], folders: [], trees: [], installed: [] }

const ofFiles = ['access', 'copyFile', 'createReadStream', 'exists', 'lstat', 'open', 'openAsBlob', 'readFile', 'realpath', 'stat']
const ofFolders = ['opendir', 'readdir']
const installed = `${sep}node_modules${sep}`

/** Notes all reads of this process from now on. Gives the function that tells them. */
export function watchReads(): () => Reads {
  const noted = { files: new Set<string>(), folders: new Set<string>(), trees: new Set<string>(), installed: new Set<string>() }
  const note = (kind: keyof Reads, given: unknown): void => {
    const path = pathOf(given)
    if (path !== undefined && !/^\/(?:dev|proc|sys)\//.test(path)) noted[path.includes(installed) ? 'installed' : kind].add(path)
  }
  for (const object of [fs, fs.promises] as unknown as Record<string, any>[]) {
    const watch = (name: string, kindOf: (options: any) => keyof Reads): void => {
      for (const full of [name, `${name}Sync`]) {
        if (typeof object[full] !== 'function') continue
        const apply = (original: any, self: unknown, args: unknown[]): unknown => {
          note(kindOf(args[1]), args[0])
          return Reflect.apply(original, self, args)
        }
        object[full] = new Proxy(object[full], { apply })
      }
    }
    for (const name of ofFiles) watch(name, () => 'files')
    for (const name of ofFolders) watch(name, options => (options?.recursive ? 'trees' : 'folders'))
  }
  syncBuiltinESMExports()
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) note('files', new URL(url))
      return next(url, context)
    },
  })
  return () => ({
    files: [...noted.files],
    folders: [...noted.folders],
    trees: [...noted.trees],
    installed: [...noted.installed],
  })
}

function pathOf(given: unknown): string | undefined {
  if (typeof given === 'string') return resolve(given)
  if (given instanceof Uint8Array) return resolve(Buffer.from(given).toString())
  return given instanceof URL && given.protocol === 'file:' ? fileURLToPath(given) : undefined // a file that is open
}

/** All together. */
export const joinReads = (all: readonly Reads[]): Reads => ({
  files: all.flatMap(({ files }) => files),
  folders: all.flatMap(({ folders }) => folders),
  trees: all.flatMap(({ trees }) => trees),
  installed: all.flatMap(({ installed }) => installed),
})
