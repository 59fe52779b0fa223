/**
 * vchan: byte streams between two domains over shared memory, as libxenvchan makes them, with the path scheme of Qubes.
 *
 *     const channels = vchanChannels({ machine, events, grants, xenstore })
 *     using channel = await channels.connect(0, 111)
 *     await channel.write(request)
 *     const header = await channel.readExactly(88)
 */

import { type EventChannels, type GrantTable, PeerWarnings, type Xenstore } from '@xen-ts/drivers'
import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { connect } from './client.ts'
import { KeyQueue } from './keys.ts'
import { Liveness } from './liveness.ts'
import { serve } from './server.ts'

export type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
export { ChannelClosedError } from '@xen-ts/drivers/channel'
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
  readonly open: Set<Pick<ByteChannel, 'close'>>
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
  }
  return {
    connect: (domid, port, options) => connect(vchans, domid, port, options),
    serve: (domid, port, options) => serve(vchans, domid, port, options),
    close() {
      for (const channel of [...vchans.open]) channel.close()
    },
  }
}
