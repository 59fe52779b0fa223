/** vchans where something runs out half way: an error that says so, nothing left over, and the next attempt works. */
import { leaveGrants, type Resource, refuseEach } from '@xen-ts/drivers/sim'
import test, { type ExecutionContext } from 'ava'
import { end, equal, pattern, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

type Set = ReturnType<typeof setUp>
const sizes = { readSize: 65536, writeSize: 8192 }

/** Tries to connect, perhaps in vain; then both ends connect, and bytes go through. */
async function tryTwice(t: ExecutionContext, { xen, server, client }: Set, refused: string, relieve: () => void): Promise<void> {
  const abort = new AbortController()
  const { signal } = abort
  const attempts = [server.channels.serve(2, 512, { ...sizes, signal }), client.channels.connect(1, 512, { signal, deadServer: 5000 })]
  const outcomes = Promise.allSettled(attempts)
  await xen.advance(20_000)
  abort.abort(new Error('enough'))
  for (const outcome of await xen.run(outcomes)) {
    if (outcome.status === 'fulfilled') outcome.value.close()
    else t.regex(String(outcome.reason), /XenError|XenstoreError|ChannelClosedError|enough/, refused)
  }
  relieve()
  await xen.advance(3000)
  const [a, b] = await xen.run(Promise.all([server.channels.serve(2, 512, sizes), client.channels.connect(1, 512)]))
  await xen.run(a.write(pattern(1000)))
  t.true(equal(await xen.run(b.readExactly(1000)), pattern(1000)), refused)
  await end(xen, a, b)
}

for (const side of ['server', 'client'] as const) {
  for (const [what, least] of [
    ['pages', 3],
    ['ports', 1],
    ['mappings', side === 'client' ? 3 : 0],
    ['store', side === 'client' ? 1 : 7],
  ] satisfies [Resource, number][]) {
    test(`${side}: the n-th of ${what} is refused, for every n`, async t => {
      const count = await refuseEach(what, async ({ arm, relieve, name }) => {
        const set = setUp()
        await set.xen.settle()
        arm(set[side].domain)
        await tryTwice(t, set, name, relieve)
      })
      t.true(count >= least, `${count}`)
    })
  }
}

test('server: with n grants left, for every n', async t => {
  for (let left = 0; left <= 19; left++) {
    const set = setUp()
    const relieve = leaveGrants(set.server.domain, set.server.grants, left)
    await tryTwice(t, set, `${left} grants left`, relieve)
  }
})

test('client: what this domain lacks is not taken for a dead server', async t => {
  for (const what of ['pages', 'ports', 'mappings'] satisfies Resource[]) {
    const set = setUp()
    const serving = set.server.channels.serve(2, 512, sizes)
    await set.xen.settle()
    set.client.domain.refuses = resource => resource === what
    await t.throwsAsync(set.xen.run(set.client.channels.connect(1, 512)), { name: 'XenError', message: /ENOMEM|ENOSPC|no_space/ }, what)
    set.client.domain.refuses = () => false
    const b = await set.xen.run(set.client.channels.connect(1, 512))
    await end(set.xen, b, await set.xen.run(serving))
  }
})
