/** hono on this server: its streams end when they should, and its routes open WebSockets. */

import test from 'ava'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { closing, handshake, serverFrames, text } from '../websocket/testing.ts'
import { upgradeWebSocket } from '../websocket/upgrade.ts'
import { bareServer, get } from './testing.ts'

/** Events without end, until somebody says so; what happened. */
function events() {
  const log: string[] = []
  const app = new Hono()
  app.get('/events', c =>
    streamSSE(c, async stream => {
      stream.onAbort(() => void log.push('aborted'))
      c.req.raw.signal.addEventListener('abort', () => {
        log.push(`signal ${(c.req.raw.signal.reason as Error).message}`)
        stream.abort()
      })
      for (let id = 0; !stream.aborted; id++) {
        await stream.writeSSE({ data: `line ${id}\nmore`, event: 'tick', id: String(id) })
        await new Promise<void>(resolve => server.world.at(1000, resolve))
      }
      log.push('over')
    }),
  )
  const server = bareServer(app.fetch)
  return { server, log }
}
const chunk = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`

test('server-sent events come as they are written, and end when the client has left', async t => {
  const { server, log } = events()
  const client = server.connect()
  client.send(get('/events'))
  await server.seconds(2.5)
  t.regex(client.received, /^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream\r\n/)
  t.is(client.received.match(/transfer-encoding/g)?.length, 1)
  for (const id of [0, 1, 2]) t.true(client.received.includes(chunk(`event: tick\ndata: line ${id}\ndata: more\nid: ${id}\n\n`)))
  client.reset()
  await server.seconds(3)
  t.deepEqual([...log].sort(), ['aborted', 'over', 'signal the client has gone'])
  t.deepEqual(server.log('ERR'), [])
})

test('server-sent events end when the server is to stop, at once and in good order', async t => {
  const { server, log } = events()
  const client = server.connect()
  client.send(get('/events'))
  await server.seconds(1.5)
  server.stop(new Error('power off'))
  await server.seconds(2)
  t.deepEqual(log, ['signal power off', 'aborted', 'over'])
  t.true(client.received.endsWith('0\r\n\r\n'), client.received.slice(-40))
  client.finish()
  await server.stopped
  t.deepEqual([server.log('ERR'), server.log('WRN')], [[], []])
})

test("a route of hono's is a WebSocket, and one that asks for none goes on to the next", async t => {
  const app = new Hono()
  const log: unknown[] = []
  app.get(
    '/ws',
    upgradeWebSocket(c => ({
      onOpen: (_event, ws) => ws.send(`hello ${c.req.raw.headers.get('host')}`),
      onMessage(event, ws) {
        log.push(event.data)
        ws.send(`you said ${event.data}`)
      },
      onClose: event => void log.push(event.code),
    })),
    c => c.text('no WebSocket'),
  )
  const server = bareServer(app.fetch)
  const client = server.connect()
  client.send(handshake())
  await server.seconds(0)
  const start = client.received.indexOf('\r\n\r\n') + 4
  client.send(text('x'))
  client.send(closing(1000))
  t.deepEqual(serverFrames(client.received.slice(start)), ['1:hello a', '1:you said x', '8:1000 '])
  t.deepEqual(log, ['x', 1000])
  const plain = server.connect()
  plain.send(get('/ws'))
  await server.seconds(0)
  t.true(plain.received.includes('no WebSocket'))
})

test('bodies in the manner of hono: gathered, and 413 for what is too long', async t => {
  const app = new Hono()
  app.post('/', async c => c.text(JSON.stringify(await c.req.json())))
  const server = bareServer(app.fetch, { limits: { body: 20 } })
  const post = (body: string) => {
    const client = server.connect()
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
    client.send(body)
    return client
  }
  const [good, bad] = [post('{"a":1}'), post(`"${'x'.repeat(30)}"`)]
  await server.seconds(0)
  t.true(good.received.includes('{"a":1}'))
  t.deepEqual(bad.statuses, [413])
})
