/** hono on this server: its streams end when they should, and its routes open WebSockets. */

import test from 'ava'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
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

test('a form of hono: fields, several of a name, a file; and one that is none', async t => {
  const app = new Hono()
  app.post('/', async c => {
    const { name, tag, file } = (await c.req.parseBody({ all: true })) as { name?: string; tag?: string[]; file?: File }
    return c.json([name, tag, file && [file.name, file.type, file.size, await file.text()]])
  })
  app.post('/raw', async c => c.json([...(await c.req.formData())].length))
  app.onError((error, c) => c.text(error.message, 400))
  const server = bareServer(app.fetch)
  const post = async (path: string, type: string, body: string) => {
    const client = server.connect()
    client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`)
    for (let at = 0; at < body.length; at += 50) client.send(body.slice(at, at + 50))
    await server.seconds(0)
    return bodyOf(client.received)
  }
  const boundary = 'a-boundary-that-is-long-enough'
  const part = (head: string, body: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
  const body = `${part('name="name"', 'x')}${part('name="tag"', '1')}${part('name="tag"', '2')}${part('name="file"; filename="f.txt"\r\nContent-Type: text/plain', 'a\r\nb')}--${boundary}--\r\n`
  const multipart = `multipart/form-data; boundary=${boundary}`
  t.is(await post('/', multipart, body), '["x",["1","2"],["f.txt","text/plain",4,"a\\r\\nb"]]')
  t.is(await post('/', 'application/x-www-form-urlencoded', 'name=a+b&tag=1&tag=%32'), '["a b",["1","2"],null]')
  t.is(await post('/raw', multipart, body), '4')
  const wrong = server.connect()
  wrong.send(`POST /raw HTTP/1.1\r\nHost: a\r\nContent-Type: ${multipart}\r\nContent-Length: 3\r\n\r\nabc`)
  await server.seconds(0)
  t.deepEqual(wrong.statuses, [400])
})

test("hono's compress: gzip and deflate for clients that take it, and the text comes out again", async t => {
  const app = new Hono()
  const text = 'a line that is repeated\n'.repeat(1000)
  app.use(compress())
  app.get('/', c => c.text(text))
  const server = bareServer(app.fetch)
  for (const coding of ['gzip', 'deflate', undefined] as const) {
    const client = server.connect()
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${coding === undefined ? '' : `Accept-Encoding: ${coding}\r\n`}\r\n`)
    // Node compresses on threads of its own.
    for (let i = 0; i < 10_000 && !client.received.endsWith('\r\n0\r\n\r\n'); i++) {
      await server.seconds(0)
      await new Promise<void>(resolve => (globalThis.setImmediate ?? queueMicrotask)(resolve))
    }
    t.is(/content-encoding: (.*)/.exec(client.received)?.[1], coding)
    const body = bodyOf(client.received)
    if (coding === undefined) {
      t.is(body, text)
      continue
    }
    t.true(body.length < 2000)
    const stream = new Response(Uint8Array.from(body, character => character.charCodeAt(0))).body!.pipeThrough(
      new DecompressionStream(coding),
    )
    t.is(await new Response(stream).text(), text)
  }
})

/** Of a response, chunked or not. */
function bodyOf(response: string): string {
  const start = response.indexOf('\r\n\r\n') + 4
  if (!/^transfer-encoding: chunked\r$/m.test(response.slice(0, start))) return response.slice(start)
  let body = ''
  for (let at = start; ; ) {
    const end = response.indexOf('\r\n', at)
    const size = parseInt(response.slice(at, end), 16)
    if (!(size > 0)) return body
    body += response.slice(end + 2, end + 2 + size)
    at = end + 4 + size
  }
}
