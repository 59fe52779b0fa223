/** What runs around a test file, in the guest's engine and in Node alike: classic scripts. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Job {
  /** Path in WPT. */
  readonly path: string
  /** '' or '?1-10'. */
  readonly variant: string
  readonly subject: string | undefined
}

export interface Test {
  readonly name: string
  /** As in testharness.js: 0 pass, 1 fail, 2 timeout, 3 not run, 4 precondition failed. */
  readonly status: number
  readonly message: string
}

export interface FileResult {
  /** The subject does not exist. */
  readonly missing?: boolean
  readonly tests: readonly Test[]
  /** What kept the file from running to its end. */
  readonly trouble?: string
}

/** What WPT's server has under another name. */
const aliases: Record<string, string> = { 'resources/WebIDLParser.js': 'resources/webidl2/lib/webidl2.js' }

/** A file of WPT. */
export const readFile = (root: string, path: string): Buffer => readFileSync(join(root, aliases[path] ?? path))

export const hexOf = (root: string, path: string): string =>
  statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ? readFile(root, path).toString('hex') : ''

/** Paths of what a test file asks for in `// META: script=`, absolute in WPT; testharness.js itself is not among them. */
export function metaScripts(path: string, source: string): string[] {
  return [...source.matchAll(/^\/\/\s*META:\s*script=(.*)$/gm)].map(match =>
    new URL(match[1].trim(), `http://wpt/${path}`).pathname.slice(1),
  )
}

export const metaTitle = (source: string): string | undefined => /^\/\/\s*META:\s*title=(.*)$/m.exec(source)?.[1].trim()

/** '' where there are none. */
export function variants(source: string): string[] {
  const found = [...source.matchAll(/^\/\/\s*META:\s*variant=(.*)$/gm)].map(match => match[1].trim())
  return found.length === 0 ? [''] : found
}

export const isLong = (source: string): boolean => /^\/\/\s*META:\s*timeout=long/m.test(source)

/**
 * Before testharness.js. `__host('read', path)` gives a file's bytes in hexadecimal, or ''; `__host('script', path)` evaluates a file of WPT.
 */
export const environment = ({ path, variant }: Job, title: string | undefined): string => `
(() => {
  const define = (key, value) => Object.defineProperty(globalThis, key, { value, writable: true, configurable: true, enumerable: false })
  if (typeof self === 'undefined') define('self', globalThis)
  define('GLOBAL', { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false })
  ${title === undefined ? '' : `define('META_TITLE', ${JSON.stringify(title)})`}
  const base = 'http://web-platform.test:8000/${path}'
  define('location', {
    href: base + ${JSON.stringify(variant)}, search: ${JSON.stringify(variant)}, origin: 'http://web-platform.test:8000', protocol: 'http:',
    host: 'web-platform.test:8000', hostname: 'web-platform.test', port: '8000', pathname: '/${path}', hash: '', toString() { return this.href },
  })
  const find = file => {
    file = String(file).replace(/[?#].*/, '').replace(/^http:\\/\\/web-platform.test:8000/, '')
    if (file.startsWith('/')) return file.slice(1)
    const parts = '${path}'.split('/').slice(0, -1)
    for (const part of file.split('/')) if (part === '..') parts.pop(); else if (part !== '.') parts.push(part)
    return parts.join('/')
  }
  // Only for files beside the tests: their data.
  define('fetch', async file => {
    if (String(file).startsWith('data:')) return new Response(decodeURIComponent(String(file).replace(/^[^,]*,/, '')))
    const hex = /\\.(py|asis)(\\?|$)/.test(file) ? '' : __host('read', find(file))
    if (hex === '') throw new TypeError('fetch: there is no server here for ' + file)
    const bytes = new Uint8Array(hex.length / 2)
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.substr(2 * i, 2), 16)
    if (typeof Response === 'function') return new Response(bytes, { headers: { 'content-type': /json$/.test(file) ? 'application/json' : 'text/plain' } })
    const text = async () => new TextDecoder().decode(bytes)
    return { ok: true, status: 200, text, json: async () => JSON.parse(await text()), arrayBuffer: async () => bytes.buffer, bytes: async () => bytes }
  })
  define('importScripts', (...files) => { for (const file of files) if (!/\\/testharness(report)?\\.js$/.test(file)) __host('script', find(file)) })
})()
`

/**
 * A file as it is run. A relative address in `new Request` has no base outside of a browser, so it is given one. idlharness.js knows no global
 * object but those of browsers: ours counts as a worker's. sab.js takes SharedArrayBuffer from WebAssembly, which need not be there.
 */
export function adapted(path: string, source: string): string {
  if (path === 'resources/idlharness.js')
    return source.replace('function exposed_in(globals) {', '$& return globals === "*" || globals.has("DedicatedWorker");')
  if (path === 'common/sab.js') return source.replace('sabConstructor = null', 'sabConstructor = globalThis.SharedArrayBuffer ?? null')
  // What WPT's server fills in.
  if (path.endsWith('.sub.js')) return source.replaceAll('{{host}}', 'web-platform.test').replace(/\{\{ports\[\w+\]\[0\]\}\}/g, '8666')
  if (!path.startsWith('fetch/')) return source
  return source.replace(/new Request\((["'`])(?!\w+:)(?!\/\/)/g, (_, quote) => `new Request(${quote}http://web-platform.test:8000/fetch/`)
}

/** After testharness.js: `__suite.done` is a promise of the results. `seconds` of its own clock end the wait for the file, `testSeconds` that for a test. */
export const reporter = (seconds: number, testSeconds: number): string => `
(() => {
  const { setTimeout, clearTimeout } = globalThis
  globalThis.__suite.done = new Promise(resolve => {
    // A test that hangs is not to take the others of its file with it.
    const watch = (test, milliseconds) => setTimeout(() => { if (test.phase < test.phases.HAS_RESULT) test.timeout() }, milliseconds)
    const { promise_test, async_test } = globalThis
    globalThis.promise_test = (run, name, properties) => typeof run !== 'function' || typeof name !== 'string' ? promise_test(run, name, properties)
      : promise_test(function (test) { watch(test, ${testSeconds * 1000}); return run.apply(this, arguments) }, name, properties)
    globalThis.async_test = (...args) => { const test = async_test(...args); watch(test, ${testSeconds * 5000}); return test }
    const timer = setTimeout(() => { globalThis.timeout?.() }, ${seconds * 1000})
    const last = setTimeout(() => resolve(JSON.stringify({ tests: [], trouble: 'testharness.js does not end' })), ${(seconds + 5) * 1000})
    add_completion_callback((tests, status) => {
      clearTimeout(timer)
      clearTimeout(last)
      resolve(JSON.stringify({
        tests: tests.map(({ name, status, message }) => ({ name: String(name), status, message: String(message ?? '').slice(0, 300) })),
        trouble: status.status === 0 ? undefined : ['', 'error', 'timeout', 'precondition failed'][status.status] + ': ' + String(status.message ?? '').slice(0, 300),
      }))
    })
  })
})()
`
