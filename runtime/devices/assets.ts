/**
 * Files that belong to the program, as a device. The build gives the call the files themselves instead of the path (their bytes are
 * part of the image).
 */
import { type Device, device } from '../device.ts'
import { UsageError } from '../usage-error.ts'
import { give } from '../web/fetch/given.ts'

export interface AssetFile {
  /** Content-Type. */
  readonly type: string
  /** With its quotes. */
  readonly etag: string
  readonly bytes: Uint8Array
}

/** By path relative to the folder, with `/` between names: `css/site.css`. */
export type AssetFiles = Readonly<Record<string, AssetFile>>

export interface Assets {
  /** The file at a path (`css/site.css`), or undefined. */
  file(path: string): AssetFile | undefined
  /** All paths, sorted. */
  readonly paths: readonly string[]
  /**
   * The answer to a request for one of the files: GET and HEAD, `index.html` for a folder, 304 by If-None-Match, 405 for other methods. A
   * folder without its slash is redirected to the one with it, query included. undefined when there is no such file.
   */
  respond(request: Request): Response | undefined
}

/**
 * Describes the files below `folder`, a path relative to the module that calls this. The argument must be a literal: the build
 * reads it.
 */
export function assets(folder: string | AssetFiles): Device<Assets> {
  if (typeof folder === 'string') {
    throw new UsageError(
      `assets('${folder}') was not given its files; the build does that where assets, imported from 'xen-ts', is called with a literal path`,
    )
  }
  const result = device({ name: 'assets', connect: () => assetsOf(folder) })
  const bytes = Object.values(folder).reduce((sum, file) => sum + file.bytes.length, 0)
  return { ...result, options: { files: Object.keys(folder).length, bytes } }
}

export function assetsOf(files: AssetFiles): Assets {
  const paths = Object.keys(files).sort()
  // Their bytes are part of the image: no response needs a copy of them.
  for (const path of paths) give(files[path].bytes)
  const file = (path: string): AssetFile | undefined => (Object.hasOwn(files, path) ? files[path] : undefined)
  return {
    file,
    paths,
    respond(request) {
      const path = pathOf(request.url)
      const found = path === undefined ? undefined : file(path === '' || path.endsWith('/') ? `${path}index.html` : path)
      if (found !== undefined) return answer(request, found)
      if (path === undefined || path.endsWith('/') || file(`${path}/index.html`) === undefined) return undefined
      return new Response(null, { status: 301, headers: { location: `/${encodePath(path)}/${queryOf(request.url)}` } })
    },
  }
}

/** Of a name, `?` and `#` are characters like others; of a URL they end the path. */
const encodePath = (path: string): string => encodeURI(path).replace(/[?#]/g, encodeURIComponent)

/** With its question mark; empty when there is none. */
const queryOf = (url: string): string => /^[^?#]*(\?[^#]*)?/.exec(url)?.[1] ?? ''

function answer(request: Request, { type, etag, bytes }: AssetFile): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response(`${request.method} is not allowed here; GET and HEAD are\n`, { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  if (matches(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: { etag } })
  const headers = { 'content-type': type, 'content-length': String(bytes.length), etag, 'cache-control': 'no-cache' }
  return new Response(request.method === 'HEAD' ? null : bytes, { headers })
}

/** If-None-Match, by weak comparison (RFC 9110 section 13.1.2). */
function matches(header: string | null, etag: string): boolean {
  if (header === null) return false
  return header.trim() === '*' || header.split(',').some(part => part.trim().replace(/^W\//, '') === etag)
}

/**
 * The decoded path without its first slash; undefined when it names no file: bad encoding, an empty or dotted segment, NUL or a backslash.
 * A look-up in a table of paths cannot leave it anyway; this keeps every file at one address.
 */
function pathOf(url: string): string | undefined {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const encoded = start < 0 ? '' : url.slice(start + 1).replace(/[?#][^]*$/, '')
  let path
  try {
    path = encoded.includes('%') ? decodeURIComponent(encoded) : encoded
  } catch {
    return undefined
  }
  return /(^|\/)\.{0,2}\/|(^|\/)\.{1,2}$|[\0\\]/.test(path) ? undefined : path
}
