/** Target `qubes`: a qube. Shutdown requests and agents are served from the start, whatever the program does; the address is dom0's. */
import type { Drivers } from '@xen-ts/drivers'
import type { DeviceContext } from '@xen-ts/runtime/device.ts'
import type { Target } from '@xen-ts/runtime/target.ts'
import { UsageError } from '@xen-ts/runtime/usage-error.ts'
import { connectDomain, connectStack, driverKinds, http } from '@xen-ts/stack/xen-domain.ts'
import { startAgents, type Agents } from './agents.ts'
import { sleep } from './supervise.ts'

/** How long (ms) a program's start waits for its settings: QubesDB is there before the first instruction, or not at all. */
const SETTINGS_TIMEOUT = 5_000

/** The one domain this is. */
let drivers: Drivers
let agents: Agents
/** Resolves when the program has begun. */
let begun: PromiseWithResolvers<void>

export const target: Target = {
  name: 'qubes',
  before({ machine, lifecycle }) {
    drivers = connectDomain({ machine, lifecycle })
    begun = Promise.withResolvers()
    agents = startAgents({ machine, channels: drivers.channels, grants: drivers.grants, started: begun.promise })
    lifecycle.onShutdown('agents', () => agents.close())
  },
  async settings({ machine, signal, log }) {
    const { db } = agents
    await Promise.race([db.synced, sleep(machine.timers, SETTINGS_TIMEOUT, signal)])
    if (db.name === undefined) {
      log.warn(`QubesDB did not answer within ${SETTINGS_TIMEOUT / 1000} s: going on without the settings of vm-config`)
    }
    return db.config
  },
  started: () => begun.resolve(),
  provide: {
    stack: { connect: (_needs, _options, context) => qubeStack(context) },
    http,
    ...driverKinds(() => drivers),
    qubesdb: {
      async connect() {
        await agents.db.synced
        return agents.db
      },
    },
    qrexec: { connect: () => agents.qrexec },
    screen: { connect: () => agents.gui },
  },
}

/** The stack with the address dom0 gave. Without a netvm there is none: a program that needs one says so and ends. */
async function qubeStack({ signal }: DeviceContext): Promise<unknown> {
  const { db } = agents
  await db.synced
  if (!db.hasNetwork) {
    throw new UsageError('stack: this qube has no netvm (QubesDB has no /qubes-ip): choose one with qvm-prefs NAME netvm, and start it again')
  }
  const { address, netmask, gateway, dns } = db.network
  return connectStack(drivers, { address, netmask, gateway, dns }, signal)
}
