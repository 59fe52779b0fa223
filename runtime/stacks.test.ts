/** Errors as programs see them, in the guest's engine. */
import test from 'ava'
import { runProgram } from './testing.ts'

const thrown = /RangeError: thrown\n {8}at thrower \(app\.js:\d+:\d+\)\n {8}at attempt\d* [^]*/

const lines: [level: string, source: string, text: RegExp][] = [
  ['ERR', 'stacks', thrown], // log.error(error.stack)
  ['ERR', 'app', thrown], // console.error(error)
  ['APP', 'app', /Wrong: of its own\n {8}at Wrong \(app\.js:\d+:\d+\)\n {8}at start [^]*/],
  ['APP', 'app', /fancy: x Error: called/],
  ['APP', 'app', /AbortError: no/],
  ['ERR', 'stacks', /an error whose message is not in its stack; log the error itself\n {8}at [^]*/],
  ['APP', 'app', /Late: after super/],
  ['APP', 'app', /RangeError: in the middle: small/],
  ['APP', 'app', /RangeError: in the middle: small, Late: frozen, Late: frozen, of its own, Late: ancestor message,name,stack Late: clone/],
  [
    'APP',
    'app',
    /URL { href: 'http:..a.b\?c' } Headers { 'd' => 'e' } URLSearchParams { 'f' => 'g', 'f' => 'h' } \[ URL { href: 'http:..i.' } \] Response {\n {6}status: 200,\n {6}statusText: '',\n {6}headers: Headers { 'content-type' => 'text.plain;charset=UTF-8' }\n {4}}/,
  ],
  ['APP', 'app', /Mine: captured\n {8}at caller \(app\.js:\d+:\d+\)\n {8}at start [^]*/],
  [
    'APP',
    'app',
    /\[\n(?: {6}true,\n){7} {6}7,\n {6}1,\n {6}1,\n {6}'Error',\n {6}1,\n {6}0,\n {6}true,\n {6}\[class \(anonymous\) extends Wrong\],\n {6}'\[object Error\]'\n {4}\]/,
  ],
]

test('stacks begin with name and message, also where a program prints them itself', async t => {
  const { output, reason } = await runProgram(import.meta.resolve('./fixtures/stacks.ts'))
  t.is(reason, 0, output)
  const said = output.trimEnd().split(/\n(?=2026-)/)
  t.is(said.length, lines.length, output)
  for (const [i, [level, source, text]] of lines.entries()) {
    const [, head, rest] = /^\S+ \S+ -00:00: (\w+ \[\w+\]) ([^]*)$/.exec(said[i]) as RegExpExecArray
    t.is(head, `${level} [${source}]`)
    t.regex(rest, new RegExp(`^${text.source}$`))
    t.notRegex(rest, /construct|\(native\)/)
  }
})
