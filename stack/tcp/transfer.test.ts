import test from 'ava'
import { pair, pattern } from '../testing/pair.ts'
import type { TcpStream } from './stream.ts'

async function readAll(connection: TcpStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) parts.push(part)
  return Buffer.concat(parts)
}

test('an echo over a clean wire: connect, send, half-close, receive, close in order', async t => {
  const { world, client, server } = pair(1)
  void server.tcp.listen({ port: 7 }, async connection => {
    await connection.write(await readAll(connection))
    connection.end()
  })
  let reply: Uint8Array | undefined
  let closed = false
  void (async () => {
    const connection = await client.tcp.connect({ host: '10.0.0.2', port: 7 })
    await connection.write(pattern(5000))
    connection.end()
    reply = await readAll(connection)
    await connection.closed
    closed = true
  })()
  t.true(await world.run(5_000, () => closed))
  t.deepEqual(reply, Buffer.from(pattern(5000)))
  t.true(world.now < 200, `took ${world.now} ms`)
  await world.run(130_000)
  t.is(client.tcp.connections + server.tcp.connections, 0)
  t.is(server.tcp.memory.used + client.tcp.memory.used, 0)
  t.is(server.counters.tcpRetransmits + client.counters.tcpRetransmits, 0)
})

test('a port without a listener refuses', async t => {
  const { world, client } = pair(2)
  const attempt = client.tcp.connect({ host: '10.0.0.2', port: 81 })
  const check = t.throwsAsync(attempt, { name: 'SocketError', message: /connection to 10.0.0.2:81 was refused/ })
  await world.run(5_000, () => client.tcp.connections === 0)
  await check
})
