/** A network device where something runs out half way: an error that says so, nothing left over, and the next attempt works. */
import test, { type ExecutionContext } from 'ava'
import { leaveGrants, type Resource, refuseEach } from '../sim/index.ts'
import { connectNetfront, type Netfront } from './netfront.ts'
import { collect, end, packet, type Set, setUp, transmit } from './testing.ts'
import '../sim/leak-check.ts'

const options = { sendBuffers: 8, receiveBuffers: 4 }

async function works(t: ExecutionContext, set: Set, device: Netfront, refused: string): Promise<void> {
  const packets = collect(device)
  set.netback.received.length = 0
  t.true(transmit(device, packet(80)), refused)
  set.netback.send(packet(60))
  await set.xen.advance(100)
  t.deepEqual([set.netback.received, packets], [[packet(80)], [packet(60)]], refused)
}

/** The first connection: an error is the caller's, who tries again. */
async function first(t: ExecutionContext, set: Set, refused: string, relieve: () => void): Promise<void> {
  const abort = new AbortController()
  const attempt = connectNetfront(set.drivers, { ...options, signal: abort.signal })
  attempt.catch(() => {})
  await set.xen.advance(20_000)
  abort.abort(new Error('enough'))
  const outcome = await set.xen.run(attempt.catch((error: Error) => error))
  relieve()
  if (outcome instanceof Error) t.regex(String(outcome), /XenError|XenstoreError|no network device|MAC|enough/, refused)
  else await set.xen.run(outcome.close())
  await set.xen.advance(3000)
  set.netback.vanish()
  await set.xen.advance(1000)
  set.netback = set.attach()
  const device = await set.xen.run(connectNetfront(set.drivers, options))
  await set.xen.settle()
  await works(t, set, device, refused)
  await end(set, device)
}

/** A later one: the device finds its way by itself. */
async function later(t: ExecutionContext, set: Set, device: Netfront, refused: string, relieve: () => void): Promise<void> {
  set.netback.vanish()
  await set.xen.advance(1000)
  set.netback = set.attach()
  await set.xen.advance(20_000)
  relieve()
  await set.xen.advance(20_000)
  t.true(device.isUp, refused)
  await works(t, set, device, refused)
  await end(set, device)
}

for (const [what, least] of [
  ['pages', 4],
  ['ports', 1],
  ['store', 6],
] satisfies [Resource, number][]) {
  test(`the n-th of ${what} is refused at the first connection, for every n`, async t => {
    const count = await refuseEach(what, async ({ arm, relieve, name }) => {
      const set = setUp()
      await set.xen.settle()
      arm(set.guest)
      await first(t, set, name, relieve)
    })
    t.true(count >= least, `${count}`)
  })

  test(`the n-th of ${what} is refused when another backend comes, for every n`, async t => {
    const count = await refuseEach(what, async ({ arm, relieve, name }) => {
      const set = setUp()
      const device = await set.xen.run(connectNetfront(set.drivers, options))
      await set.xen.settle()
      arm(set.guest)
      await later(t, set, device, name, relieve)
    })
    t.true(count >= least, `${count}`)
  })
}

test('with n grants left at the first connection and at a later one, for every n', async t => {
  for (let left = 0; left <= 11; left++) {
    const set = setUp()
    await first(t, set, `${left} grants left`, leaveGrants(set.guest, set.drivers.grants, left))
    const other = setUp()
    const device = await other.xen.run(connectNetfront(other.drivers, options))
    await other.xen.settle()
    other.netback.vanish()
    await other.xen.advance(3000)
    await later(t, other, device, `${left} grants left later`, leaveGrants(other.guest, other.drivers.grants, left))
  }
})
