/** Agents are closed at any moment of connecting: with a daemon that comes just now, or is silent afterwards. */

import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import { type TestMachine, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test from 'ava'
import { Gui } from './gui/agent.ts'
import { Qrexec } from './qrexec/agent.ts'
import { QubesDB } from './qubesdb/client.ts'

interface Agent {
  run(): Promise<void>
  close(): void
}

const DOMID = 5

/** The agents, and how their daemons, which never say anything, come to them. */
const agents: Record<
  string,
  [make: (machine: TestMachine, channels: Channels) => Agent, daemon: (dom0: Channels) => Promise<ByteChannel>]
> = {
  QubesDB: [(machine, channels) => new QubesDB({ machine, channels }), dom0 => dom0.serve(DOMID, 111, { readSize: 4096, writeSize: 4096 })],
  qrexec: [(machine, channels) => new Qrexec({ machine, channels }), dom0 => dom0.connect(DOMID, 512)],
  GUI: [(machine, channels) => new Gui({ machine, channels, domain: async () => 0 }), dom0 => dom0.connect(DOMID, 6000)],
}

for (const [name, [make, daemon]] of Object.entries(agents)) {
  test(`${name}: closed at any moment of connecting, it ends, and its channel with it`, async t => {
    for (let steps = 0; steps < 20; steps++) {
      const hub = new Hub()
      const agent = make(testMachine(), hub.channels(DOMID))
      const running = agent.run()
      void daemon(hub.channels(0))
      for (let step = 0; step < steps; step++) await Promise.resolve()
      agent.close()
      await running
      // What is still offered is the daemon's own.
      t.true(
        hub.open.every(channel => channel.startsWith('0>')),
        `closed after ${steps} steps: ${hub.open.join()}`,
      )
    }
  })
}
