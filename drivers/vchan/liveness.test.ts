import test from 'ava'
import { end, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('a client that kicks a waiting server all the time does not make it ask the store all the time', async t => {
  const { xen, server, client } = setUp()
  const controller = new AbortController()
  const serving = server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096, signal: controller.signal })
  await xen.settle()
  const port = client.events.bindInterdomain(1, Number(xen.store.read('/local/domain/1/data/vchan/2/512/event-channel')), 'test', () => {})
  await xen.settle()
  xen.store.requests = 0
  for (let i = 0; i < 200; i++) {
    port.notify()
    await xen.settle()
  }
  t.is(xen.store.requests, 0)
  await xen.advance(25_000) // the look every ten seconds
  t.is(xen.store.requests, 2)
  port.close()
  controller.abort(new Error('enough'))
  await t.throwsAsync(xen.run(serving), { message: 'enough' })
  await end(xen)
})
