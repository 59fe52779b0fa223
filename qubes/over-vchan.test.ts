/** The agents over real vchans on the simulated Xen: sizes, order of events, and that everything is given back. */

import { EventChannels, GrantTable, Xenstore } from '@xen-ts/drivers'
import { type SimulatedDomain, SimulatedXen } from '@xen-ts/drivers/sim'
import { MiniQubes } from '@xen-ts/rig/dom0'
import { vchanChannels } from '@xen-ts/vchan'
import test from 'ava'
import { startAgents } from './agents.ts'
import '@xen-ts/drivers/sim/leak-check'

const channelsOf = ({ machine }: SimulatedDomain) =>
  vchanChannels({ machine, events: new EventChannels(machine), grants: new GrantTable(machine), xenstore: new Xenstore(machine) })

for (const seed of [undefined, 1, 2, 3]) {
  test(`a qube from boot to shutdown${seed === undefined ? '' : `, events in random order ${seed}`}`, async t => {
    const xen = new SimulatedXen({ seed })
    const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
    const qubes = new MiniQubes({ domid: 5, channels: channelsOf(dom0), policy: () => input => `dom0 got ${input}` })
    qubes.start()
    await xen.settle()
    const agents = startAgents({ machine: guest.machine, channels: channelsOf(guest) })
    agents.qrexec.service('xen-ts.Echo', async ({ stdin, stdout }) => {
      await stdin.pipeTo(stdout)
    })
    qubes.connect()
    await xen.run(agents.db.synced)
    t.is(agents.db.network.address, '10.137.0.16')
    const input = Buffer.alloc(300_000, 'vchan')
    const echoes = await xen.run(Promise.all(Array.from({ length: 5 }, () => qubes.call('xen-ts.Echo', { input }))))
    t.true(echoes.every(({ code, stdout }) => code === 0 && stdout.equals(input)))
    t.is(await xen.run(agents.qrexec.call('@default', 'qubes.GetDate', 'hello').text()), 'dom0 got hello')
    t.is((await xen.run(qubes.call('qubes.VMShell', { input: 'ls\n' }))).code, 126)
    await xen.run(agents.db.write('/guest', 'wrote'))
    t.is(qubes.db.keys.get('/guest'), 'wrote')
    t.is((await xen.run(qubes.gui!.requestClipboard())).length, 0)
    await xen.run(qubes.qrexec.idle())
    qubes.stop()
    await xen.run(agents.close())
    await xen.advance(30_000)
    xen.assertNoLeaks()
  })
}

test('dom0 restarts its daemons twice: the agents carry on', async t => {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const channels = channelsOf(dom0)
  const agents = startAgents({ machine: guest.machine, channels: channelsOf(guest) })
  agents.qrexec.service('xen-ts.Echo', async ({ stdin, stdout }) => {
    await stdin.pipeTo(stdout)
  })
  for (const name of ['one', 'two', 'three']) {
    const qubes = new MiniQubes({ domid: 5, channels, qube: { name } })
    qubes.start()
    qubes.connect()
    const renamed = new Promise<void>(resolve => {
      const end = agents.db.watch('/name', ({ value }) => {
        if (value === name) {
          end()
          resolve()
        }
      })
    })
    await xen.run(renamed)
    t.is((await xen.run(qubes.call('xen-ts.Echo', { input: name }))).stdout.toString(), name)
    await xen.run(qubes.gui!.until(() => qubes.gui!.minor === 7))
    qubes.stop()
    await xen.advance(1000)
  }
  await xen.run(agents.close())
  await xen.advance(30_000)
  xen.assertNoLeaks()
})
