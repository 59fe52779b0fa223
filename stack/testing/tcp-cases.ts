/** TCP as programs may rely on it. */
import type { TcpConnection } from '@xen-ts/runtime'
import { pattern } from './pair.ts'
import { bytesOf, connected, echoServer, fails, readPattern, readText, type SocketCase, text } from './socket-help.ts'

export const tcpCases: Record<string, SocketCase> = {
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
}

const silentHandler = { onData: () => 0, onEnd() {}, onWritable() {}, onClosed() {} }
