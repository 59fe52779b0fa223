/** Clients that leave, and programs that wait: everything that was pending ends. */
import test, { type ExecutionContext } from 'ava'
import type { TcpStream } from '../../tcp/stream.ts'
import { pair } from '../../testing/pair.ts'
import { type HttpHandler, httpServer } from './server.ts'
import { bareServer, get, known, quietStream } from './testing.ts'

/** Notes when the signal of a request aborts. */
function watch(request: Request, aborts: unknown[]): void {
  request.signal.addEventListener('abort', () => aborts.push(request.signal.reason))
}

const isGone = (t: ExecutionContext, reasons: unknown[]): void => {
  t.is(reasons.length, 1)
  t.deepEqual([(reasons[0] as Error).name, (reasons[0] as Error).message], ['AbortError', 'the client has gone'])
}

test('a client that closes in good order while a stream waits is gone: body cancelled, signal aborted, connection away', async t => {
  const aborts: unknown[] = []
  const body = quietStream()
  const server = bareServer(request => {
    watch(request, aborts)
    return new Response(body.stream)
  })
  const client = server.connect()
  client.send(get())
  await server.seconds(30)
  t.deepEqual(body.events, [])
  client.finish()
  await server.seconds(0)
  isGone(t, body.events)
  isGone(t, aborts)
  t.is(client.state, 'aborted')
})

test('so is one that closes just after the head, within two seconds', async t => {
  const body = quietStream()
  const server = bareServer(() => new Response(body.stream))
  const client = server.connect()
  client.send(get())
  await server.seconds(0)
  client.finish()
  await server.seconds(0)
  t.deepEqual(body.events, [])
  await server.seconds(2)
  isGone(t, body.events)
  t.is(client.state, 'aborted')
})

test('a reset cancels a waiting stream at once, and one that waits for room', async t => {
  for (const full of [false, true]) {
    const aborts: unknown[] = []
    const body = quietStream()
    const server = bareServer(request => {
      watch(request, aborts)
      return new Response(body.stream)
    })
    const client = server.connect()
    client.reads = !full
    client.send(get())
    await server.seconds(0)
    if (full) body.say('x'.repeat(100_000))
    await server.seconds(1)
    client.reset()
    await server.seconds(0)
    isGone(t, body.events)
    isGone(t, aborts)
  }
})

test('a client that ends its side with its request, as nc -N does, gets its answer, late and in pieces', async t => {
  const late = Promise.withResolvers<Response>()
  const aborts: unknown[] = []
  const body = quietStream()
  const handlers: HttpHandler[] = [
    () => late.promise,
    () => new Response(body.stream),
    request => {
      watch(request, aborts)
      return late.promise
    },
  ]
  let n = 0
  const server = bareServer(request => handlers[n++](request))
  const [plain, pieces] = [server.connect(), server.connect()]
  for (const client of [plain, pieces]) {
    client.send(get())
    client.finish()
  }
  for (let i = 0; i < 6; i++) {
    await server.seconds(0.9)
    body.say(`${i}`)
  }
  late.resolve(known('late'))
  body.end()
  await server.seconds(1)
  t.true(plain.received.endsWith('connection: close\r\n\r\nlate'))
  t.true(pieces.received.endsWith('1\r\n4\r\n1\r\n5\r\n0\r\n\r\n'))
  t.deepEqual([plain.state, pieces.state, aborts.length], ['closed', 'closed', 0])
})

test('three requests and the end at once are three answers, although the handler takes its time', async t => {
  const server = bareServer(async request => known(request.url))
  const client = server.connect()
  client.send(get('/1') + get('/2') + get('/3') + 'GET /4 HT')
  client.finish()
  await server.seconds(0)
  t.deepEqual(client.statuses, [200, 200, 200])
  t.true(client.received.endsWith('http://a/3'))
  t.is(client.state, 'closed')
})

test('a handler that does not answer a client that has ended its side loses it after ten seconds', async t => {
  const aborts: unknown[] = []
  const server = bareServer(request => {
    watch(request, aborts)
    return new Promise<Response>(() => {})
  })
  const client = server.connect()
  client.send(get())
  await server.seconds(60)
  client.finish()
  await server.seconds(8)
  t.deepEqual([aborts.length, client.state], [0, 'open'])
  await server.seconds(4)
  isGone(t, aborts)
  t.is(client.state, 'aborted')
})

test('an answer that comes when the client is gone already has its stream cancelled', async t => {
  const answer = Promise.withResolvers<Response>()
  const aborts: unknown[] = []
  const body = quietStream()
  const server = bareServer(request => {
    watch(request, aborts)
    return answer.promise
  })
  const client = server.connect()
  client.send(get())
  client.reset()
  isGone(t, aborts)
  answer.resolve(new Response(body.stream))
  await server.seconds(0)
  isGone(t, body.events)
})

test('a signal that is looked at after the client left has aborted; one of an answered request never does', async t => {
  const requests: Request[] = []
  const answer = Promise.withResolvers<Response>()
  const server = bareServer(request => {
    requests.push(request)
    return requests.length === 1 ? known('x') : answer.promise
  })
  const client = server.connect()
  client.send(get('/1') + get('/2'))
  client.reset()
  t.deepEqual(
    requests.map(({ signal }) => signal.aborted),
    [false, true],
  )
})

