/** Descriptions of the drivers, for programs that use one without what usually stands on it. They exist wherever there is Xen. */

import { type Device, provided } from '@xen-ts/runtime/device'
import type { EthernetDevice } from '@xen-ts/runtime/machine'
import type { Channels } from './channel.ts'
import type { NetfrontOptions } from './netfront/options.ts'
import type { Xenstore } from './xenstore/xenstore.ts'

/** The store through which domains, toolstack and drivers find each other. */
export const xenstore = (): Device<Omit<Xenstore, 'close'>> => provided('xenstore')

/** Byte streams to other domains. */
export const vchan = (): Device<Channels> => provided('vchan')

/** What a program takes from the network device besides frames of at most 1514 bytes with complete checksums. */
export interface EthernetOptions extends Pick<NetfrontOptions, 'blankChecksums' | 'largePackets' | 'ipv6'> {}

/** Frames of the first network device. It has one user: a program asks for this or for `stack`. */
export const ethernet = (options: EthernetOptions = {}): Device<Omit<EthernetDevice, 'close'>> => provided('ethernet', { options })
