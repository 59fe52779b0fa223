/** How deep JavaScript may go, in the engine under Node; test/system/programs/deep.ts is the same on Xen. */
import test from 'ava'
import { makeSnapshot } from '../image/snapshot.ts'
import { callDeep } from './deep.ts'
import { GuestError } from './errors.ts'
import { runInEngine } from './run.ts'

/** Evaluates expressions in the engine, with the stack of the guest. */
async function evaluate(top: string, ...expressions: string[]): Promise<string[]> {
  let output = ''
  const bundle = `${top}
globalThis.__xenTs = {
  turn() {
    for (const run of [${expressions.map(text => `() => ${text}`).join()}]) __abi.consoleWrite(String(run()) + '\\n')
    __abi.shutdown(0)
  },
  fail(e) { __abi.consoleWrite('fail: ' + e + '\\n' + e?.stack); __abi.shutdown(3) } }`
  await runInEngine({
    bundle,
    output: text => {
      output += text
    },
  })
  return output.trimEnd().split('\n')
}

const tools = `
let depth = 0
const nested = n => { let a = []; for (let i = 0; i < n; i++) a = [a]; return a }
const tell = run => { depth = 0; try { run(); return 'returned' } catch (e) { return e.name + ': ' + e.message } }
const down = () => { depth++; down() }
const atTheEnd = (0, eval)('(function wide(run) { var ' + Array.from({ length: 1000 }, (_, i) => 'a' + i) +
  '; try { wide(run) } catch (e) { if (run.ran) throw e; run.ran = true; run() } })')`

test('plain calls go as deep as in Node', async t => {
  const [error, depth] = await evaluate(tools, 'tell(down)', 'depth')
  t.is(error, 'InternalError: stack overflow')
  t.true(Number(depth) > 11_000, depth)
})

test('an overflow is caught, a thousand times in a row, and nothing is lost', async t => {
  const lines = await evaluate(
    `${tools}
    // Few calls, so that it does not take long: each has 1,000 variables on the stack.
    const wide = (0, eval)('(function wide() { var ' + Array.from({ length: 1000 }, (_, i) => 'a' + i) + '; wide() })')
    const times = (count, run) => { let n = 0; for (let i = 0; i < count; i++) n += /stack overflow/.test(tell(run)); return n }`,
    'times(1000, wide)',
    'times(20, down)',
    'depth',
  )
  t.deepEqual(lines.slice(0, 2), ['1000', '20'])
  t.true(Number(lines[2]) > 11_000, lines[2])
})

const overflows: Record<string, string> = {
  'callbacks of sort': 'tell(function f() { [2, 1].sort(() => { f() }) })',
  'callbacks of replace': 'tell(function f() { "a".replace(/a/, () => f()) })',
  toJSON: 'tell(() => { const o = { toJSON: () => JSON.stringify(o) }; JSON.stringify(o) })',
  generators: 'tell(() => { function* f() { yield* f() } return [...f()] })',
  'JSON.parse': 'tell(() => JSON.parse("[".repeat(200000)))',
  'parentheses in eval': 'tell(() => (0, eval)("(".repeat(200000)))',
  'functions in eval': 'tell(() => (0, eval)("(function(){".repeat(20000)))',
  'calls of the kernel that throw': 'tell(() => atTheEnd(function f() { try { __abi.fence(1) } catch {} f() }))',
  'calls of the kernel with texts': 'tell(function f() { __abi.utf8Encode("a".repeat(50) + depth++, new Uint8Array(9), 0); f() })',
  'groups of a regular expression': 'tell(() => new RegExp("(?:".repeat(200000)))',
}
test('every way to nest without end is an error of the guest, and the engine goes on', async t => {
  const lines = await evaluate(tools, ...Object.values(overflows), '"alive"')
  // The parser of functions may say something else about what it could not read.
  for (const [i, what] of Object.keys(overflows).entries()) t.regex(lines[i], /^(InternalError: stack overflow|SyntaxError: .)/, what)
  t.is(lines.at(-1), 'alive')
})

test('what people nest is not refused: data of 10,000 levels, recursive functions of 10,000', async t => {
  const lines = await evaluate(
    tools,
    'JSON.stringify(JSON.parse("[".repeat(10000) + "]".repeat(10000))).length',
    '(function sum(n) { return n ? n + sum(n - 1) : 0 })(10000)',
    '(0, eval)("(".repeat(5000) + "7" + ")".repeat(5000))',
  )
  t.deepEqual(lines, ['20000', '50005000', '7'])
})

test('modules may recurse while a snapshot is made', async t => {
  const bundle = `const sum = n => n ? n + sum(n - 1) : 0
    JSON.parse('['.repeat(2000) + ']'.repeat(2000))
    globalThis.total = sum(1000)
    globalThis.__xenTs = { turn() {}, fail() {} }`
  await t.notThrowsAsync(makeSnapshot({ bundle, filename: 'app.js', program: 'app' }))
  const endless = makeSnapshot({ bundle: 'eval("(".repeat(100000))', filename: 'app.js', program: 'app' })
  await t.throwsAsync(endless, { instanceOf: GuestError, message: /stack overflow/ })
})

test('what a call on the thread throws comes back, and the next call is served', async t => {
  const module = new URL('../image/take.ts', import.meta.url).href
  await t.throwsAsync(
    callDeep(module, 'runTwice', undefined, () => {}),
    { instanceOf: TypeError },
  )
  await t.throwsAsync(
    callDeep('file:///none.ts', 'x', undefined, () => {}),
    { message: /none\.ts/ },
  )
  t.is((await evaluate('', '1 + 1'))[0], '2')
})
