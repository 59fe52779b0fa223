import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { OnLoadResult } from 'esbuild'

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

/** The files of a folder and its subfolders as a module: `{ 'index.html': { type, etag, bytes } }`, names sorted, hidden ones left out. */
export function assetModule(folder: string): OnLoadResult {
  const names = listFiles(folder, '')
  const entries = names.map(name => {
    const bytes = readFileSync(join(folder, name))
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`
    const type = types[extname(name).toLowerCase()] ?? 'application/octet-stream'
    // A computed key: `"__proto__": ...` would say what the prototype is.
    return `[${JSON.stringify(name)}]: { type: ${JSON.stringify(type)}, etag: ${JSON.stringify(etag)}, bytes: bytes(${JSON.stringify(bytes.toString('base64'))}) }`
  })
  // Runs at build time, where speed does not matter and there is no atob: the result is in the snapshot, this code is not used again.
  const contents = `
function bytes(text) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array(text.length / 4 * 3 - padding)
  for (let i = 0, o = 0; i < text.length; i += 4) {
    let word = 0
    for (let k = 0; k < 4; k++) word = word << 6 | Math.max(0, digits.indexOf(text[i + k]))
    for (let k = 16; k >= 0 && o < out.length; k -= 8) out[o++] = word >> k
  }
  return out
}
export default { ${entries.join(',\n')} }
`
  return { contents, loader: 'js', watchDirs: [folder], watchFiles: names.map(name => join(folder, name)) }
}

function listFiles(root: string, prefix: string): string[] {
  return readdirSync(join(root, prefix), { withFileTypes: true })
    .filter(entry => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => (entry.isDirectory() ? listFiles(root, `${prefix}${entry.name}/`) : entry.isFile() ? [prefix + entry.name] : []))
}
