/** Callers that are killed at once: what they leave in xenstore is no reason to keep their ports. */
import type { Channels } from '@xen-ts/drivers/channel'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { QrexecDaemon } from '@xen-ts/rig/dom0'
import test from 'ava'
import { channelsOf } from '../testing.ts'
import { Qrexec } from './agent.ts'
import { exec } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('100 callers that were killed: their ports come back within 10 s, without a warning, and calls go on meanwhile', async t => {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const { channels, xenstore } = channelsOf(dom0)
  const { machine, channels: own } = channelsOf(guest)
  const agent = new Qrexec({ machine, channels: own as Channels })
  agent.service('xen-ts.Echo', ({ stdin, stdout }) => stdin.pipeTo(stdout))
  const running = agent.run()
  const daemon = new QrexecDaemon({
    domid: 5,
    connect: (port, signal) => channels.connect(5, port, { signal }),
    serve: port => channels.serve(5, port, { readSize: 65536, writeSize: 65536 }),
  })
  const serving = daemon.run()
  await xen.run(daemon.connected())
  for (let port = 513; port < 613; port++) {
    for (const name of ['ring-ref', 'event-channel']) {
      const path = `data/vchan/5/${port}/${name}`
      await xen.run(xenstore.write(path, String(port)))
      await xen.run(xenstore.setPermissions(path, { owner: 0, others: 'none', peers: [{ domid: 5, access: 'read' }] }))
    }
    await xen.run(daemon.sendRaw(exec(port, 'user:QUBESRPC xen-ts.Echo dom0\0'), port))
  }
  t.is((await xen.run(daemon.call('xen-ts.Echo', { input: 'meanwhile' }))).stdout.toString(), 'meanwhile')
  await xen.run(daemon.until(() => daemon.portsInUse.length === 100))
  await xen.advance(10_000)
  t.deepEqual(daemon.portsInUse, [])
  // The next call on such a port finds the old keys first.
  t.is((await xen.run(daemon.call('xen-ts.Echo', { input: 'next' }))).stdout.toString(), 'next')
  t.deepEqual(
    guest.log.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  )
  await xen.run(xenstore.remove('data/vchan'))
  daemon.stop()
  agent.close()
  await xen.run(Promise.all([running, serving]))
})
