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
