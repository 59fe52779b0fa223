/** Target `qubes`, connected: shutdown requests and agents are served from the start, whatever the program does; the address is dom0's. */
import { endWith, sleep, startAgents } from '@xen-ts/qubes'
import type { Connect } from '@xen-ts/runtime'
import { connectDomain, domainProviders } from '../domain.ts'
import { QubeNetwork } from './network.ts'
import type { target } from './target.ts'

export { EventSource } from '../event-source.ts'
export { fetch } from '../fetch.ts'
export { WebSocket } from '../web-socket.ts'
export { target } from './target.ts'

/** How long (ms) a program's start waits for its settings: QubesDB is there before the first instruction, or not at all. */
const SETTINGS_TIMEOUT = 5_000

export const connect: Connect<typeof target> = ({ machine, lifecycle, signal, log, kinds }) => {
  const domain = connectDomain({ machine, lifecycle })
  /** Resolves when the program has begun. */
  const begun = Promise.withResolvers<void>()
  const { channels, grants } = domain
  const agents = startAgents({
    machine,
    channels,
    grants,
    started: begun.promise,
    uplink: () => network.works(),
    counters: () => network.counters(),
  })
  const { db, qrexec, gui } = agents
  const network = new QubeNetwork(domain, db)
  if (kinds.has('stack'))
    network.begin(signal)
    // The time zone of Intl, where the program has one (runtime/intl/date.ts).
  ;(globalThis as any)[Symbol.for('xen-ts.timeZone')] = () => db.timezone
  endWith({ lifecycle, agents, timers: machine.timers, started: begun.promise })
  return {
    provide: {
      ...domainProviders(domain, (_needs, _options, { signal }) => network.connect(signal)),
      async qubesdb() {
        await db.synced
        return db
      },
      qrexec(_needs, _options, { lifecycle }) {
        qrexec.onService = () => lifecycle.serves()
        return qrexec
      },
      screen: () => gui,
    },
    async settings() {
      await Promise.race([db.synced, sleep(machine.timers, SETTINGS_TIMEOUT, signal)])
      if (db.name === undefined) {
        log.warn(`QubesDB did not answer within ${SETTINGS_TIMEOUT / 1000} s: going on without the settings of vm-config`)
      }
      return db.config
    },
    started: () => begun.resolve(),
  }
}
