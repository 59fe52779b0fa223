import { Console } from 'node:console'
import { Writable } from 'node:stream'
import test from 'ava'
import { LogWriter } from '../log.ts'
import { createConsole } from './console.ts'
import { addTables } from './console-table.ts'

addTables()

function shown(...args: unknown[]): string {
  let text = ''
  const writer = new LogWriter({
    write: line => {
      text += line
    },
    now: () => 0,
  })
  createConsole(writer.log('app'), () => 0).table(...args)
  return text
    .replace(/^.*?\] /, '')
    .replace(/^ {2,}(?=[┌│├└])/gm, '')
    .trimEnd()
}

function shownByNode(...args: [unknown, string[]?]): string {
  let text = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  new Console({ stdout }).table(...args)
  return text.trimEnd()
}

const cases: [name: string, ...args: [unknown, string[]?]][] = [
  [
    'rows of objects',
    [
      { a: 1, b: 'x' },
      { b: 'longer', c: true },
    ],
  ],
  ['rows by name', { first: { a: 1 }, second: { a: -0, b: null } }],
  ['values alone', ['x', 2, undefined]],
  ['values and objects', [{ a: 1 }, 7]],
  ['arrays in an array', [[1, 2], [3]]],
  ['some columns', [{ a: 1, b: 2 }, { b: 3 }], ['b', 'z']],
  [
    'a map',
    new Map<unknown, unknown>([
      ['k', 1],
      [2, 'v'],
    ]),
  ],
  ['a set', new Set(['a', 1])],
  ['nothing', []],
  ['no table', 5],
  ['text', 'a %s'],
]

for (const [name, ...args] of cases) test(`drawn as in Node: ${name}`, t => t.is(shown(...args), shownByNode(...args)))

test('a value of several lines stands in one', t => {
  const wide = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`member${i}`, 'x'.repeat(10)]))
  const lines = shown([{ wide }]).split('\n')
  t.is(lines.length, 5)
  t.is(new Set(lines.map(line => line.length)).size, 1)
})
