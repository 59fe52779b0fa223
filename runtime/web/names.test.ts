import { readFileSync } from 'node:fs'
import test from 'ava'
import { FakeKernel } from '../fake-kernel.ts'
import { installGlobals } from '../globals.ts'
import { LogWriter } from '../log.ts'
import { Loop } from '../loop.ts'
import type { Machine } from '../machine.ts'
import { addConsole } from './console.ts'
import * as web from './inject.ts'
import { alwaysThere, madeNames, webNames, webNamesIn, webNamesModule } from './names.ts'
import { addNavigator } from './navigator.ts'

test('the names are those that inject.ts exports', t => {
  t.deepEqual([...webNames].sort(), Object.keys(web).sort())
})

test('what is always there is what installGlobals puts there', t => {
  const { abi } = new FakeKernel()
  const loop = new Loop(abi)
  const logs = new LogWriter({ write() {}, now: () => 0 })
  const scope = {}
  installGlobals(scope, { abi, timers: loop, log: (source: string) => logs.log(source) } as unknown as Machine, logs, 'p')
  t.deepEqual([...alwaysThere].sort(), Object.getOwnPropertyNames(scope).sort())
  t.deepEqual(Object.keys(scope), [])
})

test('what is made for programs that name it', t => {
  addConsole()
  addNavigator()
  const { abi } = new FakeKernel()
  const logs = new LogWriter({ write() {}, now: () => 0 })
  const scope: any = {}
  installGlobals(scope, { abi, timers: new Loop(abi), log: (source: string) => logs.log(source) } as unknown as Machine, logs, 'p')
  t.deepEqual(
    [...madeNames].sort(),
    Object.getOwnPropertyNames(scope)
      .filter(name => !alwaysThere.includes(name))
      .sort(),
  )
  t.is(scope.navigator.userAgent, 'xen-ts')
  scope.console.log('x')
  t.is(logs.recent().at(-1)?.message, 'x')
})

test('the module for an image has what was found', t => {
  const code = webNamesModule(['URL', 'console', 'encoding:koi8R', 'encoding:utf16', 'timing'])
  for (const part of [
    "import { URL } from '.*inject.ts'",
    'expose(globalThis, { URL })',
    'addConsole()',
    'addTiming()',
    'addUtf16()',
    "import { koi8R } from '.*tables.ts'",
    'addSingleBytes(koi8R)',
  ])
    t.regex(code.replaceAll('"', "'"), new RegExp(part.replace(/[()]/g, '\\$&')))
})

