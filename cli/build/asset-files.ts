/** What a folder of assets holds. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import type { AssetCoding } from '@xen-ts/runtime'
import { trouble } from '../errors.ts'
import { compressed } from './compress.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.pdf': 'application/pdf',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
}

export interface BuiltFile {
  /** Relative to the folder, with `/` between names. */
  readonly name: string
  readonly type: string
  readonly etag: string
  readonly bytes: Uint8Array
  /** Smallest first. */
  readonly variants: readonly BuiltVariant[]
}

export interface BuiltVariant {
  readonly coding: AssetCoding
  readonly etag: string
  readonly bytes: Uint8Array
}

/**
 * The files of a folder and its subfolders, names sorted. Links are followed, but not out of the folder. Names that begin with a dot
 * are left out, but for `.well-known` (RFC 8615), and so is what is neither file nor folder.
 * @param shown the folder as messages call it
 * @param codings that the files are compressed in, where it pays
 * @throws Error for a link that leads out of the folder, nowhere, or round
 */
export function readFolder(folder: string, shown: string, codings: readonly AssetCoding[]): { files: BuiltFile[]; leftOut: string[] } {
  const root = realpathSync(folder)
  const leftOut: string[] = []
  const list = (prefix: string, above: readonly string[]): string[] =>
    readdirSync(join(root, prefix), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(entry => {
        const name = prefix + entry.name
        const path = entry.isSymbolicLink() ? follow(root, name, `the link ${shown.replace(/\/$/, '')}/${name}`, above) : join(root, name)
        const is = statSync(path)
        const hidden = entry.name.startsWith('.') && entry.name !== '.well-known'
        if (hidden || !(is.isFile() || is.isDirectory())) leftOut.push(is.isDirectory() ? `${name}/` : name)
        else return is.isDirectory() ? list(`${name}/`, [...above, path]) : [name]
        return []
      })
  const files = list('', [root]).map(name => {
    const bytes = readFileSync(join(root, name))
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
    const type = types[extname(name).toLowerCase()] ?? 'application/octet-stream'
    const variants = compressed(bytes, type, codings).map(variant => ({ ...variant, etag: `"${hash}-${variant.coding}"` }))
    return { name, type, etag: `"${hash}"`, bytes, variants }
  })
  return { files, leftOut }
}

/** @param above the real paths of the folders that the link lies in */
function follow(root: string, name: string, link: string, above: readonly string[]): string {
  let path: string
  try {
    path = realpathSync(join(root, name))
  } catch (error) {
    throw new Error(`${link} leads nowhere: ${trouble(error)}`)
  }
  if (above.includes(path)) throw new Error(`${link} leads to a folder that it lies in`)
  if (!path.startsWith(root + sep)) throw new Error(`${link} leads out of its folder`)
  return path
}
