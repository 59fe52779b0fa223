import test from 'ava'
import * as web from './inject.ts'
import { webNames, webNamesIn } from './names.ts'

test('the names are those that inject.ts exports', t => {
  t.deepEqual([...webNames].sort(), Object.keys(web).sort())
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
  // Pages have a body too.
  ["'<html><body>x</body></html>'", []],
  ["'body{margin:0}'", []],
  ["'html,body {margin:0}'", []],
  ['bodyOf(somebody)', []],
]

for (const [code, names] of uses) test(`names in: ${code}`, t => t.deepEqual(webNamesIn(code), names))
