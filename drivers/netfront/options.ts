/** What netfront stands on, and what its user can choose. */
import type { XenMachine } from '@xen-ts/runtime/machine'
import type { EventChannels } from '../event-channel.ts'
import type { GrantTable } from '../grant-table.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'

/** What netfront stands on. */
export interface NetfrontParts {
  readonly machine: XenMachine
  readonly events: EventChannels
  readonly grants: GrantTable
  readonly xenstore: Xenstore
}

export interface NetfrontOptions {
  /** Number of the vif, the `0` of `device/vif/0`. */
  readonly index?: number
  /** Pages posted for packets to come, at most 256; 128 by default. */
  readonly receiveBuffers?: number
  /** Packets under way to the backend, at most 256; 128 by default. Two take a page. */
  readonly sendBuffers?: number
  /**
   * Lets senders on the same host leave TCP and UDP checksums out: only for a stack that looks at `Frame.checked`. Otherwise the
   * backend completes them for us.
   */
  readonly blankChecksums?: boolean
  /**
   * Takes TCP packets of up to 64 KiB that were not cut into segments: only for a receiver that expects them, and with 20 receive
   * buffers at least.
   */
  readonly largePackets?: boolean
  /** Both of these also for IPv6. */
  readonly ipv6?: boolean
  /** Does not wait: without a vif, or before it works, the device is there all the same and sends nothing; `onConnected` tells. */
  readonly later?: boolean
  /** Does not begin to work before that: packets wait with the backend. Who will use the device need not be there while it connects. */
  readonly ready?: Promise<void>
  /** Gives up waiting for the first backend. Once connected, it has no meaning any more. */
  readonly signal?: AbortSignal
}
