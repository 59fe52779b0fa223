/** The client over Node's sockets, against Node's own server: what another implementation makes of our requests, and we of its responses. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nodeMachine } from '@xen-ts/runtime/node'
import test, { type ExecutionContext } from 'ava'
import { pattern } from '../../testing/pair.ts'
import { httpClient } from './client.ts'
import { outcome, textOf } from './testing.ts'
import { nodeTcp } from './testing-node.ts'

async function serving(t: ExecutionContext, handle: (request: IncomingMessage, response: ServerResponse) => void) {
  let connections = 0
  const server = createServer(handle)
  server.on('connection', () => connections++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const web = httpClient(nodeMachine(), nodeTcp)
  t.teardown(() => {
    web.close()
    server.closeAllConnections()
    return new Promise<void>(resolve => void server.close(() => resolve()))
  })
  return { web, base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections, server }
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => Buffer.concat(await request.toArray())

test('pages over one connection, with what Node thinks of the requests', async t => {
  const { web, base, connections } = await serving(t, (request, response) => {
    response.end(`${request.method} ${request.url} ${request.httpVersion} ${JSON.stringify(request.headers)}`)
  })
  for (let i = 0; i < 20; i++) {
    const headers = `{"host":"${base.slice(7)}","accept":"*/*","user-agent":"xen-ts"}`
    t.is(await outcome(web.fetch(`${base}/${i}?q`)), `200 OK: GET /${i}?q 1.1 ${headers}`)
  }
  t.is(connections(), 1)
})

test('bodies both ways: with a length, chunked, and streams that wait for each other', async t => {
  const { web, base } = await serving(t, (request, response) => {
    const length = request.headers['content-length']
    if (request.url === '/length' && length !== undefined) response.setHeader('content-length', length)
    request.pipe(response)
  })
  const bytes = pattern(3_000_000)
  for (const path of ['/length', '/chunked']) {
    const response = await web.fetch(base + path, { method: 'POST', body: bytes })
    t.is(response.headers.get(path === '/length' ? 'content-length' : 'transfer-encoding'), path === '/length' ? '3000000' : 'chunked')
    t.true(Buffer.from(await response.arrayBuffer()).equals(bytes))
  }
  const body = new ReadableStream({
    async start(controller) {
      for (let at = 0; at < bytes.length; at += 300_000) controller.enqueue(bytes.slice(at, at + 300_000))
      controller.close()
    },
  })
  const response = await web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit)
  t.true(Buffer.from(await response.arrayBuffer()).equals(bytes))
})

test('trailers, informational responses, 204, 304, HEAD, HTTP/1.0 manners', async t => {
  const { web, base, connections } = await serving(t, async (request, response) => {
    if (request.url === '/hints') response.writeEarlyHints({ link: '</a>; rel=preload' })
    if (request.url === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('body')
      response.addTrailers({ 'x-sum': '1' })
    }
    if (request.url === '/204' || request.url === '/304') response.statusCode = Number(request.url.slice(1))
    if (request.url === '/processing') response.writeProcessing()
    response.end(request.url === '/trailers' ? undefined : 'text')
  })
  t.is(await outcome(web.fetch(`${base}/hints`)), '200 OK: text')
  t.is(await outcome(web.fetch(`${base}/processing`)), '200 OK: text')
  t.is(await outcome(web.fetch(`${base}/trailers`)), '200 OK: body')
  t.is(await outcome(web.fetch(`${base}/204`)), '204 No Content: ')
  t.is(await outcome(web.fetch(`${base}/304`)), '304 Not Modified: ')
  t.is(await outcome(web.fetch(base, { method: 'HEAD' })), '200 OK: ')
  t.is(await outcome(web.fetch(base, { method: 'POST', body: 'x' })), '200 OK: text')
  t.is(connections(), 1)
})

test('redirects with bodies, cookies as they are', async t => {
  const { web, base } = await serving(t, async (request, response) => {
    const body = (await bodyOf(request)).toString()
    if (request.url === '/start') response.writeHead(308, { location: '/end', 'set-cookie': ['a=1', 'b=2'] }).end('moved')
    else response.writeHead(200, { 'set-cookie': ['a=1; Path=/', 'b=2'] }).end(`${request.method} ${body}`)
  })
  const response = await web.fetch(`${base}/start`, { method: 'PUT', body: 'text' })
  t.deepEqual(response.headers.getSetCookie(), ['a=1; Path=/', 'b=2'])
  t.deepEqual([response.url, response.redirected, await response.text()], [`${base}/end`, true, 'PUT text'])
})

test('an upload that Node refuses early, and one that it breaks', async t => {
  const { web, base } = await serving(t, (request, response) => {
    if (request.url === '/refuse') response.writeHead(413, { connection: 'close' }).end('too much')
    else request.once('data', () => request.socket.resetAndDestroy())
  })
  t.is(await outcome(web.fetch(`${base}/refuse`, { method: 'POST', body: new Uint8Array(20_000_000) })), '413 Payload Too Large: too much')
  t.regex(await outcome(web.fetch(base, { method: 'POST', body: new Uint8Array(20_000_000) })), /^(ECONNRESET|EPIPE): fetch of/)
})

test('a body that breaks is an error, and so is a connection that is refused', async t => {
  const { web, base, server } = await serving(t, (request, response) => {
    response.writeHead(200, request.url === '/length' ? { 'content-length': 1000 } : {})
    response.write('begin', () => setTimeout(() => response.destroy(), 10))
  })
  t.regex(await outcome(web.fetch(base)), /^(ECONNRESET|undefined): the response of .* is not whole/)
  t.regex(await outcome(web.fetch(`${base}/length`)), /^(ECONNRESET|undefined): the response of .* is not whole/)
  server.close()
  server.closeAllConnections()
  t.regex(await outcome(web.fetch(base)), /^ECONNREFUSED: fetch of http:\/\/127\.0\.0\.1:\d+\/ failed: .*127\.0\.0\.1/)
})

test('many at once, of all sizes', async t => {
  const { web, base, connections } = await serving(t, (request, response) => {
    response.end(pattern(Number(request.url!.slice(1))))
  })
  const sizes = Array.from({ length: 200 }, (_, i) => (i * i * 37) % 200_000)
  const bodies = await Promise.all(sizes.map(async size => (await web.fetch(`${base}/${size}`)).arrayBuffer()))
  t.true(bodies.every((body, i) => Buffer.from(body).equals(pattern(sizes[i]))))
  t.true(connections() <= 8)
})

test('abort, in Node', async t => {
  const { web, base } = await serving(t, (_request, response) => void response.write('begin'))
  const controller = new AbortController()
  const response = await web.fetch(base, { signal: controller.signal })
  const reader = response.body!.getReader()
  t.is(textOf((await reader.read()).value!), 'begin')
  const next = reader.read()
  controller.abort(new Error('enough'))
  await t.throwsAsync(next, { message: 'enough' })
})
