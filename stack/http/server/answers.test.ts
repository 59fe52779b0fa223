/** What is sent for a response of the runtime, whose text and headers the server takes without asking: the same as for any other. */
import { Response } from '@xen-ts/runtime/web/inject'
import test from 'ava'
import { bareServer, get } from './testing.ts'

/** What comes for each of these responses, one after the other on one connection, as one character a byte. */
async function answers(make: ((i: number) => unknown)[], request: (i: number) => string = i => get(`/${i}`), wait = 0): Promise<string[]> {
  let next = 0
  const server = bareServer(() => make[next++]!(next - 1) as globalThis.Response)
  const client = server.connect()
  const received: string[] = []
  for (const [i] of make.entries()) {
    client.received = ''
    client.send(request(i))
    await server.seconds(wait)
    received.push(client.received)
  }
  client.finish()
  await server.seconds(1)
  server.stop()
  return received
}

const headOf = (answer: string): string => answer.slice(0, answer.indexOf('\r\n\r\n'))
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)
const withoutDate = (head: string): string => head.replace(/\r\ndate: [^\r]*/, '')

test('an object of headers that a program changes between two responses says what it says at the time', async t => {
  const headers: Record<string, string> = { 'content-type': 'text/html', 'x-a': '1' }
  const say = () => new Response('same', { headers })
  const heads = (
    await answers([say, () => ((headers['x-a'] = '2'), say()), () => ((headers['x-b'] = '3'), say()), () => (delete headers['x-a'], say())])
  ).map(headOf)
  const start = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n'
  t.deepEqual(heads.map(withoutDate), [
    `${start}x-a: 1\r\ncontent-length: 4`,
    `${start}x-a: 2\r\ncontent-length: 4`,
    `${start}x-a: 2\r\nx-b: 3\r\ncontent-length: 4`,
    `${start}x-b: 3\r\ncontent-length: 4`,
  ])
})

test('headers that a program changes on one response are that one’s', async t => {
  const headers = { 'x-a': '1' }
  const say = () => new Response('same', { headers })
  const changed = () => {
    const response = say()
    response.headers.set('x-a', '2')
    response.headers.append('set-cookie', 'a=1')
    response.headers.append('set-cookie', 'b=2')
    return response
  }
  const heads = (await answers([say, changed, say])).map(headOf)
  t.regex(heads[1]!, /\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-a: 2\r\n/)
  t.is(heads[2], heads[0])
  t.regex(heads[0]!, /\r\nx-a: 1\r\n/)
})

test('texts of the same length are not taken for each other, and one of more bytes than characters has its length', async t => {
  const [a, b, c, d, empty] = await answers(['aaaa', 'bbbb', 'ä€𝄞', 'cccc', ''].map(text => () => new Response(text)))
  t.is(bodyOf(a!), 'aaaa')
  t.is(bodyOf(b!), 'bbbb')
  t.is(bodyOf(d!), 'cccc')
  t.is(Buffer.from(bodyOf(c!), 'latin1').toString(), 'ä€𝄞')
  t.regex(headOf(c!), /\r\ncontent-length: 9\r\n/)
  t.is(bodyOf(empty!), '')
  t.regex(headOf(empty!), /\r\ncontent-length: 0\r\n/)
})

test('the date is that of the second, and the program’s own where it says one', async t => {
  const own = 'Thu, 01 Jan 1970 00:00:00 GMT'
  const say = () => new Response('x')
  const [first, second, third] = await answers([say, say, () => new Response('x', { headers: { date: own } })], undefined, 3)
  const date = (answer: string): string[] => [...answer.matchAll(/\r\ndate: ([^\r]*)/g)].map(match => match[1]!)
  t.is(date(first!).length, 1)
  t.notDeepEqual(date(first!), date(second!))
  t.deepEqual(date(third!), [own])
})