test('a stream of something else than bytes is cancelled, not left waiting', async t => {
  let cancelled: unknown
  const server = bareServer(
    () =>
      new Response(
        new ReadableStream({
          start: controller => controller.enqueue('text' as unknown as Uint8Array<ArrayBuffer>),
          cancel(reason) {
            cancelled = reason
          },
        }),
      ),
  )
  const client = server.connect()
  client.send(get())
  await server.seconds(0)
  t.true(cancelled instanceof TypeError)
  t.is(client.state, 'aborted')
})

test('while the program waits, the peer is asked whether it lives, and no more when the answer is out', async t => {
  for (const isStream of [false, true]) {
    const late = Promise.withResolvers<Response>()
    const body = quietStream()
    const answer = isStream ? () => new Response(body.stream) : () => late.promise
    const server = bareServer(answer)
    const client = server.connect()
    client.send(get())
    t.deepEqual(client.keepAlives, [], 'an answer that comes soon costs nothing')
    await server.seconds(3)
    t.deepEqual(client.keepAlives, [30_000])
    late.resolve(known('late'))
    body.end()
    await server.seconds(0)
    t.deepEqual(client.keepAlives, [30_000, undefined])
    client.send(get())
  }
})

test('1,024 clients of idle streams that leave in good order, or by a reset, leave a server that answers', async t => {
  for (const how of ['close', 'abort'] as const) {
    const p = pair(11)
    let cancelled = 0
    const handler: HttpHandler = request =>
      request.url.endsWith('/idle')
        ? new Response(
            new ReadableStream({
              cancel() {
                cancelled++
              },
            }),
          )
        : known('still here')
    void httpServer(p.world.machine('http'), p.server.tcp).serve({ port: 80 }, handler)
    const clients: TcpStream[] = []
    for (let n = 0; n < 1024; n++) {
      void p.client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(async connection => {
        clients.push(connection)
        await connection.write(Buffer.from(get('/idle')))
      })
      await p.world.run(2)
    }
    await p.world.run(5000, () => clients.length === 1024)
    t.is(clients.length, 1024)
    await p.world.run(3000)
    for (const client of clients) {
      client[how]()
      await p.world.run(1) // a reset that finds no free frame is lost, and then that client has vanished
    }
    await p.world.run(2000)
    t.is(cancelled, 1024)
    t.is(p.server.tcp.connections, 0)
    let answer = ''
    void p.client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(async connection => {
      await connection.write(Buffer.from(get('/')))
      answer = Buffer.from((await connection.read())!).toString()
    })
    await p.world.run(2000, () => answer !== '')
    t.true(answer.endsWith('still here'))
  }
})

test('a program that ends its work because the client has gone, or because of the shutdown, has not failed', async t => {
  const obey = ({ signal }: Request): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const handlers: HttpHandler[] = [
    obey,
    request =>
      new Response(
        new ReadableStream({
          start: controller => void obey(request).catch(error => controller.error(error)),
        }),
      ),
    async request => {
      await obey(request).catch(() => {})
      throw new Error('something else')
    },
  ]
  const lines: string[][] = []
  for (const handler of handlers) {
    const server = bareServer(handler)
    const client = server.connect()
    client.send(get())
    await server.seconds(1)
    client.reset()
    await server.seconds(1)
    lines.push(server.log('ERR').map(line => line.replace(/\n[^]*/, '')))
  }
  const server = bareServer(handlers[1])
  server.connect().send(get())
  await server.seconds(1)
  server.stop(new Error('shutdown requested'))
  await server.seconds(1)
  lines.push(server.log('ERR'))
  t.deepEqual(lines, [[], [], ['GET http://a/ failed: Error: something else'], []])
})

test('1,024 clients that vanish without a word are found by asking them, and the server answers again', async t => {
  const p = pair(12, {}, { client: { connections: 2000 } })
  let cancelled = 0
  const handler: HttpHandler = request =>
    request.url.endsWith('/idle')
      ? new Response(
          new ReadableStream({
            cancel() {
              cancelled++
            },
          }),
        )
      : known('still here')
  void httpServer(p.world.machine('http'), p.server.tcp).serve({ port: 80 }, handler)
  for (let n = 0; n < 1024; n++) {
    void p.client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(connection => connection.write(Buffer.from(get('/idle'))))
    await p.world.run(2)
  }
  await p.world.run(5000)
  t.is(p.server.tcp.connections, 1024)
  p.wire.filter = () => false
  const start = p.world.now
  await p.world.run(600_000, () => p.server.tcp.connections === 0)
  t.true(p.world.now - start < 90_000, `${p.world.now - start} ms`)
  t.is(cancelled, 1024)
  p.wire.filter = () => true
  let answer = ''
  void p.client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(async connection => {
    await connection.write(Buffer.from(get('/')))
    answer = Buffer.from((await connection.read())!).toString()
  })
  await p.world.run(10_000, () => answer !== '')
  t.true(answer.endsWith('still here'))
})
