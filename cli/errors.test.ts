import test from 'ava'
import { CliError, caret, describeError } from './errors.ts'

test('an error for the user has three parts: what, where, what to do', t => {
  const where = caret({ file: 'app.ts', line: 12, column: 7, lineText: 'import x from "node:fs"', length: 4 })
  t.is(
    describeError(new CliError('node:fs does not exist', where, "use assets('./folder')")),
    [
      'error: node:fs does not exist',
      '  app.ts:12:8',
      '  12 | import x from "node:fs"',
      '     |        ^~~~',
      "  use assets('./folder')",
    ].join('\n'),
  )
})

test('what a command wrote ends without an empty line', t => {
  t.is(describeError(new CliError('no', 'xl: failed\n  why\n', 'do it')), 'error: no\n  xl: failed\n    why\n  do it')
})

test('the caret stays under its place behind tabs', t => {
  t.true(caret({ file: 'a.ts', line: 1, column: 2, lineText: '\t\tx()' }).endsWith('\n  | \t\t^'))
})

test('any other error is a defect of the tool and shows its stack, and that of its cause', t => {
  t.regex(describeError(new TypeError('boom')), /xen-ts itself failed[^]*boom[^]*errors\.test\.ts/)
  t.regex(describeError(new Error('outer', { cause: new RangeError('inner') })), /outer[^]*cause: RangeError: inner/)
})
