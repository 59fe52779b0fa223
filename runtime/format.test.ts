import test from 'ava'
import { describeBriefly, describeError, format, inspect } from './format.ts'
import { expose } from './web/expose.ts'
import { Headers, Request, Response } from './web/inject.ts'

test('values look as people know them from Node', t => {
  class Point {
    x = 1
    y = 2
  }
  const table: [unknown, string][] = [
    ["it's", '"it\'s"'],
    [5, '5'],
    [-0, '-0'],
    [5n, '5n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [[], '[]'],
    [[1, 'a', [2]], "[ 1, 'a', [ 2 ] ]"],
    [{}, '{}'],
    [{ a: 1, 'b-c': { d: [] } }, "{ a: 1, 'b-c': { d: [] } }"],
    [new Point(), 'Point { x: 1, y: 2 }'],
    [new Map([['a', 1]]), "Map(1) { 'a' => 1 }"],
    [new Set([1]), 'Set(1) { 1 }'],
    [Uint8Array.of(1, 2), 'Uint8Array(2) [ 1, 2 ]'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(NaN), 'Invalid Date'],
    [/x/g, '/x/g'],
    [function named() {}, '[Function: named]'],
    [() => {}, '[Function (anonymous)]'],
    [class A {}, '[class A]'],
    [Object.create(null), '[Object: null prototype] {}'],
    [
      {
        get a() {
          return 1
        },
      },
      '{ a: [Getter] }',
    ],
    [new ArrayBuffer(3), 'ArrayBuffer { byteLength: 3 }'],
    [{ a: { b: { c: { d: { e: 1 } } } } }, '{ a: { b: { c: { d: [Object] } } } }'],
  ]
  for (const [value, text] of table) t.is(inspect(value), text)
})

test('circles end, long values break into lines, long arrays are cut', t => {
  const circle: any = { name: 'x' }
  circle.self = circle
  t.is(inspect(circle), "{ name: 'x', self: [Circular] }")
  t.is(inspect({ first: 'a'.repeat(40), second: 'b'.repeat(40) }), `{\n  first: '${'a'.repeat(40)}',\n  second: '${'b'.repeat(40)}'\n}`)
  t.regex(inspect(new Array(150).fill(0)), /\.\.\. 50 more/)
})

test('neither is a directive that its value resists, nor causes that go round', t => {
  const circle: any = {}
  circle.self = circle
  t.is(format('%j!', circle), '[a value that cannot be shown: TypeError]!')
  t.is(
    format('%j %d %i %f', 5n, Symbol('s'), 1, 2),
    '[a value that cannot be shown: TypeError] [a value that cannot be shown: TypeError] 1 2',
  )
  t.is(
    format('%d', {
      valueOf() {
        throw new RangeError('no')
      },
    }),
    '[a value that cannot be shown: RangeError]',
  )
  const [one, other] = [new Error('one'), new Error('other')]
  one.cause = other
  other.cause = new AggregateError([one], 'many')
  const text = describeError(one)
  t.regex(text, /^Error: one\n[^]*cause: Error: other\n/)
  t.true(text.length < 10_000, `${text.length} characters`)
})

test('a value that resists is no reason to fail', t => {
  const hostile = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no')
      },
    },
  )
  t.regex(inspect(hostile), /cannot be shown: Error/)
  const error = new Error('x')
  Object.defineProperty(error, 'stack', {
    get() {
      throw new Error('no')
    },
  })
  t.is(describeError(error), 'an error that cannot be shown')
})

test('format fills in directives as Node does', t => {
  t.is(format('%s is %d, %i, %f', 'x', '5', 5.7, '1.5', { rest: 1 }), 'x is 5, 5, 1.5 { rest: 1 }')
  t.is(format('%j %o %%', [1], { a: 1 }), '[1] { a: 1 } %')
  t.is(format('100%'), '100%')
  t.is(format('%s'), '%s')
  t.is(format(1, 'a', null), '1 a null')
  t.is(format(), '')
})

test('an error is told with name, message, stack, cause and collected errors, the message once', t => {
  const v8 = new TypeError('bad')
  t.is(describeError(v8).match(/TypeError: bad/g)?.length, 1)
  const quickjs = new TypeError('bad')
  quickjs.stack = '    at f (app.js:1:2)\n'
  t.is(describeError(quickjs), 'TypeError: bad\n    at f (app.js:1:2)')
  const bare = new Error('outer', { cause: Object.assign(new RangeError('inner'), { stack: '' }) })
  bare.stack = ''
  t.is(describeError(bare), 'Error: outer\ncause: RangeError: inner')
  const both = new AggregateError([Object.assign(new Error('one'), { stack: '' })], 'all')
  both.stack = ''
  t.is(describeError(both), 'AggregateError: all\n- Error: one')
  t.is(describeError('text'), "thrown value 'text'")
  const values = new AggregateError(['one', 2], 'all', { cause: { reason: 5 } })
  values.stack = ''
  t.is(describeError(values), "AggregateError: all\n- 'one'\n- 2\ncause: { reason: 5 }")
  const renamed = Object.assign(new Error('x'), { name: 'NamedLater' })
  t.regex(describeError(renamed), /x/)
})

