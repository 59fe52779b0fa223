import test from 'ava'
import { XenError } from './errno.ts'
import { EventChannels } from './event-channel.ts'
import { SimulatedXen } from './sim/index.ts'
import './sim/leak-check.ts'

const pair = () => {
  const xen = new SimulatedXen()
  return { xen, a: new EventChannels(xen.createDomain(1).machine), b: new EventChannels(xen.createDomain(2).machine) }
}

test('events travel both ways and any number of them may arrive as one', async t => {
  const { xen, a, b } = pair()
  let atA = 0
  let atB = 0
  const server = a.allocUnbound(2, 'test', () => atA++)
  const client = b.bindInterdomain(1, server.port, 'test', () => atB++)
  await xen.settle()
  atB = 0 // binding raises the new port once
  t.true(server.connected && client.connected)
  server.notify()
  server.notify()
  client.notify()
  await xen.settle()
  t.deepEqual([atA, atB], [1, 1])
  server.close()
  client.close()
  xen.assertNoLeaks()
})

test('a channel is not connected before the peer binds, nor after it closed or died', t => {
  const { xen, a, b } = pair()
  const first = a.allocUnbound(2, 'test', () => {})
  t.false(first.connected)
  const peer = b.bindInterdomain(1, first.port, 'test', () => {})
  peer.close()
  t.false(first.connected)
  first.notify() // kicks nobody, harmless
  const second = a.allocUnbound(2, 'test', () => {})
  b.bindInterdomain(1, second.port, 'test', () => {})
  xen.domain(2)?.destroy()
  t.false(second.connected)
  first.close()
  second.close()
  xen.assertNoLeaks()
})

test('a port allocated for another domain, or bound already, cannot be bound', t => {
  const { xen, a, b } = pair()
  const c = new EventChannels(xen.createDomain(3).machine)
  using port = a.allocUnbound(2, 'test', () => {})
  const error = t.throws(() => c.bindInterdomain(1, port.port, 'vchan 1:512', () => {}), { instanceOf: XenError })
  t.is(error.code, 'EINVAL')
  t.true(error.message.startsWith(`vchan 1:512: binding to event channel ${port.port} of domain 1: EINVAL`))
  t.is(t.throws(() => c.bindInterdomain(9, 1, 'test', () => {}), { instanceOf: XenError }).code, 'ESRCH')
  using bound = b.bindInterdomain(1, port.port, 'test', () => {})
  t.throws(() => b.bindInterdomain(1, bound.port, 'test', () => {}), { instanceOf: XenError })
})

test('closing twice, and using a closed channel, does nothing to whoever got the port next', async t => {
  const { xen, a, b } = pair()
  const old = a.allocUnbound(2, 'old', () => t.fail('an event for a closed channel was delivered'))
  const oldPeer = b.bindInterdomain(1, old.port, 'old', () => {})
  oldPeer.notify()
  old.close() // the event is on its way
  const next = a.allocUnbound(2, 'next', () => {})
  t.is(next.port, old.port)
  old.close()
  old.notify()
  t.false(old.connected)
  await xen.settle()
  t.deepEqual(a.list(), [`port ${next.port}: next, domain 2, unbound`])
  t.throws(() => xen.assertNoLeaks(), { message: /domain 1: event channel .* domain 2 is open/ }) // the leak check can fail
  next.close()
  oldPeer.close()
  xen.assertNoLeaks()
})

test('running out of ports is an error with a hint', t => {
  const { xen, a } = pair()
  const all: Disposable[] = []
  const error = t.throws(
    () => {
      for (;;) all.push(a.allocUnbound(2, 'many', () => {}))
    },
    { instanceOf: XenError },
  )
  t.is(error.code, 'ENOSPC')
  t.regex(error.message, /close channels/)
  for (const channel of all) channel[Symbol.dispose]()
  xen.assertNoLeaks()
})
