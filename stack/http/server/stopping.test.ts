/** The end of a server: what waits is told, has its time, and is named. */
import { Lifecycle } from '@xen-ts/runtime/machine'
import test from 'ava'
import { bareServer, get, known } from './testing.ts'

const forever = (): ReadableStream<Uint8Array> => new ReadableStream({ start: controller => controller.enqueue(new Uint8Array(1)) })

test('a stream is told by the signal of its request, ends itself, and the server has stopped at once', async t => {
  const reasons: unknown[] = []
  const server = bareServer(({ signal }) => {
    return new Response(
      new ReadableStream({
        start(controller) {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason)
            controller.close()
          })
        },
      }),
    )
  })
  const client = server.connect()
  client.send(get())
  await server.seconds(30)
  const reason = new Error('shutdown requested')
  let stopped = false
  void server.stopped.then(() => {
    stopped = true
  })
  server.stop(reason)
  await server.seconds(0)
  t.deepEqual(reasons, [reason])
  t.true(client.received.endsWith('\r\n0\r\n\r\n'))
  client.finish()
  await server.seconds(0)
  t.true(stopped)
  t.deepEqual(server.log('WRN'), [])
})

test('a stream that begins after the shutdown request is told as well; a handler is not, so that it can answer', async t => {
  const late = Promise.withResolvers<void>()
  const requests: Request[] = []
  const server = bareServer(async request => {
    requests.push(request)
    await late.promise
    return requests.length === 2 && request === requests[1] ? new Response(forever()) : known('answer')
  })
  const clients = [server.connect(), server.connect()]
  for (const client of clients) client.send(get())
  server.stop()
  t.deepEqual(
    requests.map(({ signal }) => signal.aborted),
    [false, false],
  )
  late.resolve()
  await server.seconds(0)
  t.true(clients[0].received.endsWith('connection: close\r\n\r\nanswer'))
  t.deepEqual(
    requests.map(({ signal }) => signal.aborted),
    [false, true],
  )
})

test('what is not over after the drain time is named and cut off, within four seconds', async t => {
  let n = 0
  let cancelled = 0
  const server = bareServer(() => {
    n++
    if (n > 3) return new Promise<Response>(() => {})
    return new Response(
      new ReadableStream({
        cancel() {
          cancelled++
        },
      }),
    )
  })
  const clients = Array.from({ length: 5 }, () => server.connect())
  for (const client of clients) client.send(get())
  await server.seconds(10)
  const start = server.world.now
  let stopped = false
  void server.stopped.then(() => {
    stopped = true
  })
  server.stop()
  await server.seconds(60, () => stopped)
  t.true(stopped)
  t.true(server.world.now - start <= 4000, `${server.world.now - start} ms`)
  await server.seconds(0)
  t.is(cancelled, 3)
  t.deepEqual(server.log('WRN'), ['3 responses are still being sent and 2 requests are not answered after 4 s: they are cut off'])
})

test('one alone is named in the singular, and a client that only does not close is not named', async t => {
  for (const [answer, line] of [
    [() => new Response(forever()), '1 response is still being sent after 1 s: it is cut off'],
    [() => new Promise<Response>(() => {}), '1 request is not answered after 1 s: it is cut off'],
    [() => known('x'), undefined],
  ] as const) {
    const server = bareServer(answer, { limits: { drainTimeout: 1 } })
    server.connect().send(get('/', 'Connection: close\r\n'))
    server.stop()
    await server.seconds(10)
    t.deepEqual(server.log('WRN'), line === undefined ? [] : [line])
  }
})

test('the lifecycle says what the program waits for, when a drain time is longer than its grace', async t => {
  const lines: string[] = []
  let reason: number | undefined
  const server = bareServer(
    () => new Response(forever()),
    { limits: { drainTimeout: 60 } },
    timers => {
      const log = { app() {}, error: (text: string) => lines.push(text), warn: (text: string) => lines.push(text), info() {}, debug() {} }
      const abi = { shutdown: (value: number) => (reason = value) } as unknown as ConstructorParameters<typeof Lifecycle>[0]
      return new Lifecycle(abi, timers, log as never)
    },
  )
  for (let i = 0; i < 3; i++) server.connect().send(get())
  void server.lifecycle!.run(
    async () => undefined,
    () => server.stopped,
  )
  await server.seconds(1)
  server.lifecycle!.request('poweroff')
  server.stop()
  await server.seconds(10, () => reason !== undefined)
  t.is(reason, 0)
  t.deepEqual(lines, [
    'start() did not end within 5 s of the shutdown request, so it is left behind; http: 3 responses are still being sent',
  ])
})