test('a class and its base, by what it is: an image has no sources to look into', t => {
  class A {}
  t.is(inspect(class B extends A {}), '[class B extends A]')
  t.is(inspect(Object.defineProperty(class {}, 'toString', { value: () => 'function' })), '[class (anonymous)]')
  t.is(inspect(Object.assign(() => {}, { toString: () => 'class X' })), '[Function (anonymous)]')
  t.is(
    inspect(function Old() {}),
    '[Function: Old]',
  )
})

test('an error that was renamed after it was made is told once, by its last name', t => {
  const error = Object.assign(new Error('text'), { name: 'Renamed' })
  error.stack = 'Error: text\n    at f (app.js:1:2)\n'
  t.is(describeError(error), 'Renamed: text\n    at f (app.js:1:2)')
  error.stack = 'of no known form'
  t.is(describeError(error), 'Renamed: text\nof no known form')
})

test('briefly: name and message, whatever was thrown', t => {
  t.is(describeBriefly(new Error('plain')), 'plain')
  t.is(describeBriefly(new TypeError('typed')), 'TypeError: typed')
  t.is(describeBriefly(new RangeError()), 'RangeError')
  t.is(describeBriefly('text'), 'text')
  t.is(describeBriefly(undefined), 'undefined')
  const refuse = () => {
    throw new Error('hostile')
  }
  t.is(describeBriefly({ toString: refuse }), 'an error that cannot be shown')
  t.is(describeBriefly(Object.defineProperty(new Error('x'), 'message', { get: refuse })), 'an error that cannot be shown')
})

test('of a stack of thousands of frames the first and the last are shown', t => {
  const error = new RangeError('too deep')
  error.stack = Array.from({ length: 12_000 }, (_, i) => `    at f${i} (app.js:1:2)\n`).join('')
  const lines = describeError(error).split('\n')
  t.is(lines.length, 42)
  t.deepEqual([lines[0], lines[1], lines[30]], ['RangeError: too deep', '    at f0 (app.js:1:2)', '    at f29 (app.js:1:2)'])
  t.is(lines[31], '    ... 11960 more ...')
  t.deepEqual([lines[32], lines[41]], ['    at f11990 (app.js:1:2)', '    at f11999 (app.js:1:2)'])
  error.stack = Array.from({ length: 41 }, (_, i) => `    at f${i} (app.js:1:2)\n`).join('')
  t.is(describeError(error).split('\n').length, 42)
})

test('what else an error has is told after its stack, as far as it is short', t => {
  const error = Object.assign(new Error('refused', { cause: 'peer' }), {
    code: 'ECONNREFUSED',
    status: 503,
    request: { a: { b: { c: 1 } } },
  })
  error.stack = 'Error: refused\n    at f (app.js:1:2)'
  t.is(
    describeError(error),
    "Error: refused\n    at f (app.js:1:2) { code: 'ECONNREFUSED', status: 503, request: { a: { b: [Object] } } }\ncause: 'peer'",
  )
  class Named extends Error {
    override name = 'Named'
    readonly self = this
    get computed(): never {
      throw new Error('not asked for')
    }
  }
  const named = new Named('text')
  named.stack = ''
  t.is(describeError(named), 'Named: text { self: [Circular] }')
  t.regex(format('failed', error), /^failed Error: refused\n[^]*status: 503/)
})

test('private fields that a build has made plain are not shown', t => {
  t.is(inspect({ ǀtimers: 1, open: true }), '{ open: true }')
})

test('requests and responses show what they are, not what they have inside', t => {
  expose({}, { Request, Response, Headers })
  const flat = (value: unknown): string => inspect(value).replace(/\s+/g, ' ')
  t.is(
    flat(new Request('http://a/', { headers: { b: '1' } })),
    "Request { method: 'GET', url: 'http://a/', headers: Headers { 'b' => '1' }, redirect: 'follow' }",
  )
  t.is(
    flat(new Response('x', { status: 201 })),
    "Response { status: 201, statusText: '', headers: Headers { 'content-type' => 'text/plain;charset=UTF-8' } }",
  )
})
