/**
 * Files that belong to the program, as a device. The build gives the call the files themselves instead of the path (their bytes are
 * part of the image).
 */
import { type Device, device } from '../device.ts'
import { UsageError } from '../usage-error.ts'
import { give } from '../web/fetch/given.ts'
import { chooseCoding } from './accept-encoding.ts'
import { contentRange, multipart, parseRanges } from './ranges.ts'

/** A file, or a variant of it. */
export interface AssetVariant {
  /** With its quotes; strong: other bytes have another. */
  readonly etag: string
  readonly bytes: Uint8Array
}

export interface AssetFile extends AssetVariant {
  /** Content-Type. */
  readonly type: string
  /** Last-Modified, as HTTP writes it (`Sun, 06 Nov 1994 08:49:37 GMT`). The build gives none: the same files make the same image. */
  readonly modified?: string
  /** The same compressed, by content coding, smallest first. */
  readonly variants?: Readonly<Partial<Record<AssetCoding, AssetVariant>>>
}

export type AssetCoding = 'gzip' | 'br'

export interface AssetOptions {
  /**
   * Which codings of the files an image has beside the files themselves, where that makes them smaller. Default: `['gzip', 'br']`; false:
   * none. Browsers ask for `br` only behind TLS, so without a proxy in front of the program `['gzip']` does.
   */
  readonly compress?: false | readonly AssetCoding[]
}

/** By path relative to the folder, with `/` between names: `css/site.css`. */
export type AssetFiles = Readonly<Record<string, AssetFile>>

export interface Assets {
  /** The file at a path (`css/site.css`), or undefined. */
  file(path: string): AssetFile | undefined
  /** All paths, sorted. */
  readonly paths: readonly string[]
  /**
   * The answer to a request for one of the files: GET and HEAD, `index.html` for a folder, 304 and 412 by what the client has, 206 and 416
   * for ranges, compressed where the client takes that, 405 for other methods. A folder without its slash is redirected to the one with
   * it, query included. undefined when there is no such file.
   */
  respond(request: Request): Response | undefined
}

/**
 * Describes the files below `folder`, a path relative to the module that calls this. The arguments must be literals: the build
 * reads them.
 */
export function assets(folder: string | AssetFiles, _options?: AssetOptions): Device<Assets> {
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
  for (const path of paths) for (const { bytes } of [files[path], ...Object.values(files[path].variants ?? {})]) give(bytes)
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

function answer(request: Request, file: AssetFile): Response {
  const { method, headers: asked } = request
  if (method !== 'GET' && method !== 'HEAD') {
    return new Response(`${method} is not allowed here; GET and HEAD are\n`, { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  const range = method === 'GET' ? asked.get('range') : null
  const coding = codingFor(asked, file, range !== null)
  const headers: Record<string, string> = {}
  if (file.variants !== undefined) headers.vary = 'accept-encoding'
  if (coding === false) return new Response('no coding of this file is acceptable\n', { status: 406, headers })
  const { etag, bytes } = coding === undefined ? file : file.variants![coding]!
  headers.etag = etag
  headers['cache-control'] = 'no-cache'
  if (file.modified !== undefined) headers['last-modified'] = file.modified
  const status = condition(asked, etag, file.modified)
  if (status !== undefined) return new Response(null, { status, headers })
  headers['content-type'] = file.type
  if (coding !== undefined) headers['content-encoding'] = coding
  else headers['accept-ranges'] = 'bytes'
  const part = range === null || coding !== undefined || isOutdated(asked, file) ? undefined : partial(range, file, headers)
  if (part !== undefined) return part
  headers['content-length'] = String(bytes.length)
  return new Response(method === 'HEAD' ? null : (bytes as Uint8Array<ArrayBuffer>), { headers })
}

/** Ranges are those of the file as it is: who asks for some gets no other, if he takes it. */
function codingFor(asked: Headers, { variants }: AssetFile, wantsRange: boolean): AssetCoding | undefined | false {
  if (variants === undefined) return undefined
  const field = asked.get('accept-encoding')
  if (wantsRange && chooseCoding(field, []) === undefined) return undefined
  return chooseCoding(field, Object.keys(variants) as AssetCoding[])
}

/** RFC 9110 section 13.2.2: the status that says that the client has it, or has another one; undefined when it is to be sent. */
function condition(asked: Headers, etag: string, modified: string | undefined): 304 | 412 | undefined {
  const match = asked.get('if-match')
  if (match !== null && !lists(match, etag, true)) return 412
  const other = asked.get('if-none-match')
  if (other !== null) return lists(other, etag, false) ? 304 : undefined
  if (modified === undefined) return undefined
  const since = asked.get('if-modified-since')
  return since !== null && Date.parse(modified) <= Date.parse(since) ? 304 : undefined
}

/** Whether a list of tags has this one, by strong or by weak comparison (RFC 9110 section 8.8.3.2). */
function lists(field: string, etag: string, isStrong: boolean): boolean {
  if (field.trim() === '*') return true
  return field.split(',').some(part => (isStrong ? part.trim() : part.trim().replace(/^W\//, '')) === etag)
}

/** If-Range (RFC 9110 section 13.1.5): the client has parts of another one. Weak tags match nothing, dates only themselves. */
function isOutdated(asked: Headers, { etag, modified }: AssetFile): boolean {
  const field = asked.get('if-range')
  return field !== null && field !== etag && (modified === undefined || field !== modified)
}

function partial(field: string, { etag, type, bytes }: AssetFile, headers: Record<string, string>): Response | undefined {
  const size = bytes.length
  const ranges = parseRanges(field, size)
  if (ranges === undefined) return undefined
  if (ranges.length === 0) {
    const { 'content-type': _, ...others } = headers
    return new Response(null, { status: 416, headers: { ...others, 'content-range': `bytes */${size}` } })
  }
  if (ranges.length === 1) {
    const [only] = ranges
    const part = give(bytes.subarray(only.start, only.end)) as Uint8Array<ArrayBuffer>
    return new Response(part, { status: 206, headers: { ...headers, 'content-range': contentRange(only, size) } })
  }
  // Of the tag, so it is in no file: the tag is made of the file's bytes.
  const boundary = `part-${etag.replace(/[^0-9A-Za-z]/g, '')}`
  headers['content-type'] = `multipart/byteranges; boundary=${boundary}`
  return new Response(give(multipart(ranges, bytes, type, boundary)), { status: 206, headers })
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
