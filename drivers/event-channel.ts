/**
 * Event channels: Xen's interrupts between domains (xen/include/public/event_channel.h). An event carries no data and any
 * number of notifications may arrive as one, so a handler always looks at the shared memory the channel belongs to.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { dispose } from './dispose.ts'
import { errnoName, XenError } from './errno.ts'

const STATUS_INTERDOMAIN = 2
const statusNames = ['closed', 'unbound', 'interdomain', 'pirq', 'virq', 'ipi']

/** One local port. Whoever opened it owns it and must close it. */
export class EventChannel implements Disposable {
  readonly port: number
  /** The domain at the other end. */
  readonly remote: number
  /** Who opened it, for listings: `vchan 0:512`. */
  readonly owner: string
  readonly #table: EventChannels
  #open = true

  /** @internal use the methods of EventChannels */
  constructor(table: EventChannels, port: number, remote: number, owner: string) {
    this.#table = table
    this.port = port
    this.remote = remote
    this.owner = owner
  }

  /** Kicks the other end. Kicking a peer that has gone, or a closed channel, does nothing: its owner learns that from `connected`. */
  notify(): void {
    if (this.#open) this.#table.machine.abi.evtchnSend(this.port)
  }

  /** Whether another domain holds the other end now; false for a port nobody bound yet and after the peer closed or died. */
  get connected(): boolean {
    return this.#open && this.#table.machine.abi.evtchnStatus(this.port) === STATUS_INTERDOMAIN
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#table.release(this)
  }

  /** @internal The port is gone, and its number perhaps somebody else's. */
  lose(): void {
    this.#open = false
  }

  [dispose](): void {
    this.close()
  }
}

/** All event channels of this domain. */
export class EventChannels {
  readonly machine: XenMachine
  readonly #open = new Map<number, EventChannel>()

  constructor(machine: XenMachine) {
    this.machine = machine
    machine.suspension.subscribe('ports', {
      resume: cancelled => {
        if (!cancelled) this.#lose()
      },
    })
  }

  /**
   * A new port that only domain `remote` may bind to. `onEvent` runs once for any number of notifications.
   * @throws XenError when Xen refuses, for example because all ports are in use (ENOSPC)
   */
  allocUnbound(remote: number, owner: string, onEvent: () => void): EventChannel {
    return this.#add(
      this.machine.abi.evtchnAllocUnbound(remote),
      remote,
      owner,
      onEvent,
      `allocating an event channel for domain ${remote}`,
    )
  }

  /**
   * Binds a new local port to port `remotePort`, which domain `remote` allocated for us.
   * @throws XenError EINVAL when that port is not meant for us or is gone, ESRCH when the domain is gone
   */
  bindInterdomain(remote: number, remotePort: number, owner: string, onEvent: () => void): EventChannel {
    const result = this.machine.abi.evtchnBindInterdomain(remote, remotePort)
    return this.#add(result, remote, owner, onEvent, `binding to event channel ${remotePort} of domain ${remote}`)
  }

  #add(result: number, remote: number, owner: string, onEvent: () => void, what: string): EventChannel {
    if (result < 0) throw new XenError(`${owner}: ${what}`, errnoName(result), hint(errnoName(result)))
    const channel = new EventChannel(this, result, remote, owner)
    this.#open.set(result, channel)
    this.machine.ports.on(result, onEvent)
    return channel
  }

  /** @internal called by EventChannel.close */
  release(channel: EventChannel): void {
    this.#open.delete(channel.port)
    this.machine.ports.off(channel.port)
    this.machine.abi.evtchnClose(channel.port)
  }

  /** A new world has none of our ports: they are closed, without a call to Xen. */
  #lose(): void {
    for (const channel of this.#open.values()) {
      channel.lose()
      this.machine.ports.off(channel.port)
    }
    this.#open.clear()
  }

  /** One line an open channel, for debugging. */
  list(): string[] {
    return [...this.#open.values()].map(({ port, remote, owner }) => {
      const status = this.machine.abi.evtchnStatus(port)
      return `port ${port}: ${owner}, domain ${remote}, ${statusNames[status] ?? errnoName(status)}`
    })
  }
}

const hint = (code: string): string =>
  code === 'ENOSPC'
    ? 'All ports of this domain are in use: close channels that are no longer needed.'
    : code === 'ESRCH'
      ? 'That domain does not exist any more.'
      : 'The other end is gone or was made for another domain: begin again with fresh keys from xenstore.'
