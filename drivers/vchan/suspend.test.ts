import { restore, type SimulatedDomain, type SimulatedXen } from '@xen-ts/drivers/sim'
import test from 'ava'
import { ChannelClosedError } from './index.ts'
import { end, equal, open, pattern, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

const suspend = (xen: SimulatedXen, { machine }: SimulatedDomain) => xen.run(machine.suspension.suspend())
const warnings = ({ log }: SimulatedDomain): string[] =>
  log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text)

for (const [readSize, writeSize] of [
  [1024, 2048],
  [4096, 4096],
  [65536, 65536],
]) {
  for (const who of ['server', 'client'] as const) {
    test(`the ${who} is restored: its end is lost, the other sees a peer that died; rings of ${readSize} and ${writeSize} bytes`, async t => {
      const set = setUp()
      const { xen } = set
      const [atServer, atClient] = await open(set, readSize, writeSize)
      const [own, other] = who === 'server' ? [atServer, atClient] : [atClient, atServer]
      // Bytes both ways that nobody has read, and readers and writers that wait.
      await xen.run(Promise.all([atServer.write(pattern(100)), atClient.write(pattern(100, 7))]))
      const outcome = (work: Promise<unknown>): Promise<unknown> =>
        work.then(
          value => value,
          (error: Error) => error,
        )
      const waiting = [own.write(pattern(200_000)), own.readExactly(1000), own.read()].map(outcome)
      const domain = set[who].domain
      domain.onSuspend = () => restore(domain, 7)
      t.is(await suspend(xen, domain), 'resumed')
      for (const error of await xen.run(Promise.all(waiting)))
        t.true(error instanceof ChannelClosedError && /was saved and restored/.test(error.message), String(error))
      await xen.run(own.closed)
      await t.throwsAsync(own.write(pattern(1)), { instanceOf: ChannelClosedError })
      await t.throwsAsync(own.read(), { instanceOf: ChannelClosedError })
      // The old domain has died; what it sent before can still be read.
      await xen.run(other.closed)
      t.true(equal(await xen.run(other.readExactly(100)), pattern(100, who === 'server' ? 0 : 7)))
      await t.throwsAsync(xen.run(other.write(pattern(1))), { instanceOf: ChannelClosedError })
      own.close()
      await end(xen, other)
      t.deepEqual([set.server.grants.list(), set.client.grants.list(), warnings(domain)], [[], [], []])
    })

    test(`the ${who} goes on after a cancelled suspend: no byte is lost; rings of ${readSize} and ${writeSize} bytes`, async t => {
      const set = setUp()
      const { xen } = set
      const [a, b] = await open(set, readSize, writeSize)
      const up = pattern(200_001)
      const down = pattern(150_002, 3)
      const work = Promise.all([b.write(up), a.write(down), a.readExactly(up.length), b.readExactly(down.length)])
      for (let i = 0; i < 10; i++) {
        t.is(await suspend(xen, set[who].domain), 'cancelled')
        xen.step(xen.now)
      }
      const [, , atServer, atClient] = await xen.run(work)
      t.true(equal(atServer, up))
      t.true(equal(atClient, down))
      await end(xen, a, b)
    })
  }
}

test('a server that waits publishes again in each new world, and the old keys mean nothing', async t => {
  const set = setUp()
  const { xen, server, client } = set
  const serving = server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096 })
  await xen.settle()
  for (const domid of [7, 8, 9]) {
    server.domain.onSuspend = () => restore(server.domain, domid)
    t.is(await suspend(xen, server.domain), 'resumed')
    await xen.settle()
    t.is(xen.store.read(`/local/domain/${domid}/data/vchan/2/512/event-channel`) === undefined, false)
  }
  const [a, b] = await xen.run(Promise.all([serving, client.channels.connect(9, 512)]))
  await xen.run(a.write(pattern(100)))
  t.true(equal(await xen.run(b.readExactly(100)), pattern(100)))
  await end(xen, a, b)
  t.deepEqual(warnings(server.domain), [])
})

test('a client that waits looks in each new world for what the server has published for it there', async t => {
  const { xen, server, client } = setUp()
  const connecting = client.channels.connect(1, 512)
  await xen.settle()
  client.domain.onSuspend = () => restore(client.domain, 7)
  t.is(await suspend(xen, client.domain), 'resumed')
  await xen.settle()
  const [a, b] = await xen.run(Promise.all([server.channels.serve(7, 512, { readSize: 4096, writeSize: 4096 }), connecting]))
  await xen.run(b.write(pattern(100)))
  t.true(equal(await xen.run(a.readExactly(100)), pattern(100)))
  await end(xen, a, b)
})

test('a suspend at any step of a connection: either end is lost, or they find each other in the new world; nothing remains', async t => {
  for (const who of ['server', 'client'] as const) {
    let found = 0,
      lost = 0
    for (let steps = 0; steps < 40; steps++) {
      const { xen, server, client } = setUp({ seed: steps + 1 })
      const domain = who === 'server' ? server.domain : client.domain
      domain.onSuspend = () => restore(domain, 7)
      const abort = new AbortController()
      const options = { readSize: 4096, writeSize: 65536, signal: abort.signal }
      const serving = server.channels.serve(2, 512, options)
      const connecting = client.channels.connect(1, 512, options)
      for (const work of [serving, connecting]) work.catch(() => {})
      for (let i = 0; i < steps; i++) {
        await new Promise<void>(resolve => {
          ;(globalThis.setImmediate ?? globalThis.setTimeout)(resolve)
        })
        xen.step(xen.now)
      }
      t.is(await suspend(xen, domain), 'resumed')
      await xen.advance(100)
      // The other end looks for the new domain, as an agent does whose connection was lost.
      const again = who === 'server' ? client.channels.connect(7, 512, options) : server.channels.serve(7, 512, options)
      again.then(
        () => found++,
        () => lost++,
      )
      await xen.advance(100)
      abort.abort()
      const ends = await xen.run(Promise.allSettled([serving, connecting, again]))
      await end(xen, ...ends.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])))
    }
    t.true(found > 5 && lost > 5, `${who}: ${found} ${lost}`)
  }
})
