/** The client on Node's sockets, against a server of Node's on the loopback device: UDP and TCP as they are. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import { DnsClient } from './client.ts'
import { address, type FakeServer, framed, readAsked, TRUNCATED, tableServer } from './testing.ts'
import { nodeTransport } from './testing-node.ts'

async function serve(server: FakeServer): Promise<{ port: number; close(): void }> {
  const udp = createSocket('udp4')
  udp.on('message', (bytes, from) => {
    for (const answer of server(readAsked(bytes, false, from.port)) as Uint8Array[]) udp.send(answer, from.port, from.address)
  })
  await new Promise<void>(resolve => udp.bind(0, '127.0.0.1', resolve))
  const { port } = udp.address()
  const tcp = createServer(socket => {
    socket.on('data', bytes => {
      for (const answer of server(readAsked(bytes.subarray(2), true, 0)) as Uint8Array[]) socket.write(framed(answer))
    })
  })
  await new Promise<void>(resolve => tcp.listen(port, '127.0.0.1', resolve))
  return {
    port,
    close() {
      udp.close()
      tcp.close()
    },
  }
}

test('names by UDP, long answers by TCP, and nobody there', async t => {
  const many = Array.from({ length: 300 }, (_, i) => address('many.example.org', `192.0.2.${i % 256}`))
  const table = tableServer({ 'www.example.org': [address('www.example.org', '192.0.2.1'), address('www.example.org', '2001:db8::1')] })
  const server = await serve(asked => {
    if (asked.name !== 'many.example.org') return table(asked)
    return [asked.tcp ? asked.reply({ answers: many }) : asked.reply({ flags: TRUNCATED })]
  })
  t.teardown(() => server.close())
  const client = new DnsClient(nodeMachine(), nodeTransport, { servers: ['127.0.0.1'], port: server.port })
  t.teardown(() => client.close())
  t.deepEqual(await client.resolve('www.example.org'), ['2001:db8::1', '192.0.2.1'])
  t.is((await client.resolve('many.example.org', { family: 4 })).length, 256)
  t.is(client.counters.overTcp, 1)
  await t.throwsAsync(client.resolve('none.example.org'), { code: 'ENOTFOUND' })
})
