/** The global WebSocket: the stack is connected once, with the first; at the end of the program servers are told. */
import test from 'ava'
import { globalContext } from './testing.ts'
import { WebSocket as make } from './web-socket.ts'

function setUp(use: () => Promise<unknown>) {
  const { context, ...told } = globalContext(use)
  return { WebSocket: make(context) as typeof globalThis.WebSocket, ...told }
}

const closed = (socket: WebSocket) =>
  new Promise<string>(resolve => {
    let message = ''
    socket.onerror = event => {
      message = (event as unknown as Error).message
    }
    socket.onclose = ({ code }) => resolve(`${code} ${message}`)
  })

test('it connects by the stack, when the first one is made', async t => {
  const asked: string[] = []
  const connect = async ({ host, port }: { host: string; port: number }) => {
    asked.push(`${host}:${port}`)
    throw new Error('refused')
  }
  const { WebSocket, closers, uses } = setUp(async () => ({ tcp: { connect } }))
  t.is(uses(), 0)
  t.is(await closed(new WebSocket('ws://a/x')), '1006 refused')
  t.is(await closed(new WebSocket('ws://[::1]:81/x')), '1006 refused')
  t.deepEqual([asked, closers.length], [['a:80', '::1:81'], 1])
})

test('who waits for the stack at the end of the program waits no more', async t => {
  const { WebSocket, closers } = setUp(() => new Promise(() => {}))
  const socket = new WebSocket('ws://a/')
  const over = closed(socket)
  t.is(socket.readyState, 0)
  closers[0]()
  t.is(await over, '1006 the program is to end')
})

test('a stack that cannot be connected is the reason', async t => {
  const { WebSocket } = setUp(() => Promise.reject(new Error('stack: no address was given')))
  t.is(await closed(new WebSocket('ws://a/')), '1006 stack: no address was given')
})
