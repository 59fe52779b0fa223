/** What functions and classes are called in the image: as in the source, whatever esbuild has to call them. */

import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import test from 'ava'
import { bundleFolder, folderOf, program, runFolder } from './testing.ts'

test('classes and functions of one name in two files, and of names that the runtime has', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `for (const one of [a.ValidationError, ValidationError, Loop, Graph, Inner, Own, new (inner())().constructor, a.arrow, arrow, a.plain, plain, encode, a.later]) say('name ' + one.name)
       say(String(new ValidationError('text')) + ' ' + String(new a.ValidationError('text')))`,
      `import * as a from './a.ts'
class ValidationError extends Error { override name = new.target.name }
class Loop { m() { return Loop } }
const Graph = class {}
const Inner = class Named { m() { return Named } }
class Own { static name = 'mine' }
function inner() { return class Lifecycle {} }
const arrow = () => 2
function plain() {}
async function encode() {}`,
    ),
    'a.ts': `export class ValidationError extends Error { static seen = ValidationError.name; override name = ValidationError.seen }
export const arrow = () => 1
export function plain() {}
export const later = function () {}`,
  })
  const names = [...(await runFolder(root)).matchAll(/name (\S*)\n/g)].map(match => match[1])
  t.deepEqual(names, [
    'ValidationError',
    'ValidationError',
    'Loop',
    'Graph',
    'Named',
    'mine',
    'Lifecycle',
    'arrow',
    'arrow',
    'plain',
    'plain',
    'encode',
    'later',
  ])
})

test('what the runtime gives has its name', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `say([AbortController, AbortSignal, TextEncoder, TextDecoder, EventTarget, DOMException, Response, URL, Headers, ReadableStream].map(one => one.name))`,
    ),
  })
  t.regex(
    await runFolder(root),
    /AbortController,AbortSignal,TextEncoder,TextDecoder,EventTarget,DOMException,Response,URL,Headers,ReadableStream\n/,
  )
})

test('stack traces have the names of the source', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      'try { encode() } catch (error) { say(error.stack) }',
      `import './a.ts'\nfunction encode() { throw new Error('here') }`,
    ),
    'a.ts': `function encode() { return 1 }\nglobalThis.x = encode`,
  })
  t.regex(await runFolder(root), /at encode \(/)
})

test('positions stay right beside what is left out', async t => {
  const source = program(
    '',
    `class Loop { m() { return marker(1) } }
class Graph { m() { return marker(2) } }
const Log = class { m() { marker(3) } }, plain = () => marker(4)
declare function marker(n: number): any
globalThis.all = [Loop, Graph, Log, plain]`,
  )
  const { code, map } = await bundleFolder(folderOf(t, { 'app.ts': source }))
  const trace = new TraceMap(map)
  const place = (text: string, what: string) => {
    const before = text.slice(0, text.indexOf(what)).split('\n')
    return { line: before.length, column: before.at(-1)!.length }
  }
  for (const what of [1, 2, 3, 4].map(n => `marker(${n})`)) {
    t.like(originalPositionFor(trace, place(code, what)), place(source, what), what)
  }
})
