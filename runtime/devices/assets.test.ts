import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { assetsOf } from './assets.ts'

const file = (type: string, text: string) => ({ type, etag: `"${text.length}"`, bytes: new TextEncoder().encode(text) })
const site = assetsOf({
  'index.html': file('text/html; charset=utf-8', '<!DOCTYPE html>'),
  'css/site.css': file('text/css', 'a{}'),
  'docs/index.html': file('text/html', 'docs'),
  'what?#/index.html': file('text/html', 'what'),
  'a b ä.txt': file('text/plain', 'text'),
})
const ask = (path: string, init?: RequestInit) => site.respond(new Request(`http://h${path}`, init))

test('a file is answered with its type, length and tag', async t => {
  const response = ask('/css/site.css?v=1') as Response
  t.is(response.status, 200)
  t.deepEqual(Object.fromEntries(response.headers), {
    'content-type': 'text/css',
    'accept-ranges': 'bytes',
    'content-length': '3',
    etag: '"3"',
    'cache-control': 'no-cache',
  })
  t.is(await response.text(), 'a{}')
})

test('a folder is its index.html; without the slash it is redirected', async t => {
  t.is(await ask('/')?.text(), '<!DOCTYPE html>')
  t.is(await ask('/docs/')?.text(), 'docs')
  const response = ask('/docs')
  t.deepEqual([response?.status, response?.headers.get('location')], [301, '/docs/'])
  for (const [path, location] of [
    ['/docs?x=1', '/docs/?x=1'],
    ['/docs?', '/docs/?'],
    ['/docs?a=/b?c&d=%20#e', '/docs/?a=/b?c&d=%20'],
    ['/d%6Fcs?q', '/docs/?q'],
    ['/what%3F%23?x', '/what%3F%23/?x'],
  ])
    t.is(ask(path)?.headers.get('location'), location, path)
  t.is(ask('/css'), undefined)
  t.is(ask('/css/'), undefined)
})

test('HEAD has the headers and no body; other methods are refused', async t => {
  const head = ask('/', { method: 'HEAD' }) as Response
  t.deepEqual([head.status, head.headers.get('content-length'), head.body], [200, '15', null])
  const post = ask('/', { method: 'POST' }) as Response
  t.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD'])
  t.is(ask('/missing', { method: 'POST' }), undefined)
})

test('a client that has the file gets 304', t => {
  for (const value of ['"15"', 'W/"15"', '"1", "15"', '*', ' "15" '])
    t.is(ask('/', { headers: { 'if-none-match': value } })?.status, 304, value)
  for (const value of ['"16"', '15', '"1", "2"']) t.is(ask('/', { headers: { 'if-none-match': value } })?.status, 200, value)
  t.is(ask('/', { headers: { 'if-none-match': '"15"' } })?.headers.get('etag'), '"15"')
})

test('encoded names are found', async t => {
  t.is(await ask('/a%20b%20%C3%A4.txt')?.text(), 'text')
  t.is(await ask('/%69ndex.html')?.text(), '<!DOCTYPE html>')
})

test('nothing but a path of the table is ever found, at one address only', t => {
  const odd = [
    '//',
    '/css//site.css',
    '/css/./site.css',
    '/docs/../index.html',
    '/%2e%2e/index.html',
    '/css%2f..%2findex.html',
    '/index.html%00',
    '/css\\site.css',
    '/%zz',
    '/%ff',
    '/constructor',
    '/__proto__',
    '/index.html/',
    '/css/site.css/',
    '/.',
    '/docs/..',
    '//docs',
    '/\\docs',
  ]
  for (const path of odd) t.is(site.respond({ url: `http://h${path}`, method: 'GET', headers: new Headers() } as Request), undefined, path)
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2f', '%5c', 'docs', 'index.html', 'css', 'site.css', '\\', '%00', '?', '#')
  fc.assert(
    fc.property(fc.array(piece), pieces => {
      const response = site.respond({ url: `http://h/${pieces.join('')}`, method: 'GET', headers: new Headers() } as Request)
      if (response?.status === 200) t.true(site.paths.some(path => response.headers.get('etag') === site.file(path)?.etag))
    }),
    runs(),
  )
})

test('names that objects have anyhow are names like others', async t => {
  const odd = assetsOf({ ['__proto__']: file('text/plain', 'proto'), constructor: file('text/plain', 'class') })
  const text = (path: string) => odd.respond(new Request(`http://h${path}`))?.text()
  t.is(await text('/__proto__'), 'proto')
  t.is(await text('/constructor'), 'class')
  t.is(text('/toString'), undefined)
})

