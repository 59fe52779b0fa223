/** Target `qubes`: a qube. Shutdown requests and agents are served from the start, whatever the program does; the address is dom0's. */

import { type Agents, endWith, startAgents } from '@xen-ts/qubes/agents.ts'
import { sleep } from '@xen-ts/qubes/supervise.ts'
import type { DeviceContext } from '@xen-ts/runtime/device.ts'
import type { Target } from '@xen-ts/runtime/target.ts'
import { connectDomain, connectStack, type Domain, driverKinds, http, type XenStack } from '../xen/domain.ts'
import { followNetwork, networkConfig, uplinkWorks } from './network.ts'

/** How long (ms) a program's start waits for its settings: QubesDB is there before the first instruction, or not at all. */
const SETTINGS_TIMEOUT = 5_000

/** How long (ms) a program's start waits for its netvm: that is there before the qube starts, but may be busy. */
const BACKEND_TIMEOUT = 10_000

/** The one domain this is. */
let domain: Domain
let agents: Agents
let stack: XenStack | undefined
/** Resolves when the program has begun. */
let begun: PromiseWithResolvers<void>

export const target: Target = {
  name: 'qubes',
  before({ machine, lifecycle }) {
    domain = connectDomain({ machine, lifecycle })
    begun = Promise.withResolvers()
    const uplink = async (): Promise<boolean> =>
      stack === undefined || uplinkWorks({ db: agents.db, stack, xenstore: domain.xenstore, timers: machine.timers })
    agents = startAgents({ machine, channels: domain.channels, grants: domain.grants, started: begun.promise, uplink })
    endWith({ lifecycle, agents, timers: machine.timers, started: begun.promise })
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
    ...driverKinds(() => domain),
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

/** The stack with the address dom0 gave, or gives later: a qube without a netvm may get one, and another after that. */
async function qubeStack({ machine, signal }: DeviceContext): Promise<unknown> {
  const { db } = agents
  const log = machine.log('network')
  const config = networkConfig(db, log)
  if (config === undefined)
    log.warn('there is no netvm: nothing can be reached before one is chosen (in dom0: qvm-prefs NAME netvm sys-firewall)')
  stack = await connectStack(domain, config, { signal, patience: config === undefined ? 0 : BACKEND_TIMEOUT })
  const unfollow = followNetwork({ db, stack, timers: machine.timers, log })
  const dispose = stack[Symbol.asyncDispose]
  return Object.assign(stack, {
    [Symbol.asyncDispose]() {
      unfollow()
      return dispose()
    },
  })
}
