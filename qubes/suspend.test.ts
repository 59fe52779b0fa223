/** A qube over a sleep of the host, and over a save and a restore: the agents carry on, and nothing is left over. */

import { restore, SimulatedXen } from '@xen-ts/drivers/sim'
import { MiniQubes } from '@xen-ts/rig/dom0'
import test from 'ava'
import { startAgents } from './agents.ts'
import { channelsOf } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

const setUp = (seed?: number) => {
  const xen = new SimulatedXen({ seed })
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const { channels } = channelsOf(dom0)
  /** The daemons that dom0 starts for a qube. */
  const daemons = async (name: string): Promise<MiniQubes> => {
    const qubes = new MiniQubes({ domid: guest.domid, channels, qube: { name } })
    qubes.failed.catch(() => {}) // they die with the domain
    qubes.start()
    await xen.settle()
    qubes.connect()
    return qubes
  }
  const drivers = channelsOf(guest)
  const { machine } = drivers
  const agents = startAgents({ machine, channels: drivers.channels, grants: drivers.grants })
  agents.qrexec.service('xen-ts.Echo', async ({ stdin, stdout }) => {
    await stdin.pipeTo(stdout)
  })
  const named = (name: string): Promise<void> =>
    new Promise(resolve => {
      if (agents.db.name === name) return resolve()
      const end = agents.db.watch('/name', ({ value }) => {
        if (value !== name) return
        end()
        resolve()
      })
    })
  const finish = async (): Promise<void> => {
    await xen.run(agents.close())
    await xen.advance(30_000)
    xen.assertNoLeaks()
  }
  return { xen, guest, daemons, agents, named, finish }
}

test('a sleep of the host: calls that were under way go on, and no connection is made anew', async t => {
  const { xen, guest, daemons, agents, finish } = setUp()
  const qubes = await daemons('one')
  await xen.run(agents.db.synced)
  const input = Buffer.alloc(300_000, 'asleep')
  const calls = Array.from({ length: 5 }, () => qubes.call('xen-ts.Echo', { input }))
  for (let round = 0; round < 5; round++) {
    t.is(await xen.run(guest.machine.suspension.suspend()), 'cancelled')
    await xen.settle()
  }
  t.true((await xen.run(Promise.all(calls))).every(({ code, stdout }) => code === 0 && stdout.equals(input)))
  t.is(guest.log.filter(({ text }) => /connected/.test(text)).length, 3) // QubesDB, qrexec, GUI, once each
  await xen.run(qubes.qrexec.idle())
  qubes.stop()
  await finish()
})

for (const seed of [undefined, 1, 2]) {
  test(`restored three times: the agents find the daemons of the new domain, whatever was under way${seed === undefined ? '' : `; random order ${seed}`}`, async t => {
    const { xen, guest, daemons, agents, named, finish } = setUp(seed)
    let qubes = await daemons('q0')
    await xen.run(named('q0'))
    for (let round = 1; round <= 3; round++) {
      t.is((await xen.run(qubes.call('xen-ts.Echo', { input: 'before' }))).stdout.toString(), 'before')
      // Calls both ways in the middle.
      const lost = [qubes.call('xen-ts.Echo', { input: Buffer.alloc(500_000) }), agents.qrexec.call('@default', 'qubes.Any').text()]
      for (const call of lost)
        call.then(
          () => {},
          () => {},
        )
      guest.onSuspend = () => restore(guest, 5 + round)
      t.is(await xen.run(guest.machine.suspension.suspend()), 'resumed')
      qubes.stop()
      qubes = await daemons(`q${round}`)
      await xen.run(named(`q${round}`))
      await xen.advance(20_000)
      t.is((await xen.run(qubes.call('xen-ts.Echo', { input: 'after' }))).stdout.toString(), 'after')
      t.is((await xen.run(qubes.gui!.requestClipboard())).length, 0)
    }
    await xen.run(qubes.qrexec.idle())
    qubes.stop()
    await finish()
    t.deepEqual(
      guest.log.filter(({ level }) => level === 'error'),
      [],
    )
  })
}
