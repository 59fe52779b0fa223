/**
 * What programs may rely on, whichever network stack they have: cases for every implementation of the interface Stack. They run on our stack
 * over a simulated wire, in Node and in the guest's engine (sockets.test.ts), and on Node's sockets (targets/unix/sockets.test.ts).
 */
import type { Assert, Cases } from '@xen-ts/boot/cases'
import type { Datagram, Endpoint, Stack, TcpConnection, UdpSocket } from '@xen-ts/runtime'
import { pattern } from './pair.ts'

/** Two hosts that reach each other, or one host in both roles. */
export interface Network {
  readonly client: Stack
  readonly server: Stack
  /** The server's address, and a name that has it. */
  readonly address: string
  readonly name: string
  /** A port of the server that nobody uses. */
  port(): number | Promise<number>
  /** Where nobody answers a SYN. */
  silent(): Endpoint | Promise<Endpoint>
  sleep(milliseconds: number): Promise<void>
  /** Lets time pass until the work is done. */
  run(work: Promise<void>): Promise<void>
  close(): void | Promise<void>
}

/** The cases on a network, which each of them gets anew. @param title of the network: stands before each name */
export function socketCases(title: string, setUp: () => Network | Promise<Network>): Cases {
  const all = Object.entries(cases).map(([name, run]) => [
    `${title}: ${name}`,
    async (t: Assert) => {
      const network = await setUp()
      try {
        await network.run(run(t, network))
      } finally {
        await network.close()
      }
    },
  ])
  return Object.fromEntries(all)
}

type SocketCase = (t: Assert, network: Network) => Promise<void>

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && String.fromCharCode(...bytes)
const bytesOf = (value: string): Uint8Array => Uint8Array.from(value, character => character.charCodeAt(0))

interface Coded extends Error {
  readonly code?: string
}

/** Waits for an error with this code whose text has all of these. */
async function fails(t: Assert, work: Promise<unknown>, code: string, ...parts: readonly (string | number)[]): Promise<void> {
  const error = (await t.rejects(work)) as Coded
  t.is(error.code, code, `${error}`)
  for (const part of parts) t.true(error.message.includes(String(part)), `the text names ${part}: ${error.message}`)
}

function throwsCode(t: Assert, work: () => unknown, code: string, ...parts: readonly (string | number)[]): void {
  const error = t.throws(work) as Coded
  t.is(error.code, code, `${error}`)
  for (const part of parts) t.true(error.message.includes(String(part)), `the text names ${part}: ${error.message}`)
}

/** The first connection of a listener, and the client's end of it. */
async function connected({ server, client, address, port: free }: Network): Promise<{ a: TcpConnection; b: TcpConnection; stop(): void }> {
  const port = await free()
  const controller = new AbortController()
  const accepted = Promise.withResolvers<TcpConnection>()
  server.tcp.listen({ port, signal: controller.signal }, accepted.resolve).catch(accepted.reject)
  const [b, a] = await Promise.all([accepted.promise, connectSoon(client, address, port)])
  return { a, b, stop: () => controller.abort() }
}

/** Where `listen` takes a moment, so may the first connection. */
async function connectSoon(client: Stack, host: string, port: number): Promise<TcpConnection> {
  for (let tries = 0; ; tries++) {
    try {
      return await client.tcp.connect({ host, port })
    } catch (error) {
      if (tries === 50 || (error as Coded).code !== 'ECONNREFUSED') throw error
    }
  }
}

/** A listener that sends back what it gets, on a port. */
async function echoServer(network: Network): Promise<{ port: number; stopped: Promise<void>; stop(): void }> {
  const port = await network.port()
  const controller = new AbortController()
  const stopped = network.server.tcp.listen({ port, signal: controller.signal }, async connection => {
    try {
      for (let part = await connection.read(); part !== undefined; part = await connection.read()) await connection.write(part)
      connection.end()
    } catch {
      /* the client is gone */
    }
  })
  await Promise.race([stopped, connectSoon(network.client, network.address, port).then(first => first.abort())])
  return { port, stopped, stop: () => controller.abort() }
}

