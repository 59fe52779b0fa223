import test from 'ava'
import { createEngine } from './create.ts'
import { GuestError } from './errors.ts'

test('values come out as they are in JavaScript', async t => {
  const engine = await createEngine()
  for (const text of ['0', '-1', '2147483647', '-2147483648', '2147483648', '0.1', '-1e300', 'Infinity', '5e-324'])
    t.is(engine.values.number(engine.eval(text, 'v.js')), Number(text))
  t.true(Number.isNaN(engine.values.number(engine.eval('NaN', 'v.js'))))
  t.true(Object.is(engine.values.number(engine.eval('-0', 'v.js')), -0))
  for (const text of ['true', 'null', 'undefined', '"1"', '1n', '({})', 'Symbol()'])
    t.is(engine.values.number(engine.eval(text, 'v.js')), undefined, text)
  for (const text of ['"aé€😀\\0b"', '"x".repeat(5000) + "y"']) {
    const value = engine.eval(text, 'v.js')
    t.true(engine.values.isString(value))
    t.is(engine.text(value), (0, eval)(text))
  }
})

test("numbers go in as they are, in QuickJS's own form", async t => {
  const engine = await createEngine()
  const check = engine.eval('(a, b) => Object.is(a, b)', 'v.js')
  for (const number of [0, -0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 0.1, -1e300, Infinity, -Infinity, NaN, 5e-324, 2 ** 53]) {
    const expected = engine.eval(Object.is(number, -0) ? '-0' : number === -(2 ** 31) ? '-2147483647 - 1' : String(number), 'v.js')
    t.is(engine.text(engine.call(check, engine.number(number), expected)), 'true', String(number))
    t.is(engine.memory.u64(engine.number(number)), engine.memory.u64(expected), `bits of ${number}`)
  }
})

test("an exception is a GuestError with the guest's name, message and stack", async t => {
  const engine = await createEngine()
  const error = t.throws(() => engine.eval('function f() {\n  throw new RangeError("too far")\n}\nf()', 'a.js'), {
    instanceOf: GuestError,
  })!
  t.is(error.name, 'RangeError')
  t.is(error.message, 'too far')
  t.is(error.stack, 'RangeError: too far\n    at f (a.js:2:23)\n    at <eval> (a.js:4:2)\n')
  const syntax = t.throws(() => engine.eval('let a = 1\nlet = = 2', 'b.js'))!
  t.is(syntax.name, 'SyntaxError')
  t.regex(syntax.stack!, /b\.js:2:/)
})

test('thrown values that are not errors are told', async t => {
  const engine = await createEngine()
  const thrown = (text: string) => t.throws(() => engine.eval(`throw ${text}`, 'a.js'), { instanceOf: GuestError })!.message
  t.is(thrown('5'), '5 was thrown, which is not an Error')
  t.is(thrown('null'), 'null was thrown, which is not an Error')
  t.is(thrown('{ toString: () => "mine" }'), 'mine was thrown, which is not an Error')
  t.is(thrown('Symbol("s")'), 'something was thrown that cannot be shown')
  t.is(thrown('{ get message() { throw 1 } }'), 'something was thrown that cannot be shown')
})

test('errors of host functions arrive in the guest with their type, and come back', async t => {
  const engine = await createEngine()
  class Other extends Error {
    override name = 'Other'
  }
  const errors = [new TypeError('t'), new RangeError('r'), new Error('e'), new Other('o'), 'text']
  for (const [i, error] of errors.entries()) engine.host[i] = () => engine.throw(error)
  const global = engine.global()
  errors.forEach((_, i) => engine.set(global, `f${i}`, engine.function(`f${i}`, i)))
  const caught = engine.eval(
    '[f0, f1, f2, f3, f4].map(f => { try { f() } catch (e) { return `${e instanceof Error} ${e}` } }).join()',
    'a.js',
  )
  t.is(engine.text(caught), 'true TypeError: t,true RangeError: r,true Error: e,true Error: o,true Error: text')
  t.throws(() => engine.eval('f1()', 'a.js'), { instanceOf: GuestError, name: 'RangeError', message: 'r' })
})

test('views are valid again after memory has grown', async t => {
  const engine = await createEngine()
  const before = engine.memory.u8,
    size = engine.memory.size
  const value = engine.eval('globalThis.big = new Uint8Array(40e6).fill(7)', 'a.js')
  t.is(before.length, 0, 'the old view is detached')
  t.true(engine.memory.size > size)
  const bytes = engine.values.bytes(value)!
  t.is(bytes.length, 40e6)
  t.is(bytes[40e6 - 1], 7)
  bytes[5] = 1
  t.is(engine.values.number(engine.eval('big[5]', 'a.js')), 1)
})

test('memory that is used up is an exception in the guest, not a crash of the host', async t => {
  const engine = await createEngine()
  t.throws(() => engine.eval('const all = []; for (;;) all.push(new Uint8Array(100e6))', 'a.js'), {
    name: 'InternalError',
    message: /out of memory/,
  })
  t.is(engine.text(engine.eval('"still here"', 'a.js')), 'still here')
})

test('a recursion without end is an InternalError at the given limit', async t => {
  const engine = await createEngine({ jsStackLimit: 65536 })
  t.throws(() => engine.eval('(function f() { f() })()', 'a.js'), { name: 'InternalError', message: /stack overflow/ })
  t.throws(() => engine.eval('JSON.parse("[".repeat(1e6))', 'a.js'), { instanceOf: GuestError })
})

test('unhandled rejections are told, handled ones are not', async t => {
  const engine = await createEngine()
  engine.eval(
    `Promise.reject(new Error("first"))
    Promise.reject(2).catch(() => {})
    globalThis.late = Promise.reject(3);
    (async () => { throw new Error("last") })()`,
    'a.js',
  )
  engine.drain()
  engine.eval('late.catch(() => {})', 'a.js')
  const reasons = []
  for (let reason = engine.takeRejection(); reason !== undefined; reason = engine.takeRejection()) reasons.push(engine.text(reason))
  t.deepEqual(reasons, ['Error: first', 'Error: last'])
})

test('a buffer over linear memory is an alias, and outlives its object', async t => {
  const engine = await createEngine()
  const pages = engine.pages(2)!
  const address = pages.byteOffset
  t.is(address % 4096, 0)
  const global = engine.global()
  engine.set(global, 'pages', engine.buffer(address, 8192))
  engine.eval('new Uint8Array(pages)[8191] = 9; delete globalThis.pages; for (let i = 0; i < 1e4; i++) ({ i: [] })', 'a.js')
  t.is(engine.memory.u8[address + 8191], 9)
  engine.eval('globalThis.other = new Uint8Array(8192)', 'a.js')
  t.is(engine.memory.u8[address + 8191], 9, 'the memory was not given to somebody else')
})

test('the guest has no clock but the one it is given, and no time zone', async t => {
  const engine = await createEngine({ clock: () => 86_400_000 })
  t.is(engine.values.number(engine.eval('Date.now()', 'a.js')), 86_400_000)
  t.is(engine.text(engine.eval('new Date(2026, 6, 1, 12).toISOString()', 'a.js')), '2026-07-01T12:00:00.000Z')
  t.is(engine.values.number(engine.eval('new Date().getTimezoneOffset()', 'a.js')), 0)
})
