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
  ['new TextDecoder()', []],
  ['new TextDecoder("utf-8", { fatal: true })', []],
  ['new TextDecoder(void 0, { fatal: true })', []],
  ['new TextDecoder("UTF-16LE")', ['encoding:utf16']],
  ['new TextDecoder("windows-1251")', ['encoding:windows1251']],
  ["decode(TextDecoder, ['koi8-r', 'gbk'])", ['encoding:koi8R', 'encoding:others']],
  ['"koi8-r"', []],
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
  // Pages have a body too.
  ["'<html><body>x</body></html>'", []],
  ["'body{margin:0}'", []],
  ["'html,body {margin:0}'", []],
  ['bodyOf(somebody)', []],
]

for (const [code, names] of uses) test(`names in: ${code}`, t => t.deepEqual(webNamesIn(code), names))

test('a decoder of a label that is not written there may be any', t => {
  const names = webNamesIn('new TextDecoder(label)')
  t.is(names.filter(name => name.startsWith('encoding:')).length, names.length)
  t.true(names.length > 28)
})
