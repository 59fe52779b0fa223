/** What tests of the agents on the simulated Xen share. Not part of any image. */

import { EventChannels, GrantTable, Xenstore } from '@xen-ts/drivers'
import type { Channels } from '@xen-ts/drivers/channel'
import type { SimulatedDomain } from '@xen-ts/drivers/sim'
import { vchanChannels } from '@xen-ts/vchan'

/** The drivers of a domain; make them once. */
export function channelsOf({ machine }: SimulatedDomain) {
  const [events, grants, xenstore] = [new EventChannels(machine), new GrantTable(machine), new Xenstore(machine)]
  return { machine, events, grants, xenstore, channels: vchanChannels({ machine, events, grants, xenstore }) }
}

/** The vchans of a dom0 as Qubes has it: its programs are told nothing of domains that end, and look every 10 s (process_io.c). */
export function pollingChannelsOf({ machine }: SimulatedDomain): Channels {
  const [events, grants, xenstore] = [new EventChannels(machine), new GrantTable(machine), new Xenstore(machine)]
  const watch = xenstore.watch.bind(xenstore)
  xenstore.watch = (path, onChange) => watch(path, path === '@releaseDomain' ? () => {} : onChange)
  return vchanChannels({ machine, events, grants, xenstore })
}
