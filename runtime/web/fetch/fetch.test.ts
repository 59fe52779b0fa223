import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { DOMException as OwnException } from '../dom-exception.ts'
import { expose } from '../expose.ts'
import * as ownWeb from '../inject.ts'
import { structuredClone as ownClone } from '../structured-clone.ts'
import { asInNode, outcome } from '../testing.ts'
import { fetchScenarios } from './fetch.cases.ts'
import { give } from './given.ts'
import { Request as OwnRequest } from './request.ts'
import { Response as OwnResponse } from './response.ts'

asInNode(test, fetchScenarios, ownWeb)

test('a server gets the bytes of text and of bytes without waiting, once; not those of a stream', t => {
  const bytes = Uint8Array.of(1)
  t.deepEqual(Buffer.from(new OwnResponse('\u00e4').bodyBytes()!), Buffer.from('\u00e4'))
  t.deepEqual(new OwnResponse(bytes).bodyBytes(), bytes)
  t.is(new OwnResponse().bodyBytes()!.length, 0)
  const response = new OwnResponse('x')
  t.is(response.bodyBytes()!.length, 1)
  t.true(response.bodyUsed)
  t.is(response.bodyBytes(), undefined)
  t.is(new OwnResponse(new ownWeb.ReadableStream() as any).bodyBytes(), undefined)
})

test('of an object of headers counts what is enumerable, each time anew (Web IDL; Node takes the others too)', t => {
  const record = { a: '1', b: '2', c: '3' }
  const read = () => [...new ownWeb.Headers(record)].join(' ')
  t.is(read(), 'a,1 b,2 c,3')
  Object.defineProperty(record, 'b', { enumerable: false })
  t.is(read(), 'a,1 c,3')
  Object.defineProperty(record, 'a', { enumerable: false })
  t.is(read(), 'c,3')
  t.throws(() => new ownWeb.Headers({ a: '1', [Symbol('b')]: '2' } as any), { instanceOf: TypeError })
  t.is([...new ownWeb.Headers({ a: '1', 'set-cookie': 'x', A: '2' })].join(' '), 'a,1, 2 set-cookie,x')
  t.is([...new ownWeb.Headers({ a: '1', 'set-cookie': 'x', A: '2' })].join(' '), 'a,1, 2 set-cookie,x')
})

test('bytes are copied, unless they were given for good', async t => {
  const bytes = Uint8Array.of(1, 2)
  t.not(new OwnResponse(bytes).bodyBytes(), bytes)
  t.is(new OwnResponse(give(bytes)).bodyBytes(), bytes)
  // Nobody who reads gets at them.
  const read = await new OwnResponse(bytes).bytes()
  read[0] = 9
  const streamed = (await new OwnResponse(bytes).body!.getReader().read()).value!
  streamed[1] = 9
  t.deepEqual([...bytes], [1, 2])
})

test('a request has the address that parsing gives, also where it takes the short way', t => {
  for (const url of [
    'http://10.137.0.16/a.html?b=%20',
    'http://EXAMPLE.com:80',
    'http://a:80/',
    'https://a:80/',
    'https://a:443/',
    'http://a.b-c.d:8080/x',
    'http://1.2.3/',
    'http://01.2.3.4/',
    `http://a/${'.a'.repeat(5_000)} `,
  ]) {
    t.is(new OwnRequest(url).url, new URL(url).href)
  }
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    '%2e',
    '%2E',
    '%41',
    '?',
    '&',
    '=',
    "'",
    '"',
    ' ',
    'é',
    '~',
    ':',
    '//',
    ';',
    '[',
    '|',
    '\\',
    '^',
    '#',
    '%',
  )
  fc.assert(
    fc.property(
      fc.array(piece).map(all => `http://a/${all.join('')}`),
      url => {
        t.is(new OwnRequest(url).url, new Request(url).url)
      },
    ),
    runs({ few: 5_000 }),
  )
})

