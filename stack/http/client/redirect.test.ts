/** Redirects: https://fetch.spec.whatwg.org/#http-redirect-fetch */
import test from 'ava'
import { fetching, latin1, onText, outcome, write } from './testing.ts'

const base = 'http://10.0.0.2'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const to = (location: string, status = 302): string => `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 4\r\n\r\ngone`

test('methods and bodies, by status', async t => {
  for (const [status, method, sentBody, expected] of [
    [301, 'GET', undefined, 'GET'],
    [301, 'POST', 'text', 'GET'],
    [301, 'PUT', 'text', 'PUT text'],
    [301, 'HEAD', undefined, 'HEAD'],
    [302, 'POST', 'text', 'GET'],
    [302, 'DELETE', undefined, 'DELETE'],
    [303, 'GET', undefined, 'GET'],
    [303, 'HEAD', undefined, 'HEAD'],
    [303, 'POST', 'text', 'GET'],
    [303, 'PUT', 'text', 'GET'],
    [303, 'DELETE', undefined, 'GET'],
    [307, 'POST', 'text', 'POST text'],
    [308, 'POST', 'text', 'POST text'],
    [308, 'PUT', 'text', 'PUT text'],
    [307, 'GET', undefined, 'GET'],
  ] as const) {
    const { web, run, serve } = fetching()
    const requests: string[] = []
    serve(async request => {
      const type = request.headers.get('content-type')
      requests.push(`${request.method} ${await request.text()}`.trim())
      if (requests.length === 1) return new Response(null, { status, headers: { location: '/next?a' } })
      return new Response(null, { headers: { 'x-type': String(type), 'x-other': String(request.headers.get('x-other')) } })
    })
    const response = await run(web.fetch(base, { method, body: sentBody, headers: { 'content-language': 'en', 'x-other': '1' } }))
    t.deepEqual(requests, [`${method} ${sentBody ?? ''}`.trim(), expected], `${status} ${method}`)
    t.deepEqual([response.url, response.redirected], [`${base}/next?a`, true])
    t.is(response.headers.get('x-type'), expected.includes('text') ? 'text/plain;charset=UTF-8' : 'null')
    t.is(response.headers.get('x-other'), '1')
  }
})

test('a location is what a URL can be, relative to where the request went', async t => {
  for (const [location, expected] of [
    ['/a', '/a'],
    ['b?c', '/x/b?c'],
    ['?d', '/x/y?d'],
    ['../e', '/e'],
    ['//10.0.0.2/f', '/f'],
    ['http://10.0.0.2:80/g#h', '/g'],
    ['/i j', '/i%20j'],
    ['/\xc3\xa4', '/%C3%A4'],
    ['/%zz', '/%zz'],
    ['', '/x/y?q'],
    ['HTTP://10.0.0.2/k', '/k'],
  ]) {
    const { web, run, answers } = fetching()
    const seen = answers([to(location), ok])
    t.is(await run(outcome(web.fetch(`${base}/x/y?q`))), '200 OK: ok', location)
    t.is(
      seen
        .map(({ text }) => text)
        .join('')
        .match(/GET \S+/g)!
        .at(-1),
      `GET ${expected}`,
    )
  }
})

test('what cannot be followed is an error, and its connection is given up', async t => {
  for (const [location, message] of [
    ['https://10.0.0.2/', /https is not there yet/],
    ['ftp://10.0.0.2/', /only http URLs/],
    ['data:text/plain,x', /only http URLs/],
    ['http://user:pass@10.0.0.2/', /user name or password/],
    ['http://:x/', /no URL/],
    ['http://10.0.0.2:0/', /port 0/],
  ] as const) {
    const { web, run, answers } = fetching()
    const seen = answers([`HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n`])
    t.regex(await run(outcome(web.fetch(base))), message)
    t.is(seen.length, 1)
    t.is(web.connections, 0)
  }
})

test("redirect: 'manual' gives the response, 'error' an error; a redirect without Location is a response", async t => {
  const { web, run, answers } = fetching()
  answers([
    to('/a'),
    to('/a'),
    'HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 300 Choices\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 304 Not\r\nLocation: /a\r\n\r\n',
  ])
  const manual = await run(web.fetch(base, { redirect: 'manual' }))
  t.deepEqual([manual.status, manual.headers.get('location'), manual.redirected, await run(manual.text())], [302, '/a', false, 'gone'])
  t.regex(await run(outcome(web.fetch(base, { redirect: 'error' }))), /^ELOOP: .*answered with 302/)
  t.is(await run(outcome(web.fetch(base))), '302 Found: ok')
  t.is(await run(outcome(web.fetch(base))), '300 Choices: ')
  t.is(await run(outcome(web.fetch(base))), '304 Not: ')
})

test('20 redirects are followed, not 21', async t => {
  const { web, run, raw } = fetching()
  let requests = 0
  raw(seen => onText(seen, () => void write(seen.connection, ++requests % 21 === 0 ? ok : to(`/${requests}`))))
  t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  t.is(requests, 21)
  const loop = fetching()
  let count = 0
  loop.raw(seen => onText(seen, () => void write(seen.connection, to(`/${++count}`))))
  t.regex(await loop.run(outcome(loop.web.fetch(base))), /^ELOOP: .*more than 20 times/)
  t.is(count, 21)
})

test('what is meant for one origin does not go to another', async t => {
  const { web, run, answers } = fetching()
  const own = answers([to('/same'), to('http://10.0.0.2:81/'), ok])
  const other = answers([to('http://10.0.0.2/back')], { port: 81 })
  const headers = { authorization: 'Basic x', cookie: 'a=b', 'proxy-authorization': 'y', 'x-other': 'z' }
  t.is(await run(outcome(web.fetch(base, { headers }))), '200 OK: ok')
  const requests = own
    .map(({ text }) => text)
    .join('')
    .split('\r\n\r\n')
    .slice(0, 3)
  t.deepEqual(
    [...requests, other[0].text].map(text => /authorization/.test(text)),
    [true, true, false, false],
  )
  t.deepEqual(
    [...requests, other[0].text].map(text => /cookie/.test(text)),
    [true, true, false, false],
  )
  t.true([...requests, other[0].text].every(text => /x-other: z/.test(text)))
  t.true(other[0].text.includes('host: 10.0.0.2:81\r\n'))
})

test('a body that is a stream is not sent twice; where it need not be, it is followed', async t => {
  const init = (): RequestInit => ({ method: 'POST', body: ReadableStream.from([latin1('text')]), duplex: 'half' }) as RequestInit
  for (const [status, expected] of [
    [307, /a body that is a stream cannot be sent twice/],
    [302, /a body that is a stream cannot be sent twice/],
    [303, /^200 OK: ok/],
  ] as const) {
    const { web, run, raw } = fetching()
    raw(seen =>
      onText(seen, () => {
        if (seen.text.includes('GET /next')) void write(seen.connection, ok)
        else if (seen.text.endsWith('0\r\n\r\n')) void write(seen.connection, to('/next', status))
      }),
    )
    t.regex(await run(outcome(web.fetch(base, init()))), expected, String(status))
  }
})