const digits = '0123456789'.repeat(1000)
const modified = 'Sun, 06 Nov 1994 08:49:37 GMT'
const parts = assetsOf({
  'd.txt': { ...file('text/plain', digits), modified },
  empty: file('text/plain', ''),
  'zip.txt': {
    ...file('text/plain', 'plain text'),
    variants: { br: { etag: '"b"', bytes: Uint8Array.of(1, 2) }, gzip: { etag: '"g"', bytes: Uint8Array.of(1, 2, 3) } },
  },
})
const askPart = (path: string, headers: Record<string, string>, method = 'GET') =>
  parts.respond(new Request(`http://h/${path}`, { method, headers }))!

test('one range: 206 with its bytes and place', async t => {
  for (const [range, contentRange, body] of [
    ['bytes=0-4', '0-4', '01234'],
    ['bytes=9995-', '9995-9999', '56789'],
    ['bytes=-3', '9997-9999', '789'],
    ['bytes=-20000', '0-9999', digits],
    ['bytes=9998-99999999999999999999999', '9998-9999', '89'],
    ['BYTES= 3-3 ', '3-3', '3'],
    ['bytes=0-1,2-3', '0-3', '0123'],
    ['bytes=5-9,0-6', '0-9', '0123456789'],
    ['bytes=,1-2,', '1-2', '12'],
    ['bytes=99999-,1-2', '1-2', '12'],
  ]) {
    const response = askPart('d.txt', { range })
    t.deepEqual(
      [response.status, response.headers.get('content-range'), await response.text()],
      [206, `bytes ${contentRange}/10000`, body],
      range,
    )
    t.is(response.headers.get('content-type'), 'text/plain')
    t.is(response.headers.get('etag'), '"10000"')
  }
})

test('what is no range, or too many of them, is ignored: the whole file', async t => {
  const hostile = [
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=5-4',
    'bytes=0-1,5-4',
    `bytes=0-${'0'.repeat(600)}1`,
    'bytes=0x1-2',
    'bytes=+1-2',
    'bytes=1 -2',
    'bytes=1.0-2',
    'lines=1-2',
    'bytes 0-1',
    ` ${'bytes=0-1'}\u00a0`,
    `bytes=${Array.from({ length: 17 }, (_, i) => `${i * 100}-${i * 100}`).join(',')}`,
    // In pieces it would be longer than in one.
    'bytes=0-4990,5000-9999',
  ]
  for (const range of hostile) {
    const response = askPart('d.txt', { range })
    t.deepEqual([response.status, (await response.text()).length, response.headers.get('content-range')], [200, 10_000, null], range)
  }
  t.is(askPart('d.txt', { range: 'bytes=0-1' }, 'HEAD').status, 200, 'ranges are for GET alone (RFC 9110 section 14.2)')
  t.is(askPart('empty', { range: 'bytes=-5' }).status, 200)
})

test('ranges behind the end: 416 says how long the file is', async t => {
  for (const [path, range, size] of [
    ['d.txt', 'bytes=10000-', 10_000],
    ['d.txt', 'bytes=-0', 10_000],
    ['d.txt', 'bytes=99999-,20000-20001', 10_000],
    ['empty', 'bytes=0-', 0],
  ] as const) {
    const response = askPart(path, { range })
    t.deepEqual([response.status, response.headers.get('content-range'), await response.text()], [416, `bytes */${size}`, ''], range)
  }
})

test('several ranges: multipart/byteranges, in order, each with its place', async t => {
  const response = askPart('d.txt', { range: 'bytes=-2, 5-6,100-101' })
  t.deepEqual([response.status, response.headers.get('content-type')], [206, 'multipart/byteranges; boundary=part-10000'])
  t.is(response.headers.get('content-range'), null)
  const part = (range: string, text: string) =>
    `--part-10000\r\ncontent-type: text/plain\r\ncontent-range: bytes ${range}/10000\r\n\r\n${text}\r\n`
  t.is(await response.text(), `${part('5-6', '56')}${part('100-101', '01')}${part('9998-9999', '89')}--part-10000--\r\n`)
})

test('If-Range: strong tags and exact dates only', t => {
  const status = (value: string) => askPart('d.txt', { range: 'bytes=0-1', 'if-range': value }).status
  t.is(status('"10000"'), 206)
  t.is(status(modified), 206)
  for (const value of ['W/"10000"', '"1"', '10000', '*', '"1", "10000"', 'Sun, 06 Nov 1994 08:49:38 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT'])
    t.is(status(value), 200, value)
})

