/** dom0's policy asks its user: that keeps other calls for a while only. */
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { type Decision, QrexecDaemon } from '@xen-ts/rig/dom0'
import test from 'ava'
import { channelsOf } from '../testing.ts'
import { Qrexec } from './agent.ts'
import '@xen-ts/drivers/sim/leak-check'

test('30 calls under a policy that thinks: dom0 knows of all of them after 8 s, and when all are allowed at once each comes through', async t => {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const { channels } = channelsOf(dom0)
  const { machine, channels: own } = channelsOf(guest)
  const agent = new Qrexec({ machine, channels: own })
  const asked: string[] = []
  const decided = Promise.withResolvers<Decision>()
  const daemon = new QrexecDaemon({
    domid: 5,
    connect: (port, signal) => channels.connect(5, port, { signal }),
    serve: port => channels.serve(5, port, { readSize: 65536, writeSize: 65536 }),
    policy: ({ argument }) => {
      asked.push(argument)
      return decided.promise
    },
  })
  daemon.run().catch(error => t.fail(String(error)))
  const running = agent.run()
  await xen.run(daemon.connected())
  const texts = Array.from({ length: 30 }, (_, n) => agent.call('dom0', `my.Service+${n}`, `${n}`).text())
  await xen.advance(900)
  t.is(asked.length, 4)
  await xen.advance(7_200)
  const all = Array.from({ length: 30 }, (_, n) => `${n}`)
  t.deepEqual(asked, all)
  decided.resolve(input => ({ stdout: input }))
  t.deepEqual(await xen.run(Promise.all(texts)), all)
  await xen.run(daemon.until(() => daemon.portsInUse.length === 0))
  daemon.stop()
  agent.close()
  await xen.run(running)
})
