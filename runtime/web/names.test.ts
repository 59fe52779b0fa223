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
  // Pages have a body too.
  ["'<html><body>x</body></html>'", []],
  ["'body{margin:0}'", []],
  ["'html,body {margin:0}'", []],
  ['bodyOf(somebody)', []],
]

for (const [code, names] of uses) test(`names in: ${code}`, t => t.deepEqual(webNamesIn(code), names))
