/** The sources of xen-ts itself, as a program's bundle has them. */
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('../../', import.meta.url))
const folders = ['boot', 'runtime', 'drivers/vchan', 'drivers', 'stack', 'qubes', 'targets', 'cli']

/** The folder of xen-ts that a file (an absolute path) lies in, or undefined. */
export const ownFolder = (file: string): string | undefined => folders.find(folder => file.startsWith(`${sources}${folder}/`))

/** The path of such a file from the folder of xen-ts: `stack/index.ts`. */
export const ownPath = (file: string): string | undefined => (isOwn(file) ? file.slice(sources.length) : undefined)

export const isOwn = (file: string): boolean => ownFolder(file) !== undefined
