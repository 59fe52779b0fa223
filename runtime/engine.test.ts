/** The runtime in the guest's engine: what passes only on V8 does not count. */
import test from 'ava'
import { scenarios } from './fixtures/scenarios.ts'
import { runProgram } from './testing.ts'
import { vectors } from './web/subtle/vectors.cases.ts'
import { outcome } from './web/testing.ts'

const fixture = (name: string) => import.meta.resolve(`./fixtures/${name}.ts`)

test('hello says its three lines a second apart, then bye, and powers off', async t => {
  const { reason, output } = await runProgram(import.meta.resolve('hello'))
  t.is(
    output,
    [
      '2026-11-22 18:29:54.123 -00:00: INF [hello] hello 1',
      '2026-11-22 18:29:55.123 -00:00: INF [hello] hello 2',
      '2026-11-22 18:29:56.123 -00:00: INF [hello] hello 3',
      '2026-11-22 18:29:57.123 -00:00: INF [hello] bye',
      '',
    ].join('\n'),
  )
  t.is(reason, 0)
})

const ends: [how: string, reason: number, output: RegExp][] = [
  ['throw', 3, /ERR \[app\] RangeError: thrown\n +at .*\(app\.js:\d+:\d+\)/],
  ['reject', 3, /ERR \[app\] RangeError: rejected\n +at .*app\.js:\d+:\d+/],
  ['timer', 3, /54\.128 .*ERR \[app\] uncaught RangeError: in a timer\n +at .*app\.js:\d+:\d+/],
  ['lost', 3, /54\.123 .*ERR \[app\] uncaught RangeError: lost\n +at .*app\.js:\d+:\d+/],
  ['microtask', 3, /54\.123 .*ERR \[app\] uncaught RangeError: in a microtask\n/],
  ['listener', 3, /54\.123 .*ERR \[app\] uncaught RangeError: in a listener\n/],
  ['overflow', 3, /ERR \[app\] (RangeError|InternalError): .*(stack|call)/i],
  [
    'told',
    0,
    /^onerror Uncaught RangeError: reported app\.js true RangeError\nonerror Uncaught RangeError: in a microtask .*\nunhandledrejection lost true true\nonerror Uncaught RangeError: in a timer .*\n$/,
  ],
  ['looked', 3, /^error\n.*ERR \[app\] uncaught RangeError: reported\n(?!unhandled)/],
  ['seen', 3, /^error\n.*ERR \[app\] uncaught RangeError: in a timer\n(?!unhandled)/],
  ['again', 3, /ERR \[app\] uncaught RangeError: in the listener\n/],
  ['endless', 3, /^.*ERR \[app\] uncaught RangeError: of the listener, 100\n/],
  ['nothing', 3, /ERR \[app\] uncaught DeadlockError: the program waits for something that can never come/],
  ['value', 3, /ERR \[app\] thrown value 'a text'/],
  ['cause', 3, /ERR \[app\] Error: outer\n[^]*cause: TypeError: inner\n/],
  ['late', 0, /^$/],
]

for (const [how, reason, expected] of ends) {
  test(`a program that ends by '${how}' is reported, and shuts down with ${reason}`, async t => {
    const result = await runProgram(fixture('errors'), { commandLine: `--how=${how}` })
    t.regex(result.output, expected)
    t.is(result.reason, reason)
    t.true(result.output.split('ERR').length <= 2, result.output)
  })
}

const strayLine = /ERR \[\w+\] uncaught in a promise: RangeError: stray\n +at .*\(app\.js:\d+:\d+\)/g

test('a promise that a handler module leaves behind and that fails is logged, and every request is answered', async t => {
  const { reason, output } = await runProgram(fixture('stray-handler'), { target: fixture('serving-target') })
  t.is(reason, 0)
  t.is(output.match(strayLine)?.length, 1, output)
  t.regex(output, /\/1: ok[^]*\/2: ok[^]*stray\n +at countVisit [^]*\/3: ok/)
})

test('with --strict it ends the domain', async t => {
  const { reason, output } = await runProgram(fixture('stray-handler'), { target: fixture('serving-target'), commandLine: '--strict' })
  t.is(reason, 3)
  t.regex(output, /\/2: ok[^]*ERR \[app\] uncaught RangeError: stray\n/)
  t.false(output.includes('/3'))
})

for (const [commandLine, reason, lines] of [
  ['--how=promise', 0, 3],
  ['--how=microtask', 0, 3],
  ['--how=promise --strict', 3, 0],
  ['--how=promise --early', 3, 0],
  ['--how=timer', 3, 0],
] as const) {
  test(`a program that serves, started with ${commandLine}, ends with ${reason}`, async t => {
    const result = await runProgram(fixture('strays'), { target: fixture('serving-target'), commandLine })
    t.is(result.reason, reason, result.output)
    t.is(result.output.match(strayLine)?.length ?? 0, lines, result.output)
    if (reason !== 0) t.regex(result.output, /ERR \[app\] uncaught RangeError: stray\n/)
  })
}

test('arguments are refused, and --help answered', async t => {
  const wrong = await runProgram(fixture('errors'), { commandLine: 'root=x --how=thrwo' })
  t.is(wrong.reason, 3)
  t.regex(wrong.output, /--how: 'thrwo' is not one of throw, .*; did you mean throw\?/)
  const help = await runProgram(fixture('errors'), { commandLine: '--help' })
  t.is(help.reason, 0)
  t.regex(help.output, /--how=throw\|reject/)
})

test('a handler module and a site answer requests', async t => {
  const target = fixture('http-target')
  const texts = async (app: string) =>
    (await runProgram(app, { target })).output
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace(/^.*?\] /, ''))
  t.deepEqual(await texts(import.meta.resolve('handler')), [
    '80 GET /: 200 text/plain;charset=UTF-8 "hello from /\\n"',
    '80 GET /a/../b%20c?d: 200 text/plain;charset=UTF-8 "hello from /b%20c\\n"',
    '80 POST /missing: 200 text/plain;charset=UTF-8 "hello from /missing\\n"',
  ])
  t.deepEqual(await texts(fixture('site')), [
    '80 GET /: 200 text/html "<!"',
    '80 GET /a/../b%20c?d: 404 text/plain;charset=UTF-8 "no /b%20c"',
    '80 POST /missing: 404 text/plain;charset=UTF-8 "no /missing"',
  ])
})

const played = runProgram(fixture('scenarios'))
played.catch(() => {})

/** Lines of JSON with a name and an outcome. */
const outcomesIn = (output: string): Map<string, unknown> =>
  new Map(
    output
      .split('\n')
      .filter(line => line.startsWith('['))
      .map(line => JSON.parse(line)),
  )

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`as in Node: ${name}`, async t => {
    const { output } = await played
    const outcomes = outcomesIn(output)
    t.true(outcomes.has(name), output.slice(-500))
    t.deepEqual(outcomes.get(name), JSON.parse(JSON.stringify(await outcome(scenario, globalThis))))
  })
}

const examples = runProgram(fixture('vectors'))
examples.catch(() => {})

for (const { from, expected } of vectors)
  test(`as printed: ${from}`, async t => t.deepEqual(outcomesIn((await examples).output).get(from), { result: expected }))
