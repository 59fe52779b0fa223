/** What a connected end stands on. Both ends are the same but for which byte of the control page is whose. */
import type { EventChannel, PeerWarnings } from '@xen-ts/drivers'
import { Byte } from './layout.ts'
import type { RingReader, RingWriter } from './ring.ts'

/** Which bytes of the control page an end uses. */
interface Side {
  readonly ownLive: number
  readonly peerLive: number
  /** Where we ask the peer for a kick. */
  readonly ask: number
  /** Where the peer asks us. */
  readonly asked: number
}

export const serverSide: Side = { ownLive: Byte.serverLive, peerLive: Byte.clientLive, ask: Byte.clientNotify, asked: Byte.serverNotify }
export const clientSide: Side = { ownLive: Byte.clientLive, peerLive: Byte.serverLive, ask: Byte.serverNotify, asked: Byte.clientNotify }

export interface Link {
  /** For messages: `vchan 0:512`. */
  readonly name: string
  readonly side: Side
  readonly control: Uint8Array
  readonly reader: RingReader
  readonly writer: RingWriter
  readonly channel: EventChannel
  readonly warnings: PeerWarnings
  /**
   * Gives ports, pages and keys back. The shared memory must not be touched from then on.
   * @param tell whether the peer is told that this end has gone: not one that was left behind in another world
   */
  release(tell: boolean): void
}
