import { readFileSync } from 'node:fs'
import test from 'ava'
import { FakeKernel } from '../fake-kernel.ts'
import { installGlobals } from '../globals.ts'
import { LogWriter } from '../log.ts'
import { Loop } from '../loop.ts'
import type { Machine } from '../machine.ts'
import * as web from './inject.ts'
import { alwaysThere, webNames, webNamesIn } from './names.ts'

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

const uses: [code: string, names: string[]][] = [
  ['new URL(x)', ['URL']],
  ['globalThis.URL', ['URL']],
  ["'Headers' in globalThis", ['Headers']],
  ['const { Request, Response: R } = self', ['Request', 'Response']],
  ['new URLSearchParams()', ['URLSearchParams']],
  ['myURL + URL2 + $URL + URL_', []],
  ['globalThis.onerror = f', ['handlers']],
  ["addEventListener('unhandledrejection', f)", ['addEventListener']],
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
