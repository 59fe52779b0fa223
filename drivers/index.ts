/**
 * Xen in TypeScript. A program asks for `xenstore()`, `vchan()` or `ethernet()` among its devices; a target needs `connectDrivers` and
 * `connectNetfront`; the rest is for writing further drivers. The simulated Xen for tests is @xen-ts/drivers/sim.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { EventChannels } from './event-channel.ts'
import { GrantTable } from './grant-table.ts'
import { Xenstore } from './xenstore/xenstore.ts'

export type { EthernetDevice, Frame } from '@xen-ts/runtime/machine'
export type { ByteChannel, Channels } from './channel.ts'
export { ChannelClosedError } from './channel.ts'
export type { ShutdownRequest } from './control.ts'
export { serveControl } from './control.ts'
export { ethernet, vchan, xenstore } from './devices.ts'
export { dispose } from './dispose.ts'
export { XenError } from './errno.ts'
export { EventChannel, EventChannels } from './event-channel.ts'
export { GrantTable, PAGE_SIZE } from './grant-table.ts'
export { connectNetfront, Netfront } from './netfront/netfront.ts'
export type { NetfrontOptions } from './netfront/options.ts'
export { parseDecimal } from './parse.ts'
export { PeerWarnings } from './peer-warnings.ts'
export { ForeignPages, pagesFor, SharedPages } from './shared-pages.ts'
export { Wakeup } from './wakeup.ts'
export { isCode, XenstoreError } from './xenstore/error.ts'
export type { Access, Permissions } from './xenstore/view.ts'
export { XenstoreView } from './xenstore/view.ts'
export type { Watch } from './xenstore/watches.ts'
export { Xenstore } from './xenstore/xenstore.ts'

/** What every Xen domain has. Make one: there is one xenstore ring and one grant table. */
export interface Drivers {
  readonly machine: XenMachine
  readonly events: EventChannels
  readonly grants: GrantTable
  readonly xenstore: Xenstore
}

/** @throws Error when the domain was built without xenstore */
export function connectDrivers(machine: XenMachine): Drivers {
  return { machine, events: new EventChannels(machine), grants: new GrantTable(machine), xenstore: new Xenstore(machine) }
}

/** What the drivers hold, one line each, for debugging. */
export const listResources = ({ events, grants, xenstore }: Drivers): string[] => [...events.list(), ...grants.list(), ...xenstore.list()]