test('fields of the connection are the server’s; a status is the program’s, also the one that says what to upgrade to', async t => {
  const headers = { connection: 'x', 'keep-alive': 'x', 'content-length': '99', te: 'x', 'x-a': '1' }
  const [plain, other, upgrade, none] = await answers([
    () => new Response('x', { headers }),
    () => new Response('x', { status: 404, statusText: 'Gone fishing' }),
    () => new Response('x', { status: 426, headers: { upgrade: 'websocket' } }),
    () => new Response(null, { status: 204 }),
  ])
  t.is(withoutDate(headOf(plain!)), 'HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\nx-a: 1\r\ncontent-length: 1')
  t.regex(headOf(other!), /^HTTP\/1\.1 404 Gone fishing\r\n/)
  t.regex(headOf(upgrade!), /\r\nupgrade: websocket\r\nconnection: upgrade\r\n/)
  t.is(withoutDate(headOf(none!)), 'HTTP/1.1 204 No Content')
})

test('HEAD has the head only; the last answer of a connection says so', async t => {
  const [head, last] = await answers([() => new Response('abc'), () => new Response('abc')], i =>
    i === 0 ? get('/').replace('GET', 'HEAD') : get('/', 'Connection: close\r\n'),
  )
  t.is(bodyOf(head!), '')
  t.regex(headOf(head!), /\r\ncontent-length: 3\r\n/)
  t.regex(headOf(last!), /\r\nconnection: close$/)
})

test('a response that was sent is used: a second time it is a fault of the program', async t => {
  const response = new Response('once')
  const [first, second] = await answers([() => response, () => response])
  t.is(bodyOf(first!), 'once')
  t.true(response.bodyUsed)
  t.regex(second!, /^HTTP\/1\.1 500 /)
  await t.throwsAsync(() => response.text(), { instanceOf: TypeError })
})

test('heads that begin alike are told apart, in one piece and in several', async t => {
  const urls: string[] = []
  const server = bareServer(request => {
    urls.push(`${new URL(request.url).pathname} ${request.headers.get('x')}`)
    return new Response('ok') as unknown as globalThis.Response
  })
  const client = server.connect()
  const a = get('/a', 'x: 1\r\n')
  for (let i = 0; i < 3; i++) client.send(a)
  client.send(get('/a', 'x: 2\r\n'))
  client.send(a + get('/b') + a)
  client.send(a.slice(0, -1))
  client.send(`\n${a.slice(0, 20)}`)
  client.send(a.slice(20))
  t.deepEqual(client.statuses, Array(9).fill(200))
  t.deepEqual(urls, ['/a 1', '/a 1', '/a 1', '/a 2', '/a 1', '/b null', '/a 1', '/a 1', '/a 1'])
  client.send('GET /a HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n')
  t.is(client.statuses.at(-1), 400)
  server.stop()
  await server.seconds(1)
})

test('an answer that its client has not taken is not written over by the next', async t => {
  const server = bareServer(request => new Response(new URL(request.url).pathname) as unknown as globalThis.Response)
  const clients = Array.from({ length: 3 }, () => server.connect())
  const queued: (() => string)[] = []
  for (const client of clients) {
    client.reads = false
    const { queue } = client
    client.queue = (bytes, offset, length) => {
      queued.push(() => bodyOf(String.fromCharCode(...bytes.subarray(offset, offset + length))))
      queue.call(client, bytes, offset, length)
    }
  }
  clients[0].send(get('/first') + get('/again'))
  clients[1].send(get('/other'))
  t.deepEqual(
    queued.map(text => text()),
    ['/first', '/again', '/other'],
  )
  // The last has taken all: what it was sent may be gone, the others' is not.
  clients[1].take(Infinity)
  clients[2].send(get('/third'))
  t.deepEqual(
    queued.map(text => text()).filter((_, i) => i !== 2),
    ['/first', '/again', '/third'],
  )
  for (const client of clients) client.reset()
  server.stop()
})
