import test from 'ava'
import { expose } from '../expose.ts'
import * as ownWeb from '../inject.ts'
import { asInNode } from '../testing.ts'
import { messageScenarios } from './messages.cases.ts'

expose({}, ownWeb)

asInNode(test, messageScenarios, ownWeb)

const turns = async (count = 5): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setTimeout(resolve, 1))
}

test('the event of a message is trusted, from nobody, with the ports that came', async t => {
  const { port1, port2 } = new ownWeb.MessageChannel()
  const { port1: sent } = new ownWeb.MessageChannel()
  const arrived = new Promise<any>(resolve => {
    port2.onmessage = resolve
  })
  port1.postMessage(1, { transfer: [sent] })
  const event = await arrived
  t.deepEqual(
    [event.isTrusted, event.origin, event.lastEventId, event.source, event.bubbles, event.cancelable, event.target === port2],
    [true, '', '', null, false, false, true],
  )
  t.true(event.ports[0] instanceof ownWeb.MessagePort)
  t.true(Object.isFrozen(event.ports))
  t.is(event.ports, event.ports)
})

test('a message whose channel is sent with it is lost, and what it carried is moved', async t => {
  const { port1, port2 } = new ownWeb.MessageChannel()
  const buffer = new ArrayBuffer(1)
  port2.onmessage = () => t.fail()
  port1.postMessage(buffer, [buffer, port2])
  t.true(buffer.detached)
  await turns()
})

test('each message is a task: what a promise does comes between two', async t => {
  const { port1, port2 } = new ownWeb.MessageChannel()
  const seen: string[] = []
  port2.onmessage = ({ data }) => {
    seen.push(data)
    void Promise.resolve().then(() => seen.push(`after ${data}`))
  }
  port1.postMessage('1')
  port1.postMessage('2')
  await turns()
  t.deepEqual(seen, ['1', 'after 1', '2', 'after 2'])
})

test('a message that a getter throws out of moves nothing', t => {
  const { port1 } = new ownWeb.MessageChannel()
  const { port1: sent, port2: other } = new ownWeb.MessageChannel()
  const bad = {
    get x() {
      throw new RangeError('of the program')
    },
  }
  t.throws(() => port1.postMessage(bad, [sent]), { instanceOf: RangeError })
  t.notThrows(() => port1.postMessage(1, [sent]))
  t.notThrows(() => other.postMessage(1))
})

test('a listener alone does not start a port; a handler does, and null is none (Node differs)', async t => {
  const { port1, port2 } = new ownWeb.MessageChannel()
  const seen: unknown[] = []
  port2.addEventListener('message', ({ data }) => seen.push(data))
  port1.postMessage(1)
  await turns()
  t.deepEqual(seen, [])
  port2.onmessage = ({ data }) => seen.push(`handler ${data}`)
  await turns()
  t.deepEqual(seen, [1, 'handler 1'])
  port2.onmessage = 7 as never
  t.is(port2.onmessage as unknown, null)
  port1.postMessage(2)
  await turns()
  t.deepEqual(seen, [1, 'handler 1', 2])
})

test('a handler keeps its place, and false from it prevents', t => {
  const channel = new ownWeb.BroadcastChannel('own')
  const seen: string[] = []
  channel.onmessage = () => seen.push('first')
  channel.addEventListener('message', () => seen.push('listener'))
  channel.onmessage = () => {
    seen.push('second')
    return false
  }
  const event = new ownWeb.MessageEvent('message', { cancelable: true })
  t.false(channel.dispatchEvent(event))
  channel.onmessage = null
  channel.onmessage = () => seen.push('last')
  channel.dispatchEvent(new ownWeb.MessageEvent('message'))
  t.deepEqual(seen, ['second', 'listener', 'listener', 'last'])
  channel.close()
})

test('the other port is told of a close', async t => {
  const { port1, port2 } = new ownWeb.MessageChannel()
  const seen: string[] = []
  port2.onclose = ({ type, isTrusted }) => seen.push(`${type} ${isTrusted}`)
  port1.onclose = () => t.fail()
  port1.close()
  await turns()
  t.deepEqual(seen, ['close true'])
})
