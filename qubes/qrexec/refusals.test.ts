/** Calls both ways where something runs out half way, for every place where it can: no port is lost, and the next call goes through. */
import { leaveGrants, refuseEach, type SimulatedDomain, SimulatedXen } from '@xen-ts/drivers/sim'
import { QrexecDaemon } from '@xen-ts/rig/dom0'
import test, { type ExecutionContext } from 'ava'
import { channelsOf } from '../testing.ts'
import { Qrexec } from './agent.ts'
import '@xen-ts/drivers/sim/leak-check'

async function play(
  t: ExecutionContext,
  refused: string,
  arm: (guest: SimulatedDomain, drivers: ReturnType<typeof channelsOf>) => void,
  relieve: () => void,
): Promise<void> {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const { channels } = channelsOf(dom0)
  const drivers = channelsOf(guest)
  const agent = new Qrexec({ machine: drivers.machine, channels: drivers.channels })
  agent.service('xen-ts.Echo', ({ stdin, stdout }) => stdin.pipeTo(stdout))
  const daemon = new QrexecDaemon({
    domid: 5,
    connect: (port, signal) => channels.connect(5, port, { signal }),
    serve: port => channels.serve(5, port, { readSize: 65536, writeSize: 65536 }),
    policy: () => input => ({ stdout: input }),
  })
  daemon.run().catch(error => t.fail(String(error)))
  arm(guest, drivers)
  const running = agent.run()
  await xen.advance(3000)
  const incoming = daemon.call('xen-ts.Echo', { input: 'in' }).catch(String)
  const outgoing = agent.call('dom0', 'my.Echo', 'out')
  const outcome = outgoing.text().catch(String)
  await xen.advance(20_000)
  relieve()
  await xen.advance(1000)
  outgoing.close()
  t.regex(String(await xen.run(outcome)), /^(out|\w*Error: .*)$/, refused)
  // A caller that was not served is gone: dom0's own client looks, and goes.
  if (daemon.portsInUse.length > 0) daemon.disconnect()
  await xen.advance(20_000)
  void incoming
  t.is((await xen.run(daemon.call('xen-ts.Echo', { input: 'again' }))).stdout.toString(), 'again', refused)
  t.is(await xen.run(agent.call('dom0', 'my.Echo', 'again').text()), 'again', refused)
  await xen.run(daemon.until(() => daemon.portsInUse.length === 0))
  daemon.stop()
  agent.close()
  await xen.run(running)
  dom0.destroy()
  await xen.advance(20_000)
  xen.assertNoLeaks()
}

for (const what of ['pages', 'ports', 'mappings', 'store'] as const) {
  test(`the n-th of ${what} is refused, for every n`, async t => {
    const count = await refuseEach(what, ({ arm, relieve, name }) => play(t, name, arm, relieve))
    t.true(count >= (what === 'store' ? 10 : 3), `${count}`)
  })
}

test('with n grants left, for every n', async t => {
  for (let left = 0; left <= 70; left += 3) {
    let relieve = (): void => {}
    await play(
      t,
      `${left} grants left`,
      (guest, { grants }) => {
        relieve = leaveGrants(guest, grants, left)
      },
      () => relieve(),
    )
  }
})
