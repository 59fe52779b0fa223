import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { nodeMachine } from '@xen-ts/runtime/node'
import { httpServer } from '@xen-ts/stack'
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