/** Reads to the end: how many bytes, and whether they are those of `pattern`. */
async function readPattern(connection: TcpConnection): Promise<{ length: number; isRight: boolean }> {
  let length = 0
  let isRight = true
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) {
    const expected = pattern(part.length, length)
    if (part.some((byte, i) => byte !== expected[i])) isRight = false
    length += part.length
  }
  return { length, isRight }
}

async function readText(connection: TcpConnection): Promise<string> {
  let all = ''
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) all += text(part)
  return all
}

const asText = ({ data, address, port }: Datagram): string => `${address} ${port} ${text(data)}`

/** One datagram alone: hosts that know nothing of each other yet keep few for the time that they ask (ARP). */
async function meet(sender: UdpSocket, receiver: UdpSocket, address: string): Promise<void> {
  await sender.send(bytesOf('hello'), { address, port: receiver.port })
  await receiver.receive()
}

/** A socket that sends back what it gets. */
function echoSocket(stack: Stack, port?: number): UdpSocket {
  const socket = stack.udp.bind({ port })
  void (async () => {
    for await (const { data, address, port } of socket) await socket.send(data, { address, port })
  })()
  return socket
}

const cases: Record<string, SocketCase> = {
  'TCP: a connection has two ends, which know each other; it ends when both have ended': async (t, network) => {
    const { a, b, stop } = await connected(network)
    t.deepEqual([a.remoteAddress, a.remotePort], [b.local.address, b.local.port])
    t.deepEqual([b.remoteAddress, b.remotePort], [a.local.address, a.local.port])
    t.is(a.remoteAddress, network.address)
    await a.write(bytesOf('ping'))
    t.is(text(await b.read()), 'ping')
    await b.write(bytesOf('pong'))
    t.is(text(await a.read()), 'pong')
    a.end()
    t.is(await b.read(), undefined)
    b.end()
    t.is(await a.read(), undefined)
    await Promise.all([a.closed, b.closed])
    stop()
  },

  'TCP: a port that nobody listens to refuses': async (t, { client, address, port: free }) => {
    const port = await free()
    await fails(t, client.tcp.connect({ host: address, port }), 'ECONNREFUSED', address, port)
  },

  'TCP: who has ended its side still reads': async (t, network) => {
    const { a, b, stop } = await connected(network)
    await a.write(bytesOf('question'))
    a.end()
    t.is(await readText(b), 'question')
    await network.sleep(50)
    for (const part of ['an', 'sw', 'er']) await b.write(bytesOf(part))
    b.end()
    t.is(await readText(a), 'answer')
    await fails(t, a.write(bytesOf('more')), 'EPIPE', a.remoteAddress, a.remotePort)
    stop()
  },

  'TCP: an aborted connection is reset at the other end': async (t, network) => {
    const { a, b, stop } = await connected(network)
    const reading = [a.read(), a.closed].map(each => fails(t, each, 'ECONNABORTED', a.remoteAddress, a.remotePort))
    const reset = [b.read(), b.closed].map(each => fails(t, each, 'ECONNRESET', b.remoteAddress, b.remotePort))
    a.abort()
    await Promise.all([...reading, ...reset])
    await fails(t, a.read(), 'ECONNABORTED')
    await fails(t, a.write(bytesOf('more')), 'ECONNABORTED')
    await fails(t, b.write(bytesOf('more')), 'ECONNRESET')
    stop()
  },

  'TCP: no answer within the timeout': async (t, { client, silent }) => {
    const { address, port } = await silent()
    await fails(t, client.tcp.connect({ host: address, port, timeout: 300 }), 'ETIMEDOUT', address, port)
  },

  'TCP: a signal gives an attempt up, with its reason': async (t, { client, address, port, silent, sleep }) => {
    const reason = new Error('not any more')
    const aborted = AbortSignal.abort(reason)
    t.is(await t.rejects(client.tcp.connect({ host: address, port: await port(), signal: aborted })), reason)
    const controller = new AbortController()
    const { address: host, port: remote } = await silent()
    const connecting = t.rejects(client.tcp.connect({ host, port: remote, signal: controller.signal }))
    await sleep(50)
    controller.abort(reason)
    t.is(await connecting, reason)
  },

  'TCP: a megabyte each way at the same time': async (t, network) => {
    const { a, b, stop } = await connected(network)
    const send = async (connection: TcpConnection, length: number): Promise<void> => {
      for (let at = 0; at < length; at += 50_000) await connection.write(pattern(Math.min(50_000, length - at), at))
      connection.end()
    }
    const [, , there, back] = await Promise.all([send(a, 1_000_000), send(b, 1_234_567), readPattern(b), readPattern(a)])
    t.deepEqual(
      [there, back],
      [
        { length: 1_000_000, isRight: true },
        { length: 1_234_567, isRight: true },
      ],
    )
    stop()
  },

  'TCP: a writer waits for a reader that does not read': async (t, network) => {
    const { a, b, stop } = await connected(network)
    let written = 0
    let isWaiting = true
    const writing = (async () => {
      while (isWaiting && written < 100 * 2 ** 20) {
        await a.write(pattern(256 * 1024, written))
        written += 256 * 1024
      }
      a.end()
    })()
    for (let before = -1; before < written; await network.sleep(100)) before = written
    t.true(written < 100 * 2 ** 20, 'all was taken, although nobody reads')
    isWaiting = false
    const { length, isRight } = await readPattern(b)
    await writing
    t.deepEqual([length, isRight], [written, true])
    b.end()
    await Promise.all([a.closed, b.closed])
    stop()
  },

  'TCP: by name; an address is its own answer; what has none, and what is no name': async (t, network) => {
    const { client, name, address, server } = network
    const { port, stop } = await echoServer(network)
    const connection = await client.tcp.connect({ host: name, port })
    connection.close()
    const addresses = await client.resolve(name)
    t.true(addresses.includes(address) && addresses.includes(connection.remoteAddress))
    t.deepEqual(await client.resolve(address), [address])
    t.deepEqual(await client.resolve('10.1.2.3'), ['10.1.2.3'])
    await fails(t, client.resolve('nothing.invalid'), 'ENOTFOUND', 'nothing.invalid')
    await fails(t, client.resolve('a..b'), 'EBADNAME', 'a..b')
    await fails(t, client.tcp.connect({ host: 'nothing.invalid', port }), 'ENOTFOUND', 'nothing.invalid')
    await fails(t, server.udp.connect({ host: 'nothing.invalid', port }), 'ENOTFOUND', 'nothing.invalid')
    const reason = new Error('not any more')
    t.is(await t.rejects(client.resolve(name, { signal: AbortSignal.abort(reason) })), reason)
    stop()
  },

  'TCP: a port has one listener at a time, and its connections outlive it': async (t, network) => {
    const { server, client, address } = network
    const { port, stopped, stop } = await echoServer(network)
    await fails(
      t,
      server.tcp.listen({ port }, () => {}),
      'EADDRINUSE',
      port,
    )
    const bind = async (): Promise<void> => server.tcp.bind(port, {}, () => silentHandler)
    await fails(t, bind(), 'EADDRINUSE', port)
    const connection = await client.tcp.connect({ host: address, port })
    await connection.write(bytesOf('one'))
    t.is(text(await connection.read()), 'one')
    stop()
    await stopped
    await fails(t, client.tcp.connect({ host: address, port }), 'ECONNREFUSED')
    await connection.write(bytesOf('two'))
    t.is(text(await connection.read()), 'two')
    connection.close()
    const again = new AbortController()
    const second = server.tcp.listen({ port, signal: again.signal }, () => {})
    again.abort()
    await second
    await server.tcp.listen({ port, signal: AbortSignal.abort() }, () => {})
  },

  'TCP: a hundred connections at once': async (t, network) => {
    const { client, address } = network
    const { port, stop } = await echoServer(network)
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const connection = await client.tcp.connect({ host: address, port })
        await connection.write(bytesOf(`connection ${i}`))
        connection.end()
        return readText(connection)
      }),
    )
    t.deepEqual(
      answers,
      answers.map((_, i) => `connection ${i}`),
    )
    stop()
  },

  'TCP: at the end of using, a connection is closed in good order': async (t, network) => {
    const { a, b, stop } = await connected(network)
    const reading = a.read()
    {
      using connection = a
      await connection.write(bytesOf('last words'))
    }
    t.is(await reading, undefined)
    t.is(await a.read(), undefined)
    t.is(await readText(b), 'last words')
    await b.write(bytesOf('nobody hears this'))
    b.end()
    await Promise.all([a.closed, b.closed])
    stop()
  },

  'TCP: without promises, and bytes that are kept hold the sender back': async (t, network) => {
    const { server, client, address } = network
    const port = await network.port()
    const controller = new AbortController()
    const events: string[] = []
    let kept = 0
    let isKeeping = true
    const closed = Promise.withResolvers<void>()
    let give = (): void => {}
    await server.tcp.bind(port, { signal: controller.signal }, socket => {
      events.push(`accepted ${socket.local.port}`)
      give = () => socket.consumed(kept)
      return {
        onData(_bytes, _offset, length) {
          if (!isKeeping) return 0
          kept += length
          return length
        },
        onEnd() {
          events.push('end')
          const bytes = bytesOf('good bye')
          socket.queue(bytes, 5, 3)
          socket.flush()
          socket.end()
          t.throws(() => socket.queue(bytes, 0, 1), { name: 'SocketError' })
        },
        onWritable() {},
        onClosed(error) {
          events.push(`closed ${error}`)
          closed.resolve()
        },
      }
    })
    const connection = await client.tcp.connect({ host: address, port })
    let written = 0
    const writing = (async () => {
      for (; written < 40 * 2 ** 20 && isKeeping; written += 256 * 1024) await connection.write(new Uint8Array(256 * 1024))
      connection.end()
    })()
    for (let before = -1; before < written; await network.sleep(100)) before = written
    t.true(kept > 0 && kept <= 2 ** 20, `${kept} bytes were handed on`)
    isKeeping = false
    give()
    await writing
    t.is(await readText(connection), 'bye')
    await closed.promise
    t.deepEqual(events, [`accepted ${port}`, 'end', 'closed undefined'])
    controller.abort()
  },

  'TCP: arguments that make no sense': async (t, network) => {
    const { client, server, address } = network
    for (const port of [0, -1, 65536, 1.5, NaN]) {
      await t.rejects(client.tcp.connect({ host: address, port }), { name: 'RangeError' })
      await t.rejects(
        server.tcp.listen({ port }, () => {}),
        { name: 'RangeError' },
      )
      await t.rejects(async () => server.tcp.bind(port, {}, () => silentHandler), { name: 'RangeError' })
    }
    const { a, stop } = await connected(network)
    t.throws(() => a.keepAlive(0), { name: 'RangeError' })
    a.keepAlive(60_000)
    a.keepAlive(undefined)
    a.abort()
    stop()
  },

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

  'the addresses of this host': async (t, { server }) => {
    const { addresses, address } = server
    for (const { address, prefix, family } of addresses) {
      t.is(family, address.includes(':') ? 6 : 4)
      t.true(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))
    }
    t.is(address, addresses[0]?.address)
    server.watch(() => t.fail('nothing has changed'))()
  },
}

const silentHandler = { onData: () => 0, onEnd() {}, onWritable() {}, onClosed() {} }
