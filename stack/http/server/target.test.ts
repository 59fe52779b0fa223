import test from 'ava'
import { BadMessage } from '../message/bad-message.ts'
import { parseHead } from './head.ts'
import { targetUrl } from './target.ts'
import { bareServer, known } from './testing.ts'

const hosts = [
  'a',
  'a.b',
  'A-1.example',
  'a:80',
  'a:8080',
  'a:',
  '10.0.0.2',
  '10.0.0.2:81',
  '[::1]',
  '[fd00::1]:8080',
  'x_y',
  "a!$&'()*+,;=~",
  '%61',
  'xn--a',
  '0x7f.1',
]
const names = [
  '',
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  'b',
  ':',
  '@',
  'u@c',
  ':80',
  '?',
  '?/',
  '%',
  '"',
  '|',
  '{',
  '*',
  'http://c',
  '\u00e4',
  '#',
  '\\',
  ' ',
]

test('whatever host and path are, the URL has that host, and a path that was in the target', t => {
  let plain = 0
  for (const host of hosts) {
    const expected = new URL(`http://${host}/`)
    for (const first of names) {
      for (const second of names) {
        const target = `/${first}${second}`
        const url = targetUrl('GET', target, host)
        if (url instanceof BadMessage) {
          t.regex(target, /[#\\ ä]/, `${host} ${target} ${url.reason}`)
          continue
        }
        const parsed = new URL(url)
        t.deepEqual([parsed.protocol, parsed.host, parsed.username, parsed.hash], ['http:', expected.host, '', ''], `${host} ${target}`)
        t.is(parsed.href, url, 'a parser leaves it as it is')
        // The path by itself, below a host that nothing can be mistaken for.
        const path = target.includes('?') ? target.slice(0, target.indexOf('?')) : target
        const reference = new URL('http://reference/')
        reference.pathname = path
        t.is(parsed.pathname, reference.pathname, `${host} ${target}`)
        if (target.includes('?') && target.indexOf('?') < target.length - 1) t.true(parsed.search.length > 1, target)
        plain++
      }
    }
  }
  t.true(plain > 5000, `${plain}`)
})

test('the authority of a request without one is the address and port where it arrived', t => {
  for (const [address, port, expected] of [
    ['10.0.0.2', 80, 'http://10.0.0.2//b'],
    ['10.0.0.2', 8080, 'http://10.0.0.2:8080//b'],
    ['fd00::1', 80, 'http://[fd00::1]//b'],
    ['fd00::1', 81, 'http://[fd00::1]:81//b'],
  ] as const) {
    for (const head of ['GET //b HTTP/1.1\r\nHost:', 'GET //b HTTP/1.0']) {
      const { url, isLocal } = parseHead(head, { local: { address, port } }) as { url: string; isLocal: boolean }
      t.deepEqual([url, isLocal], [expected, true])
    }
  }
})

test('two connections at different addresses do not share the URL of a request without a host', t => {
  const seen: string[] = []
  const server = bareServer(({ url }) => {
    seen.push(url)
    return known('x')
  })
  for (const address of ['10.0.0.2', '10.0.0.9']) server.connect({ address, port: 80 }).send('GET / HTTP/1.1\r\nHost:\r\n\r\n')
  t.deepEqual(seen, ['http://10.0.0.2/', 'http://10.0.0.9/'])
})

test('methods are as they are written: one that is only called GET in capitals is none, and never one of Fetch', t => {
  const seen: string[] = []
  const server = bareServer(({ method }) => {
    seen.push(method)
    return known('x')
  })
  const status = (method: string): number => {
    const client = server.connect()
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`)
    return client.statuses[0]
  }
  for (const method of ['get', 'Get', 'head', 'Head', 'post', 'put', 'delete', 'options', 'connect', 'Trace', 'track'])
    t.is(status(method), 501, method)
  t.deepEqual(seen, [])
  for (const method of ['GET', 'POST', 'PURGE', 'purge', 'm-search']) t.is(status(method), 200, method)
  t.deepEqual(seen, ['GET', 'POST', 'PURGE', 'purge', 'm-search'])
})

test('the Host field of a request in absolute form says what its URL says (RFC 9112 section 3.2.2)', t => {
  const seen: unknown[] = []
  const server = bareServer(({ url, headers }) => {
    seen.push([url, headers.get('host')])
    return known('x')
  })
  const request = (target: string, host: string): void => server.connect().send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  request('http://b:81/x', 'a')
  request('http://b?x', 'a')
  request('http://b', '')
  request('/http://b/', 'a')
  t.deepEqual(seen, [
    ['http://b:81/x', 'b:81'],
    ['http://b/?x', 'b'],
    ['http://b/', 'b'],
    ['http://a/http://b/', 'a'],
  ])
})

test('expectations of several fields are one list: another among them is refused', async t => {
  const server = bareServer(async request => known(await request.text()))
  const statuses = async (expect: string): Promise<number[]> => {
    const client = server.connect()
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${expect}\r\n`)
    await server.seconds(0)
    client.send('x')
    await server.seconds(0)
    return client.statuses
  }
  t.deepEqual(await statuses('Expect: foo\r\nExpect: 100-continue\r\n'), [417])
  t.deepEqual(await statuses('Expect: 100-continue\r\nExpect: foo\r\n'), [417])
  t.deepEqual(await statuses('Expect: 100-continue, foo\r\n'), [417])
  t.deepEqual(await statuses('Expect: 100-continue, 100-Continue\r\n'), [100, 200])
  t.deepEqual(await statuses('Expect: 100-continue\r\nExpect: 100-continue\r\n'), [100, 200])
  t.deepEqual(await statuses('Expect:\r\n'), [200])
})