test('structuredClone copies as in Node, with cycles, and refuses what it refuses', async t => {
  const cyclic: any = {
    a: [1, { b: 2 }],
    d: new Date(5),
    m: new Map<unknown, unknown>([[{ k: 1 }, new Set([1])]]),
    r: /x/gi,
    u: undefined,
    big: 5n,
    n: null,
    nan: NaN,
  }
  cyclic.self = cyclic
  cyclic.view = new Uint16Array(new ArrayBuffer(8), 2, 2).fill(7)
  cyclic.error = new RangeError('no', { cause: 'x' })
  const buffer = new ArrayBuffer(4)
  cyclic.views = [new Uint8Array(buffer), new DataView(buffer, 1)]
  const [a, b]: any[] = [ownClone(cyclic), structuredClone(cyclic)]
  t.deepEqual(a, b)
  t.is(a.self, a)
  t.not(a.m, cyclic.m)
  t.is(a.views[0].buffer, a.views[1].buffer)
  t.is(a.error.cause, 'x')
  for (const value of [() => 1, Symbol('x'), { f() {} }, Promise.resolve(), new WeakMap()]) {
    t.deepEqual(await outcome(() => ownClone(value), {}), await outcome(() => structuredClone(value), {}))
  }
  const moved = new ArrayBuffer(3)
  t.is(ownClone({ moved }, { transfer: [moved] }).moved.byteLength, 3)
  t.true(moved.detached)
})

test('what data calls its keys, names and classes changes nothing but the copy', async t => {
  const keys = '{"__proto__":{"admin":true},"constructor":1,"toString":2}'
  const copy = ownClone(JSON.parse(keys))
  t.is(JSON.stringify(copy), keys)
  t.is(copy.admin, undefined)
  t.is(Object.getPrototypeOf(copy), Object.prototype)
  const list = ownClone(Object.assign([1], { extra: 2 }))
  t.deepEqual(Object.entries(list), [
    ['0', 1],
    ['extra', 2],
  ])
  // Not by looking up Object.prototype.toString, nor by a constructor that a value says it has.
  for (const name of ['toString', 'constructor', '__proto__', 'RangeError']) {
    const error = Object.assign(new Error('text'), { name })
    t.deepEqual(await outcome(() => ownClone(error).name, {}), await outcome(() => structuredClone(error).name, {}))
  }
  const view = Object.defineProperty(Uint8Array.of(1, 2), 'constructor', {
    value: class {
      constructor() {
        throw new Error('called')
      }
    },
  })
  t.deepEqual(ownClone(view), Uint8Array.of(1, 2))
  class Bytes extends Uint8Array {}
  t.is(Object.getPrototypeOf(ownClone(new Bytes(2))), Uint8Array.prototype)
})

test('objects of the platform are not copied as if they were data; a DOMException is copied as one', async t => {
  const scope: Record<string, any> = {}
  expose(scope, ownWeb)
  for (const value of [new scope.URL('http://a'), new scope.URLSearchParams(), new scope.Headers(), new scope.Response()]) {
    const { thrown } = (await outcome(() => ownClone({ value }), {})) as { thrown: string }
    t.is(thrown, 'DataCloneError')
  }
  const copy = ownClone(new OwnException('no', 'AbortError'))
  t.true(copy instanceof OwnException)
  t.deepEqual([copy.name, copy.message, copy.code], ['AbortError', 'no', 20])
})

test('a body that comes byte by byte takes no more memory than its bytes: a client may send it so', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const used = (): number => {
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = used()
  let after = 0
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 300_000; sent++) yield Uint8Array.of(sent & 0xff)
    after = used()
  }
  const bytes = new Uint8Array(await new OwnResponse(body() as never).arrayBuffer())
  t.true(bytes.length === 300_000 && bytes.every((byte, index) => byte === (index & 0xff)))
  t.true(after - before < 5e6, `${after - before} bytes for ${bytes.length}`)
})

test('the buffer of a body has its bytes only, not those beside them that a chunk was cut from', async t => {
  const packet = Uint8Array.of(1, 2, 3, 4, 5, 6)
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield packet.subarray(2, 4)
  }
  t.deepEqual(new Uint8Array(await new OwnResponse(body() as never).arrayBuffer()), Uint8Array.of(3, 4))
})
