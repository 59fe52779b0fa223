/** Responses that cannot be sent, or not as they are: the client gets an answer, the log says why, and the connection goes on. */

import * as web from '@xen-ts/runtime/web'
import test from 'ava'
import { HttpCounters } from './counters.ts'
import { bareServer, get, known, quietStream } from './testing.ts'

const never = new Promise<never>(() => {})
const quiet = (cancel: (reason: unknown) => unknown): Response =>
  new Response(new ReadableStream({ cancel: reason => cancel(reason) as undefined }))

test('what is no Response is answered 500 and named in the log, whatever it looks like, at once and later', async t => {
  const stream = new ReadableStream()
  const odd: [unknown, RegExp][] = [
    [null, /the handler returned null: return new Response/],
    ['text', /the handler returned text: return new Response/],
    [{ status: 200 }, /the handler returned \[object Object\]: return new Response/],
    [{ status: 200, body: 'text' }, /the handler returned \[object Object\]: return new Response/],
    [{ status: 200, body: stream }, /TypeError/],
    [{ status: 200, body: null }, /TypeError/],
    [{ status: 99, body: 'text' }, /has status 99: use 200 to 599/],
    [{ status: 99, body: { cancel: 1 } }, /has status 99: use 200 to 599/],
    [{ status: 200, bodyBytes: 1 }, /TypeError/],
  ]
  for (const [value, text] of odd) {
    for (const handler of [() => value as Response, async () => value as Response]) {
      let isFirst = true
      const server = bareServer(() => {
        const answer = isFirst ? handler() : known('next')
        isFirst = false
        return answer
      })
      const client = server.connect()
      client.send(get('/1') + get('/2'))
      await server.seconds(1)
      t.deepEqual(client.statuses, [500, 200], `${text}`)
      t.is(client.state, 'open')
      t.regex(server.world.logLines.join('\n'), text)
    }
  }
})

test('a Response that was sent or read before is answered 500 and named, not broken off in the middle', async t => {
  const bytes = (): ReadableStream<Uint8Array<ArrayBuffer>> => ReadableStream.from([new Uint8Array([65])])
  for (const make of [() => new Response(bytes()), () => new web.Response('A') as unknown as Response]) {
    const response = make()
    const server = bareServer(() => response)
    const client = server.connect()
    for (let i = 0; i < 2; i++) {
      client.send(get())
      await server.seconds(1)
    }
    t.deepEqual(client.statuses, [200, 500])
    t.is(client.state, 'open')
    t.regex(server.world.logLines.join('\n'), /the body of the response was used before: make a new Response for each request/)
  }
})

test('a response to HEAD does not wait until its stream is cancelled, and the stream learns why', async t => {
  for (const cancel of [() => never, () => Promise.reject(new Error('no')), () => {}]) {
    const reasons: unknown[] = []
    let n = 0
    const server = bareServer(() =>
      n++ > 0
        ? known('next')
        : quiet(reason => {
            reasons.push(reason)
            return cancel()
          }),
    )
    const client = server.connect()
    client.send(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get()}`)
    await server.seconds(1)
    t.deepEqual(client.statuses, [200, 200])
    t.true(client.received.endsWith('next'))
    t.regex(String(reasons[0]), /AbortError: .* no body/)
  }
})

test('a response that cannot be sent has its stream cancelled', async t => {
  const body = quietStream()
  const server = bareServer(() => Object.defineProperty(new Response(body.stream), 'status', { value: 101 }))
  const client = server.connect()
  client.send(get())
  await server.seconds(0)
  t.deepEqual(client.statuses, [500])
  t.true(body.events[0] instanceof RangeError)
})

test('a client that makes the program fail again and again does not fill the log: ten lines a minute, all are counted', async t => {
  const counters = new HttpCounters()
  let streams = false
  const broken = (): Response => new Response(new ReadableStream({ start: controller => controller.error(new Error('in the middle')) }))
  const server = bareServer(
    () => {
      if (streams) return broken()
      throw new Error('no')
    },
    {},
    undefined,
    counters,
  )
  const client = server.connect()
  for (let i = 0; i < 50; i++) client.send(get(`/${i}`))
  streams = true
  for (let i = 0; i < 50; i++) server.connect().send(get(`/${i}`))
  await server.seconds(1)
  t.is(counters.failed, 100)
  t.is(server.log('ERR').length, 10)
  t.is(server.log('ERR')[9].split('\n')[0], 'GET http://a/9 failed: Error: no')
  await server.seconds(61)
  client.send(get('/later'))
  const quiet = server.connect()
  streams = false
  quiet.send(get('/again'))
  await server.seconds(1)
  t.regex(server.log('ERR').slice(10).join('\n'), /^left out since: 90 lines such as the next\nGET .* failed/)
})
