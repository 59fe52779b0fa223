/** What programs may rely on, on the host's sockets: the cases of our own stack. */
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Worker } from 'node:worker_threads'
import { assert } from '@xen-ts/boot/cases'
import type { Stack } from '@xen-ts/runtime'
import { nodeMachine } from '@xen-ts/runtime/node'
import { type Network, socketCases } from '@xen-ts/stack/testing'
import test from 'ava'
import { hostStack } from './network.ts'

/** Listens and never accepts: once its queue is full, the host answers no more SYNs (Linux). */
const deaf = `
const { workerData } = require('node:worker_threads')
const server = require('node:net').createServer().listen({ port: 0, host: workerData.address, backlog: 1 }, () => {
  const shared = new Int32Array(workerData.buffer)
  Atomics.store(shared, 0, server.address().port)
  Atomics.notify(shared, 0)
  Atomics.wait(shared, 1, 0)
  process.exit()
})
`

async function silentPort(stack: Stack, address: string, closers: (() => unknown)[]): Promise<number> {
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(deaf, { eval: true, workerData: { buffer: shared.buffer, address } })
  await Atomics.waitAsync(shared, 0, 0).value
  const port = shared[0]
  const controller = new AbortController()
  const fillers = Array.from({ length: 4 }, () =>
    stack.tcp.connect({ host: address, port, signal: controller.signal }).then(
      connection => connection.abort(),
      () => {},
    ),
  )
  await Promise.race([Promise.all(fillers), new Promise(resolve => setTimeout(resolve, 100))])
  closers.push(() => {
    controller.abort()
    Atomics.store(shared, 1, 1)
    Atomics.notify(shared, 1)
    return worker.terminate()
  })
  return port
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await new Promise(resolve => server.on('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** One host in both roles. */
function host(address: string): Network {
  const stack = hostStack(nodeMachine())
  const closers: (() => unknown)[] = []
  return {
    client: stack,
    server: stack,
    address,
    name: 'localhost',
    port: freePort,
    silent: async () => ({ address, port: await silentPort(stack, address, closers) }),
    sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
    run: work => work,
    async close() {
      for (const close of closers) await close()
    },
  }
}

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))
const families = { IPv4: '127.0.0.1', ...(hasIpv6 ? { IPv6: '::1' } : {}) }
const all = Object.entries(families).flatMap(([title, address]) => Object.entries(socketCases(title, () => host(address))))

for (const [name, run] of all) {
  test(name, async t => {
    await run(assert)
    t.pass()
  })
}
