/** TCP does not know which family of IP it serves: what it does over the one it does over the other. */
import test from 'ava'
import { pair, pattern, serverAddress } from '../testing/pair.ts'
import { record, text } from '../testing/session.ts'

for (const family of [4, 6] as const) {
  const address = serverAddress[family]
  const shown = family === 4 ? address : `[${address}]`

  test(`IPv${family}: names, segment size, data both ways under loss, and nothing is left`, async t => {
    const { world, wire, client, server, clientDevice, serverDevice } = pair(11, { delay: 1, loss: 0.02 }, {}, {}, family)
    const bytes = pattern(200_000)
    const got: Uint8Array[] = []
    let endpoints: unknown[] = []
    server.tcp.bind(80, {}, socket => {
      endpoints = [socket.remote.address, socket.local.address]
      return {
        ...record([]),
        onData(data, offset, length) {
          got.push(data.slice(offset, offset + length))
          return 0
        },
        onEnd() {
          const answer = text('thank you')
          socket.queue(answer, 0, answer.length)
          socket.end()
        },
      }
    })
    let longest = 0
    wire.filter = frame => {
      longest = Math.max(longest, frame.length)
      return true
    }
    const connecting = client.tcp.connect({ host: address, port: 80 })
    await world.run(5_000, () => endpoints.length > 0)
    const stream = await connecting
    const talk = (async () => {
      for (let at = 0; at < bytes.length; at += 50_000) await stream.write(bytes.subarray(at, at + 50_000))
      stream.end()
      const answer: Uint8Array[] = []
      for (let part = await stream.read(); part !== undefined; part = await stream.read()) answer.push(part)
      return Buffer.concat(answer).toString()
    })()
    await world.run(60_000)
    t.is(await talk, 'thank you')
    t.true(Buffer.concat(got).equals(Buffer.from(bytes)))
    t.deepEqual(endpoints, [address.replace(/2$/, '1'), address])
    t.is(longest, 1514)
    t.is(server.counters.badChecksum, 0)
    await world.run(120_000)
    t.deepEqual([client.tcp.connections, server.tcp.connections, client.tcp.memory.used, server.tcp.memory.used], [0, 0, 0, 0])
    t.deepEqual([clientDevice.reserved, serverDevice.reserved], [0, 0])
    const { own } = server.link.ipv6
    t.is(
      own.reduce((sum, { routes }) => sum + routes.size, 0),
      0,
    )
  })

  test(`IPv${family}: a closed port resets, a flood gets cookies`, async t => {
    const { world, client, server } = pair(11, {}, {}, {}, family)
    const refused = t.throwsAsync(client.tcp.connect({ host: address, port: 81 }))
    await world.run(500)
    t.is((await refused)?.message, `connection to ${shown}:81 was refused`)
    let accepted = 0
    server.tcp.bind(80, { backlog: 0 }, () => (accepted++, record([])))
    const connecting = client.tcp.connect({ host: address, port: 80 })
    await world.run(500)
    t.is((await connecting).remoteAddress, address)
    t.is(server.counters.tcpSynCookies, 1)
    t.is(accepted, 1)
  })

  test(`IPv${family}: bad wires, and devices that complete checksums and cut large frames`, async t => {
    const bytes = pattern(3_000_000)
    for (const [seed, offload] of [
      [1, false],
      [2, true],
    ] as const) {
      const wire = { delay: 2, loss: 0.01, duplication: 0.02, reordering: 0.05, corruption: 0.01 }
      const { world, client, server, clientDevice, serverDevice } = pair(seed, wire, {}, { offload }, family)
      const got: Uint8Array[] = []
      server.tcp.bind(80, {}, socket => ({
        ...record([]),
        onData(data, offset, length) {
          got.push(data.slice(offset, offset + length))
          return 0
        },
        onEnd: () => socket.end(),
      }))
      const send = client.tcp.connect({ host: address, port: 80 }).then(async stream => {
        for (let at = 0; at < bytes.length; at += 100_000) await stream.write(bytes.subarray(at, at + 100_000))
        stream.end()
        await stream.closed
      })
      await world.run(600_000)
      await send
      t.true(Buffer.concat(got).equals(Buffer.from(bytes)))
      t.is(clientDevice.large > 0, offload)
      t.deepEqual([clientDevice.reserved, serverDevice.reserved], [0, 0])
    }
  })
}

test('one listener serves both families, and peers with the same ports are told apart', async t => {
  const { world, client, server } = pair(11)
  server.configure({ address: '10.0.0.2', prefix: 24, ipv6: { address: 'fd00::2', prefix: 64 } })
  client.configure({ address: '10.0.0.1', prefix: 24, ipv6: { address: 'fd00::1', prefix: 64 } })
  const remotes: string[] = []
  server.tcp.bind(80, {}, socket => {
    remotes.push(`${socket.remote.address} ${socket.local.address}`)
    return record([])
  })
  const hosts = ['10.0.0.2', 'fd00::2', 'fe80::ff:fe00:2']
  const connecting = hosts.map(host => client.tcp.connect({ host, port: 80 }))
  await world.run(1_000)
  await Promise.all(connecting)
  t.deepEqual(remotes.sort(), ['10.0.0.1 10.0.0.2', 'fd00::1 fd00::2', 'fe80::ff:fe00:1 fe80::ff:fe00:2'])
  t.is(server.tcp.connections, 3)
})