test('conditions by date and If-Match (RFC 9110 section 13.2.2)', t => {
  const status = (headers: Record<string, string>) => askPart('d.txt', headers).status
  t.is(askPart('d.txt', {}).headers.get('last-modified'), modified)
  t.is(status({ 'if-modified-since': modified }), 304)
  t.is(status({ 'if-modified-since': 'Mon, 07 Nov 1994 08:49:37 GMT' }), 304)
  t.is(status({ 'if-modified-since': 'Sat, 05 Nov 1994 08:49:37 GMT' }), 200)
  t.is(status({ 'if-modified-since': 'yesterday' }), 200)
  t.is(status({ 'if-modified-since': modified, 'if-none-match': '"1"' }), 200, 'a tag counts more than a date')
  t.is(status({ 'if-match': '"10000"' }), 200)
  t.is(status({ 'if-match': '*' }), 200)
  t.is(status({ 'if-match': 'W/"10000"' }), 412)
  t.is(status({ 'if-match': '"1"' }), 412)
})

test('Accept-Encoding chooses the variant, which has its own tag', async t => {
  for (const [field, coding] of [
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['*;q=0, gzip', 'gzip'],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['identity;q=0.5, gzip;q=0.4', null],
    ['identity, gzip;q=0.9', null],
    ['identity, gzip', 'gzip'],
    ['gzip ; q=1.000', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=2', null],
    ['gzip;q=0.0001', null],
    ['gzip;level=9', null],
    ['deflate, zstd', null],
    ['', null],
    [',,gzip,', 'gzip'],
    [`gzip, ${'x'.repeat(300)}`, null],
  ] as const) {
    const response = askPart('zip.txt', { 'accept-encoding': field })
    const found = [response.headers.get('content-encoding'), response.headers.get('etag'), response.headers.get('vary')]
    t.deepEqual(found, [coding, coding === null ? '"10"' : `"${coding[0]}"`, 'accept-encoding'], field)
    t.is((await response.bytes()).length, coding === 'gzip' ? 3 : coding === 'br' ? 2 : 10)
    t.is(response.headers.get('accept-ranges'), coding === null ? 'bytes' : null)
  }
  for (const field of ['identity;q=0', '*;q=0', 'deflate, *;q=0', 'identity;q=0, deflate'])
    t.is(askPart('zip.txt', { 'accept-encoding': field }).status, 406, field)
  t.is(askPart('zip.txt', {}).headers.get('content-encoding'), null)
  t.is(askPart('d.txt', { 'accept-encoding': 'gzip' }).headers.get('vary'), null)
  const head = askPart('zip.txt', { 'accept-encoding': 'gzip' }, 'HEAD')
  t.deepEqual([head.headers.get('content-length'), head.headers.get('content-encoding'), await head.text()], ['3', 'gzip', ''])
})

test('a client that has a variant gets 304 for that one, and ranges are those of the file as it is', async t => {
  const has = (tag: string, field: string) => askPart('zip.txt', { 'if-none-match': tag, 'accept-encoding': field }).status
  t.deepEqual([has('"g"', 'gzip'), has('"g"', 'br'), has('"10"', 'gzip'), has('"10"', '')], [304, 200, 200, 304])
  const range = askPart('zip.txt', { range: 'bytes=0-4', 'accept-encoding': 'gzip, br' })
  t.deepEqual([range.status, range.headers.get('content-encoding'), range.headers.get('vary')], [206, null, 'accept-encoding'])
  t.is(await range.text(), 'plain')
  const resumed = askPart('zip.txt', { range: 'bytes=1-', 'if-range': '"g"', 'accept-encoding': 'gzip' })
  t.deepEqual([resumed.status, await resumed.text()], [200, 'plain text'])
  const only = askPart('zip.txt', { range: 'bytes=0-1', 'accept-encoding': 'gzip, identity;q=0' })
  t.deepEqual([only.status, only.headers.get('content-encoding'), only.headers.get('content-range')], [200, 'gzip', null])
})

test('whatever is asked for, what is sent is a part of the file that the answer says it is', async t => {
  const piece = fc.oneof(fc.nat(30).map(String), fc.constantFrom('-', ',', ' ', 'bytes=', '9'.repeat(30), 'x', '='))
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async pieces => {
      const response = askPart('zip.txt', { range: `bytes=${pieces.join('')}` })
      const text = await response.text()
      const [, start, end] = /^bytes (\d+)-(\d+)\/10$/.exec(response.headers.get('content-range') ?? '') ?? []
      if (response.status === 206) t.is(text, 'plain text'.slice(+start, +end + 1))
      else if (response.status === 416) t.is(text, '')
      else t.deepEqual([response.status, text], [200, 'plain text'])
    }),
  )
})
