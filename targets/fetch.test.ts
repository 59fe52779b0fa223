/** The global fetch: the stack is connected once, at the first call; what is not connected is said so. */
import test from 'ava'
import { fetch as make } from './fetch.ts'
import { globalContext } from './testing.ts'

function setUp(use: () => Promise<unknown>) {
  const { context, ...told } = globalContext(use)
  return { fetch: make(context) as typeof globalThis.fetch, ...told }
}

test('the stack is connected at the first call, once, and the client is closed at the end', async t => {
  const hosts: string[] = []
  const connect = async ({ host, port }: { host: string; port: number }) => {
    hosts.push(`${host}:${port}`)
    const answer = new TextEncoder().encode('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    const left = [answer]
    return { read: async () => left.shift(), write: async () => {}, close() {}, abort() {} }
  }
  const { fetch, closers, uses } = setUp(async () => ({ tcp: { connect } }))
  t.is(uses(), 0)
  const texts = await Promise.all(['http://a/', 'http://b:81/'].map(async url => (await fetch(url)).text()))
  t.deepEqual(texts, ['ok', 'ok'])
  t.is(await (await fetch(new Request('http://c/'))).text(), 'ok')
  t.deepEqual(hosts, ['a:80', 'b:81', 'c:80'])
  t.deepEqual([uses(), closers.length], [1, 1])
  closers[0]()
  await t.throwsAsync(fetch('http://a/'), { instanceOf: TypeError, message: /the client was closed/ })
})

test('who does not want to wait for the stack says so', async t => {
  const { fetch, uses } = setUp(() => new Promise(() => {}))
  const reason = new Error('enough')
  await t.throwsAsync(fetch('http://a/', { signal: AbortSignal.abort(reason) }), { is: reason })
  t.is(uses(), 0)
  for (const ask of [
    (signal: AbortSignal) => fetch('http://a/', { signal }),
    (signal: AbortSignal) => fetch(new Request('http://a/', { signal })),
  ]) {
    const controller = new AbortController()
    const asked = t.throwsAsync(ask(controller.signal), { is: reason })
    await Promise.resolve()
    controller.abort(reason)
    await asked
  }
  t.is(uses(), 1)
})

test('a stack that cannot be connected is the cause', async t => {
  const cause = new Error('stack: no address was given for the network device')
  const { fetch, closers } = setUp(() => Promise.reject(cause))
  for (const input of ['http://a/x?y', new Request('http://a/x?y')]) {
    const error = await t.throwsAsync(fetch(input), { instanceOf: TypeError, message: `fetch of http://a/x failed: ${cause.message}` })
    t.is(error!.cause, cause)
  }
  t.is(closers.length, 0)
})
