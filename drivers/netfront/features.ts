/** What the two ends of a vif can do for each other: the keys feature-* in xenstore (xen/include/public/io/netif.h). */

import { type Backend, tryRead } from '../xenbus/handshake.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import type { NetfrontOptions } from './options.ts'

/** Protocols of a packet that is not cut into segments, as in netif.h. */
export const GSO_TCPV4 = 1
export const GSO_TCPV6 = 2

/** What the backend does for us. */
export interface Offer {
  /** Completes TCP and UDP checksums in IPv4 and IPv6 packets. */
  readonly checksums: boolean
  readonly checksums6: boolean
  /** Cuts packets of TCP over IPv4 and IPv6 into segments. */
  readonly large: boolean
  readonly large6: boolean
  /** Has an event channel for each ring. */
  readonly split: boolean
}

/** What we take from the backend. */
export interface Accepted {
  /** Packets of several pages. */
  readonly large: boolean
  /** Packets that were not cut: the last of the protocols above; 0 for none. */
  readonly protocols: number
}

export async function readOffer(xenstore: Xenstore, { path }: Backend): Promise<Offer> {
  const names = ['no-csum-offload', 'ipv6-csum-offload', 'sg', 'gso-tcpv4', 'gso-tcpv6', 'split-event-channels']
  const [incomplete, checksums6, pieces, gso4, gso6, split] = await Promise.all(
    names.map(async name => (await tryRead(xenstore, `${path}/feature-${name}`)) === '1'),
  )
  // What is cut has its checksums completed as well, so the one needs the other.
  return { checksums: !incomplete, checksums6, large: !incomplete && pieces && gso4, large6: checksums6 && pieces && gso6, split }
}

export const accepted = ({ largePackets, ipv6 }: NetfrontOptions): Accepted => ({
  large: largePackets === true,
  protocols: largePackets !== true ? 0 : ipv6 === true ? GSO_TCPV6 : GSO_TCPV4,
})

/** The keys that say so. Without any, the backend completes IPv6 checksums; IPv4 checksums it completes only if it is told. */
export function acceptedKeys({ blankChecksums, largePackets, ipv6 }: NetfrontOptions): [string, number][] {
  const keys: [string, number][] = []
  if (largePackets === true) keys.push(['feature-sg', 1], ['feature-gso-tcpv4', 1])
  if (largePackets === true && ipv6 === true) keys.push(['feature-gso-tcpv6', 1])
  if (blankChecksums !== true) keys.push(['feature-no-csum-offload', 1])
  else if (ipv6 === true) keys.push(['feature-ipv6-csum-offload', 1])
  return keys
}
