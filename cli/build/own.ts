/** The modules of xen-ts itself, as a program's bundle has them: TypeScript of the workspace, or JavaScript of packages that npm installed. */
import { readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const folderOf = (module: string): string => dirname(fileURLToPath(module))

/** By the names that folders have in the workspace; the inner ones first. Each package's main module lies in its folder itself. */
const folders: readonly (readonly [name: string, folder: string])[] = [
  ['boot', folderOf(import.meta.resolve('@xen-ts/boot'))],
  ['runtime', folderOf(import.meta.resolve('@xen-ts/runtime'))],
  ['drivers/vchan', folderOf(import.meta.resolve('@xen-ts/vchan'))],
  ['drivers', folderOf(import.meta.resolve('@xen-ts/drivers'))],
  ['stack', folderOf(import.meta.resolve('@xen-ts/stack'))],
  ['qubes', folderOf(import.meta.resolve('@xen-ts/qubes'))],
  ['targets', folderOf(import.meta.resolve('@xen-ts/targets'))],
  ['cli', dirname(import.meta.dirname)],
]

/** What a package of ours depends on may lie in its folder, and is not ours. */
const found = (file: string) =>
  folders.find(([, folder]) => file.startsWith(folder + sep) && !file.startsWith('node_modules', folder.length + 1))

/** The folder of xen-ts that a file (an absolute path) lies in, or undefined. */
export const ownFolder = (file: string): string | undefined => found(file)?.[0]

/** The path of such a file from the folder of xen-ts, as the workspace has it: `stack/index.ts`. */
export function ownPath(file: string): string | undefined {
  const [name, folder] = found(file) ?? []
  return folder === undefined ? undefined : `${name}${file.slice(folder.length).replace(/\.js$/, '.ts')}`
}

/** What other packages and programs can import of ours, as absolute paths: the exports of each package. */
export function ownExports(): string[] {
  return folders.flatMap(([, folder]) => {
    const { exports = {} }: { exports?: Record<string, string | { default: string }> } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    )
    return Object.values(exports).map(file => join(folder, typeof file === 'string' ? file : file.default))
  })
}

export const isOwn = (file: string): boolean => ownFolder(file) !== undefined
