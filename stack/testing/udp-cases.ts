/** UDP as programs may rely on it. */
import { pattern } from './pair.ts'
import { asText, bytesOf, echoSocket, fails, meet, type SocketCase, text, throwsCode } from './socket-help.ts'

export const udpCases: Record<string, SocketCase> = {
  'UDP: datagrams arrive with their sender, and the answer goes back': async (t, { client, server, address, port: free }) => {
    const port = await free()
    using echo = echoSocket(server, port)
    t.is(echo.port, port)
    t.is(echo.remote, undefined)
    using socket = client.udp.bind()
    t.true(socket.port >= 1024 && socket.port <= 65535)
    for (const what of ['one', '', 'three']) {
      await socket.send(bytesOf(what), { address, port })
      t.is(asText((await socket.receive())!), `${address} ${port} ${what}`)
    }
    const bytes = bytesOf('first')
    await socket.send(bytes, { address, port })
    bytes.fill(0)
    t.is(text((await socket.receive())?.data), 'first')
  },

  'UDP: several at a time, in order; reading and iterating share the queue': async (t, { client, server, address }) => {
    await using receiver = server.udp.bind()
    using sender = client.udp.bind()
    await meet(sender, receiver, address)
    for (let i = 0; i < 20; i++) await sender.send(bytesOf(`${i}`), { address, port: receiver.port })
    const seen = [text((await receiver.receive())?.data)]
    for await (const { data } of receiver) {
      seen.push(text(data))
      if (seen.length === 3) break
    }
    for await (const batch of receiver.batches()) {
      t.true(batch.length > 0)
      seen.push(...batch.map(({ data }) => text(data)))
      if (seen.length === 20) break
    }
    t.deepEqual(
      seen,
      seen.map((_, i) => `${i}`),
    )
    t.is(receiver.dropped, 0)
  },

  'UDP: with callbacks': async (t, { client, server, address }) => {
    const all = Promise.withResolvers<void>()
    const seen: string[] = []
    using first = server.udp.bind()
    using sender = client.udp.bind()
    await meet(sender, first, address)
    using receiver = server.udp.bind({
      onDatagrams(datagrams) {
        t.true(datagrams.length > 0)
        seen.push(...datagrams.map(asText))
        if (seen.length === 10) all.resolve()
      },
    })
    for (let i = 0; i < 10; i++) await sender.send(bytesOf(`${i}`), { address, port: receiver.port })
    await all.promise
    const from = seen[0].replace(/ 0$/, '')
    t.true(from.endsWith(` ${sender.port}`))
    t.deepEqual(
      seen,
      seen.map((_, i) => `${from} ${i}`),
    )
    await t.rejects(receiver.receive(), { name: 'TypeError' })
  },

  'UDP: what a program does not take in time is dropped and counted': async (t, { client, server, address, sleep }) => {
    const before = server.counters.udpQueueFull
    using receiver = server.udp.bind({ queueBytes: 10_000 })
    using sender = client.udp.bind()
    await meet(sender, receiver, address)
    for (let i = 0; i < 40; i++) await sender.send(pattern(1000, i), { address, port: receiver.port })
    for (let i = 0; i < 100 && receiver.dropped < 31; i++) await sleep(20)
    t.is(receiver.dropped, 31) // 1,000 bytes count as 1,064
    t.is(server.counters.udpQueueFull - before, 31)
    for (let i = 0; i < 9; i++) t.deepEqual((await receiver.receive())?.data, pattern(1000, i))
    const again: (Uint8Array | undefined)[] = []
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) await sender.send(pattern(1000, i), { address, port: receiver.port })
      while (again.length < 9 * round + 9)
        for await (const batch of receiver.batches()) if (again.push(...batch.map(({ data }) => data))) break
    }
    t.deepEqual(again[26], pattern(1000, 8))
    t.is(receiver.dropped, 31)
  },

  'UDP: a connected socket takes only what its peer sends': async (t, { client, server, address, port: free, sleep }) => {
    const port = await free()
    using peer = server.udp.bind({ port })
    using other = server.udp.bind()
    using socket = await client.udp.connect({ host: address, port })
    t.deepEqual(socket.remote, { address, port })
    await socket.send(bytesOf('question'))
    const { address: from, port: back, data } = (await peer.receive())!
    t.deepEqual([text(data), back], ['question', socket.port])
    await other.send(bytesOf('lie'), { address: from, port: back })
    await sleep(50)
    await peer.send(bytesOf('answer'), { address: from, port: back })
    t.is(asText((await socket.receive())!), `${address} ${port} answer`)
    await t.rejects(socket.send(data, { address, port }), { name: 'TypeError' })
  },

  'UDP: a connected socket is told that nobody receives there, once, and goes on': async (t, network) => {
    const { client, server, address, port: free } = network
    const port = await free()
    using socket = await client.udp.connect({ host: address, port })
    await socket.send(bytesOf('anybody?'))
    await fails(t, socket.receive(), 'ECONNREFUSED', address, port)
    using echo = echoSocket(server, port)
    await socket.send(bytesOf('now?'))
    t.is(text((await socket.receive())?.data), 'now?')
    echo.close()
    const told = Promise.withResolvers<Error>()
    using calling = await client.udp.connect({ host: address, port, onError: told.resolve })
    await calling.send(bytesOf('anybody?'))
    await fails(t, Promise.reject(await told.promise), 'ECONNREFUSED', address, port)
  },

  'UDP: who sends next is told of it, when nobody reads': async (t, { client, address, port: free, sleep }) => {
    const port = await free()
    using socket = await client.udp.connect({ host: address, port })
    await socket.send(bytesOf('anybody?'))
    await sleep(50)
    await fails(t, socket.send(bytesOf('hello?')), 'ECONNREFUSED', address, port)
  },

  'UDP: too large, and other arguments that make no sense': async (t, { client, address, port: free }) => {
    const port = await free()
    using socket = client.udp.bind()
    const data = bytesOf('data')
    await fails(t, socket.send(new Uint8Array(70_000), { address, port }), 'EMSGSIZE', address, 70_000)
    await t.rejects(socket.send(data), { name: 'TypeError' })
    await t.rejects(socket.send(data, { address: 'example.org', port }), { name: 'RangeError', message: /"example\.org"/ })
    for (const wrong of [0, 65536, 1.5]) {
      await t.rejects(socket.send(data, { address, port: wrong }), { name: 'RangeError' })
      t.throws(() => client.udp.bind({ port: wrong }), { name: 'RangeError' })
      await t.rejects(client.udp.connect({ host: address, port: wrong }), { name: 'RangeError' })
    }
    using connected = await client.udp.connect({ host: address, port })
    await fails(t, connected.send(new Uint8Array(70_000)), 'EMSGSIZE', address, 70_000)
  },

  'UDP: a port has one socket at a time': async (t, { client, server, address, port: free }) => {
    const port = await free()
    const first = server.udp.bind({ port })
    throwsCode(t, () => server.udp.bind({ port }), 'EADDRINUSE', port)
    first.close()
    first.close()
    using _again = server.udp.bind({ port })
    using connected = await client.udp.connect({ host: address, port })
    await fails(t, client.udp.connect({ host: address, port, localPort: connected.port }), 'EADDRINUSE', connected.port)
    const sockets = Array.from({ length: 50 }, () => client.udp.bind())
    t.is(new Set(sockets.map(socket => socket.port)).size, 50)
    for (const socket of sockets) socket.close()
  },

  'UDP: a signal, or close, ends what waits': async (t, { client, address, port: free }) => {
    const port = await free()
    const controller = new AbortController()
    const { signal } = controller
    const sockets = [client.udp.bind({ signal }), await client.udp.connect({ host: address, port, signal })]
    const waiting = sockets.flatMap(socket => [
      socket.receive(),
      (async () => {
        for await (const _ of socket) t.fail('nobody has sent anything')
        for await (const _ of socket.batches()) t.fail('nobody has sent anything')
      })(),
    ])
    controller.abort()
    t.deepEqual(
      await Promise.all(waiting),
      waiting.map(() => undefined),
    )
    for (const socket of sockets) {
      t.is(await socket.receive(), undefined)
      await fails(t, socket.send(bytesOf('late'), socket.remote ? undefined : { address, port }), 'EBADF')
    }
    const reason = new Error('not any more')
    t.is(
      t.throws(() => client.udp.bind({ signal: AbortSignal.abort(reason) })),
      reason,
    )
    t.is(await t.rejects(client.udp.connect({ host: address, port, signal: AbortSignal.abort(reason) })), reason)
  },
}
