/** What tests of the agents on the simulated Xen share. Not part of any image. */
import { EventChannels, GrantTable, Xenstore } from '@xen-ts/drivers'
import type { SimulatedDomain } from '@xen-ts/drivers/sim'
import { vchanChannels } from '@xen-ts/vchan'

/** The drivers of a domain; make them once. */
export function channelsOf({ machine }: SimulatedDomain) {
  const [events, grants, xenstore] = [new EventChannels(machine), new GrantTable(machine), new Xenstore(machine)]
  return { machine, events, grants, xenstore, channels: vchanChannels({ machine, events, grants, xenstore }) }
}