const uses: [code: string, names: string[]][] = [
  ['new URL(x)', ['URL']],
  ['globalThis.URL', ['URL']],
  ["'Headers' in globalThis", ['Headers']],
  ['const { Request, Response: R } = self', ['Request', 'Response']],
  ['new URLSearchParams()', ['URLSearchParams']],
  ['myURL + URL2 + $URL + URL_', []],
  ['globalThis.onerror = f', ['handlers']],
  ["addEventListener('unhandledrejection', f)", ['addEventListener']],
  ['globalThis.onrejectionhandled = f', ['handlers']],
  ['console.log(x)', ['console']],
  ['console.table(x)', ['console', 'table']],
  ['const { table } = console', ['console', 'table']],
  ["console.log('<table>')", ['console']],
  ['navigator.userAgent', ['navigator']],
  ["performance.mark('a')", ['timing']],
  ['const { measure } = performance', ['timing']],
  ['performance.now()', []],
  ["'a bookmark', performance", []],
  ["'Performance' + text.mark()", []],
  ['mark(performance.now())', []],
  ['list.push([mark, match]), performance.now()', []],
  ['const { measure: m } = globalThis.performance', ['timing']],
  ["performance['mark']('a')", ['timing']],
  ['const p = performance; p.measure(x)', ['timing']],
  ['new TextDecoder()', []],
  ['new TextDecoder("utf-8", { fatal: true })', []],
  ['new TextDecoder(void 0, { fatal: true })', []],
  ['new TextDecoder("UTF-16LE")', ['encoding:utf16']],
  ['new TextDecoder("windows-1251")', ['encoding:windows1251']],
  ["decode(TextDecoder, ['koi8-r', 'gbk'])", ['encoding:koi8R', 'encoding:others']],
  ['"koi8-r"', []],
  ['(1).toLocaleString()', ['dates', 'numbers']],
  ["date.toLocaleDateString('en', { dateStyle: 'full' })", ['dates']],
  ['a.localeCompare(b)', ['compare']],
  ["keys = ['toLocaleString', 'toLocaleDateString']", []],
  ['new Intl.NumberFormat()', ['Intl']],
  // Streams without their names.
  ['request.body', ['ReadableStream']],
  ['request?.body', ['ReadableStream']],
  ["request['body']", ['ReadableStream']],
  ['const { method, body } = request', ['ReadableStream']],
  ['({ body: b }) => b', ['ReadableStream']],
  ['async function* parts() {}', ['ReadableStream']],
  ['({ async *[Symbol.iterator]() {} })', ['ReadableStream']],
  ['stream.getReader()', ['ReadableStream']],
  ['call.stdout.getWriter()', ['ReadableStream']],
  ['call.stdin.tee()', ['ReadableStream']],
  ['stdin.pipeThrough(upper)', ['ReadableStream']],
  ['await stdin.pipeTo(stdout, { preventClose: true })', ['ReadableStream']],
  ['await stdin.pipeTo(other())', ['ReadableStream']],
  ["const { pipeTo } = stdin, go = stdin['pipeTo']", ['ReadableStream']],
  ['new Response(call.stdin)', ['ReadableStream', 'Response']],
  // The streams of a call can do these by themselves.
  ['await call.stdin.pipeTo(call.stdout)', []],
  ['for await (const part of call.stdin) await stdout.write(part)', []],
  ['await stdin.cancel(); await stdin.text(); committee()', []],
  // What crypto.subtle is to do.
  ["crypto.subtle.digest('SHA-256', x)", ['subtle/sha256']],
  ["globalThis.crypto?.subtle.digest({ name: 'sha-1' }, x)", ['subtle/sha1']],
  ["const { subtle } = crypto; subtle.importKey('raw', k, 'HMAC')", ['subtle/hmac']],
  ["const { getRandomValues, subtle: s } = crypto, k = s.generateKey({ name: 'AES-GCM', length })", ['subtle/aes']],
  ["crypto['subtle'].digest(`SHA-${bits}`, x)", ['subtle/sha1', 'subtle/sha256', 'subtle/sha512']],
  ["if ('subtle' in crypto) digest('SHA-512', 'SHA-384')", ['subtle/sha512']],
  ["crypto.subtle.importKey('jwk', k, { name: 'ECDSA', hash: 'SHA-256' })", ['subtle/ecdsa', 'subtle/sha256']],
  ["crypto.subtle.importKey, 'ECDH', 'ed25519', 'X25519'", ['subtle/ecdh', 'subtle/ed25519', 'subtle/x25519']],
  ["crypto.subtle.generateKey, 'HKDF', 'PBKDF2', 'RSASSA-PKCS1-v1_5'", ['subtle/hkdf', 'subtle/pbkdf2', 'subtle/rsa']],
  ["key instanceof CryptoKey && crypto.subtle.importKey('spki', key, 'RSA-PSS')", ['CryptoKey', 'subtle/rsa']],
  [
    'crypto.subtle.digest(settings.algorithm, x)',
    ['aes', 'ecdh', 'ecdsa', 'ed25519', 'hkdf', 'hmac', 'pbkdf2', 'rsa', 'sha1', 'sha256', 'sha512', 'x25519'].map(
      name => `subtle/${name}`,
    ),
  ],
  // Words, and what needs none of it.
  ["'it is subtle: SHA-256, AES-GCM', 'plain, subtle, fine', \"sub.subtlety\"", []],
  ["crypto.getRandomValues(x), 'HMAC'", []],
  ["crypto.randomUUID() + styles.subtle + 'AES-GCM'", []],
  ['if (crypto.subtle) say()', []],
  ["styles.subtle + { plain: 1, subtle: 'AES-GCM' }", []],
  // Blobs and forms without their names, and the streams of Blobs.
  ['await request.formData()', ['FormData']],
  ["const read = request['formData']", ['FormData']],
  ["cached('formData')", ['FormData']],
  ['await response.blob()', ['Blob']],
  ["cached('blob')", ['Blob']],
  ['const { blob } = response', ['Blob']],
  ['(await request.blob()).stream()', ['Blob', 'ReadableStream']],
  ["new File([], 'a').stream()", ['File', 'ReadableStream']],
  ['const { stream } = form.get(name), form = new FormData()', ['FormData', 'ReadableStream']],
  ['audio.stream()', []],
  ['blobs(blob)', []],
  ['new CompressionStream(encoding)', ['CompressionStream']],
  // Pages have a body too.
  ["'<html><body>x</body></html>'", []],
  ["'body{margin:0}'", []],
  ["'html,body {margin:0}'", []],
  ['bodyOf(somebody)', []],
]

test('each module of algorithms is found, and is in the list for tests', t => {
  const modules = webNamesIn('crypto.subtle.importKey')
  const text = readFileSync(new URL('subtle/all.ts', import.meta.url), 'utf8')
  t.deepEqual(
    [...text.matchAll(/^import \{ algorithms as \w+ \} from '.\/(\w+)\.ts'$/gm)].map(([, name]) => `subtle/${name}`),
    modules,
  )
})

for (const [code, names] of uses) test(`names in: ${code}`, t => t.deepEqual(webNamesIn(code), names))

test('a decoder of a label that is not written there may be any', t => {
  const names = webNamesIn('new TextDecoder(label)')
  t.is(names.filter(name => name.startsWith('encoding:')).length, names.length)
  t.true(names.length > 28)
})
