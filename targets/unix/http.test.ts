import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { nodeMachine } from '@xen-ts/runtime/node'
import { httpServer, upgradeWebSocket } from '@xen-ts/stack'
import test from 'ava'
import { hostStack } from './network.ts'

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.on('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

test("the server works over Node sockets with Node's own client: keep-alive, large bodies both ways, streams", async t => {
  const port = await freePort()
  const controller = new AbortController()
  const machine = nodeMachine()
  const stopped = httpServer(machine, hostStack(machine).tcp).serve({ port, signal: controller.signal }, async request => {
    if (request.method === 'POST') return new Response(await request.arrayBuffer())
    return new Response(new URL(request.url).pathname)
  })
  const base = `http://127.0.0.1:${port}`
  t.is(await (await fetch(`${base}/first`)).text(), '/first')
  t.is(await (await fetch(`${base}/second`)).text(), '/second')
  const body = 'a body of some size. '.repeat(40_000)
  t.is(await (await fetch(base, { method: 'POST', body })).text(), body)
  const expecting = await new Promise<string>((resolve, reject) => {
    const sent = request(base, { method: 'POST', headers: { expect: '100-continue', 'content-length': 4 }, agent: false }, response => {
      response.setEncoding('utf8').on('data', resolve)
    })
    sent
      .on('continue', () => sent.end('ping'))
      .on('error', reject)
      .flushHeaders()
  })
  t.is(expecting, 'ping')
  await t.throwsAsync(
    httpServer(machine, hostStack(machine).tcp).serve({ port }, () => new Response()),
    {
      code: 'EADDRINUSE',
      message: `TCP port ${port} of this host is in use already: stop the other program, or choose another port`,
    },
  )
  controller.abort()
  await stopped
  await t.throwsAsync(fetch(`${base}/late`))
})

test('10 MB are streamed over Node sockets, with back-pressure, and a WebSocket talks to the client of the web platform', async t => {
  const port = await freePort()
  const controller = new AbortController()
  const closed = Promise.withResolvers<string>()
  let slow = 0
  const machine = nodeMachine()
  const stopped = httpServer(machine, hostStack(machine).tcp).serve({ port, signal: controller.signal }, async request => {
    if (request.headers.has('upgrade')) {
      const { socket, response } = upgradeWebSocket(request)
      socket.onmessage = ({ data }) => socket.send(data)
      socket.onclose = ({ code, reason, wasClean }) => closed.resolve(`${code} ${reason} ${wasClean}`)
      return response
    }
    let total = 0
    for await (const piece of request.body!) {
      total += piece.length
      if (slow++ < 3) await new Promise(resolve => setTimeout(resolve, 20))
    }
    return new Response(String(total))
  })
  const body = new Uint8Array(10_000_000)
  t.is(await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })).text(), '10000000')
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  socket.binaryType = 'arraybuffer'
  const messages: unknown[] = []
  await new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error('the client failed'))
    socket.onopen = () => {
      socket.send('text \u00e4')
      socket.send(new Uint8Array(300_000).fill(7))
    }
    socket.onmessage = ({ data }) => {
      messages.push(typeof data === 'string' ? data : data.byteLength)
      if (messages.length === 2) socket.close(4001, 'enough')
    }
    socket.onclose = ({ code, reason, wasClean }) => {
      messages.push(code, reason, wasClean)
      resolve()
    }
  })
  t.deepEqual(messages, ['text \u00e4', 300_000, 4001, '', true])
  t.is(await closed.promise, '4001 enough true')
  controller.abort()
  await stopped
})
