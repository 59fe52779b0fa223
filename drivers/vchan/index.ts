/**
 * vchan: byte streams between two domains over shared memory, as libxenvchan makes them, with the path scheme of Qubes.
 *
 *     const channels = vchanChannels({ machine, events, grants, xenstore })
 *     using channel = await channels.connect(0, 111)
 *     await channel.write(request)
 *     const header = await channel.readExactly(88)
 */

import { type EventChannels, type GrantTable, PeerWarnings, type Xenstore } from '@xen-ts/drivers'
import type { Channels } from '@xen-ts/drivers/channel'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { connect } from './client.ts'
import type { Endpoint } from './endpoint.ts'
import { KeyQueue } from './keys.ts'
import { Liveness } from './liveness.ts'
import { serve } from './server.ts'

export type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
export { Cancel, ChannelClosedError } from '@xen-ts/drivers/channel'
export { streams } from './streams.ts'

/** What vchans stand on. */
export interface VchanParts {
  readonly machine: XenMachine
  readonly events: EventChannels
  readonly grants: GrantTable
  readonly xenstore: Xenstore
}

/** The same, with what all vchans of a domain share. */
export interface Vchans extends VchanParts {
  readonly liveness: Liveness
  readonly keyQueue: KeyQueue
  /** Of all channels: a peer may break one after the other. */
  readonly warnings: PeerWarnings
  /** What is connected. */
  readonly open: Set<Endpoint>
  /** Who waits for a server, by what is to be called when the domain was resumed. */
  readonly waiting: Set<{ wake(): void }>
}

export interface VchanService extends Channels {
  /**
   * Closes every channel at once. For the end of the domain: a peer that is not told learns of it by looking, which the programs of Qubes
   * do every 10 s. Never throws.
   */
  close(): void
}

/** The vchan service of this domain. Make one: its channels share watches and timers. */
export function vchanChannels({ machine, events, grants, xenstore }: VchanParts): VchanService {
  const vchans: Vchans = {
    machine,
    events,
    grants,
    xenstore,
    liveness: new Liveness(machine, xenstore),
    keyQueue: new KeyQueue(),
    warnings: new PeerWarnings(machine.log('vchan'), machine.timers),
    open: new Set(),
    waiting: new Set(),
  }
  // For all of them: a channel comes and goes with each call of qrexec.
  machine.suspension.subscribe('connections', {
    resume(cancelled) {
      if (!cancelled) for (const endpoint of [...vchans.open]) endpoint.lose()
      for (const waiting of [...vchans.waiting]) waiting.wake()
    },
  })
  return {
    connect: (domid, port, options) => connect(vchans, domid, port, options),
    serve: (domid, port, options) => serve(vchans, domid, port, options),
    close() {
      for (const channel of [...vchans.open]) channel.close()
    },
  }
}
