/** What every qube does beside its program: QubesDB, qrexec, the GUI agent and the clock, each on its own. */

import type { GrantTable } from '@xen-ts/drivers'
import type { Channels } from '@xen-ts/drivers/channel'
import type { Lifecycle } from '@xen-ts/runtime'
import type { Timers, XenMachine } from '@xen-ts/runtime/machine'
import { Gui } from './gui/agent.ts'
import { Qrexec } from './qrexec/agent.ts'
import { QubesDB } from './qubesdb/client.ts'
import { sleep } from './supervise.ts'
import { Text } from './text.ts'
import { Clock } from './time.ts'

/** How long (ms) services have from the shutdown request on; `start` has as long. */
const GRACE = 5_000
/** What a clean-up of the lifecycle waits at a time (ms). */
const PART = 800
/** How long (ms) the GUI agent waits for QubesDB to say where the GUI daemon is, before it takes dom0. */
const GUI_DOMAIN_TIMEOUT = 5_000
const GUI_DOMAIN_KEY = '/qubes-gui-domain-xid'

export interface Agents {
  readonly db: QubesDB
  readonly qrexec: Qrexec
  readonly gui: Gui
  /** This qube ends: services are told, and no further call of one is served. The rest goes on until `close`. */
  end(): void
  /** Ends all of them: every channel is closed when the promise resolves. Never rejects. */
  close(): Promise<void>
}

export interface AgentsOptions {
  readonly machine: XenMachine
  readonly channels: Channels
  /** For the pixels of windows; without it there are none. */
  readonly grants?: GrantTable
  /** Resolves with true when the network works, or there is none, with false when it does not: for qubes.WaitForNetworkUplink. */
  readonly uplink?: () => Promise<boolean>
  /** For xen-ts.Counters: what the network stack has counted; undefined without one. */
  readonly counters?: () => string | undefined
  /** Resolves when the program has offered its services; until then calls wait for them. Default: it has. */
  readonly started?: Promise<void>
}

/**
 * Starts the agents and returns at once: none of them may ever find its daemon, and the program runs all the same. What goes wrong
 * in one is a line in the log, and a new attempt.
 */
export function startAgents({ machine, channels, grants, uplink, counters, started }: AgentsOptions): Agents {
  const { timers } = machine
  const db = new QubesDB({ machine, channels })
  const qrexec = new Qrexec({ machine, channels, started, hooks: { resumed: () => clock.resumed(), uplink, counters } })
  const clock = new Clock({ machine, qrexec })
  const closing = new AbortController()
  const gui = new Gui({
    machine,
    channels,
    grants,
    async domain() {
      await Promise.race([db.synced, sleep(timers, GUI_DOMAIN_TIMEOUT, closing.signal)])
      return guiDomain(db)
    },
  })
  const text = new Text(machine.abi)
  let domain = 0
  void db.synced.then(() => {
    domain = guiDomain(db)
  })
  // 64 bytes of dom0's randomness, in base64: as good mixed in as text. dom0 writes it again when the netvm is changed.
  db.watch('/qubes-random-seed', ({ value = '' }) => machine.abi.randomMix(text.encode(value)))
  db.watch(GUI_DOMAIN_KEY, () => {
    if (guiDomain(db) !== domain) gui.reconnect()
    domain = guiDomain(db)
  })
  const awake = machine.suspension.onResume(() => clock.resumed())
  const running = Promise.all([db.run(), qrexec.run(), gui.run(), clock.run()])
  return {
    db,
    qrexec,
    gui,
    end: () => qrexec.end(),
    async close() {
      closing.abort()
      awake()
      clock.close()
      qrexec.close()
      gui.close()
      db.close()
      await running
    },
  }
}

export interface Ending {
  readonly lifecycle: Pick<Lifecycle, 'signal' | 'onShutdown'>
  readonly agents: Agents
  readonly timers: Timers
  /** Resolves when the program has begun: what it has been given by then outlives its services. */
  readonly started: Promise<void>
}

/**
 * Ends the agents with the domain: services have the grace that `start` has, counted from the same moment, then every caller is told an
 * exit code and every channel is closed.
 */
export function endWith({ lifecycle, agents, timers, started }: Ending): void {
  let deadline = Infinity
  const end = (): void => {
    deadline = Math.min(deadline, timers.now() + GRACE)
    agents.end()
  }
  /** One clean-up has a second: as many of them as it takes. */
  const wait = async (): Promise<void> => {
    end()
    const left = deadline - timers.now()
    const enough = new AbortController()
    const drained = agents.qrexec.drained().then(() => true)
    const isDrained = await Promise.race([drained, sleep(timers, Math.min(left, PART), enough.signal)])
    enough.abort()
    if (isDrained !== true && left > PART) lifecycle.onShutdown('services', wait)
  }
  lifecycle.signal.addEventListener('abort', end)
  lifecycle.onShutdown('agents', () => agents.close())
  void started.then(() => lifecycle.onShutdown('services', wait))
}

/** dom0 unless QubesDB names another domain; the key is there only while that domain runs. */
function guiDomain(db: QubesDB): number {
  const value = db.get(GUI_DOMAIN_KEY) ?? ''
  return /^[0-9]{1,5}$/.test(value) && Number(value) < 0x7ff0 ? Number(value) : 0
}
