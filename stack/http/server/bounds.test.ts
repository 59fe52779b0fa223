/** No state of a connection is without a bound: requests that do not come to their end, and clients that take nothing. */
import test from 'ava'
import type { HttpHandler } from './server.ts'
import { bareServer, get, known, quietStream } from './testing.ts'

test('a head that comes in drops has ten seconds, whatever else the client does meanwhile', async t => {
  const server = bareServer(() => known('x'.repeat(60_000)))
  const client = server.connect()
  client.reads = false
  client.send(`${get()}GET / HT`)
  for (let i = 0; i < 12; i++) {
    client.send('T')
    client.take(1)
    await server.seconds(1)
  }
  t.deepEqual(client.statuses, [200, 408])
})

test('a body that comes in drops has five minutes in all, and the next one has as many again', async t => {
  const server = bareServer(async request => known(await request.text()), { limits: { requestTimeout: 20 } })
  const client = server.connect()
  for (let n = 1; n <= 3; n++) {
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n')
    for (let i = 0; i < 15; i++) {
      client.send('x')
      await server.seconds(1)
    }
    t.deepEqual(client.statuses, Array(n).fill(200))
  }
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n')
  for (let i = 0; i < 25; i++) {
    client.send('x')
    await server.seconds(1)
  }
  t.deepEqual(client.statuses, [200, 200, 200, 408])
})

test('a connection without a request ends after a minute, and a client that does not end its side is reset', async t => {
  const server = bareServer(() => known('x'))
  const [fresh, used] = [server.connect(), server.connect()]
  used.send(get())
  await server.seconds(58)
  t.deepEqual([fresh.state, used.state], ['open', 'open'])
  await server.seconds(3)
  t.deepEqual([fresh.state, used.state], ['ended', 'ended'])
  await server.seconds(7)
  t.deepEqual([fresh.state, used.state], ['aborted', 'aborted'])
})

test('a client that takes nothing of a response is reset after a minute, in each way a response can wait', async t => {
  const body = quietStream()
  const handlers: Record<string, HttpHandler> = {
    'a whole response': () => known('x'.repeat(100_000)),
    'a stream that fills the window': () => new Response(body.stream),
    'a stream that says little': () => new Response(quietStream().stream),
  }
  for (const [name, handler] of Object.entries(handlers)) {
    for (const more of ['', 'Connection: close\r\n']) {
      const server = bareServer(handler)
      const client = server.connect()
      client.reads = false
      client.send(get('/', more))
      await server.seconds(0)
      if (handler === handlers['a stream that fills the window'] && more === '') body.say('x'.repeat(100_000))
      await server.seconds(55)
      t.true(client.state === 'open' || client.state === 'ended', `${name} ${more}`)
      await server.seconds(10)
      t.is(client.state, 'aborted', `${name} ${more}`)
      if (handler === handlers['a stream that fills the window']) break
    }
  }
})

test('a client that pauses within the last response gets the rest of it', async t => {
  const server = bareServer(() => known('x'.repeat(60_000)))
  const client = server.connect()
  client.reads = false
  client.send(get('/', 'Connection: close\r\n'))
  await server.seconds(20)
  client.take(1000)
  await server.seconds(40)
  t.is(client.state, 'ended')
  client.take(100_000)
  client.finish()
  t.is(client.state, 'closed')
})

// ---- over our own TCP
