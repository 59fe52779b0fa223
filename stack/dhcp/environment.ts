/** What the DHCP client stands on, and what can be seen of it. */
import type { Log, Timers } from '@xen-ts/runtime/machine'
import type { Ipv4 } from '../wire/ipv4-address.ts'
import type { Lease } from './lease.ts'

export type DhcpState = 'init' | 'selecting' | 'requesting' | 'probing' | 'rebooting' | 'bound' | 'renewing' | 'rebinding' | 'closed'

export interface DhcpEnvironment {
  readonly timers: Timers
  readonly log: Log
  readonly random: (into: Uint8Array) => void
  /** Sends to every server on the link: from `source` (0.0.0.0 while there is no address), port 68, to 255.255.255.255, port 67. */
  broadcast(message: Uint8Array, source: Ipv4): void
  /** Sends to one server, by the usual way, from the address that is leased. */
  unicast(message: Uint8Array, server: Ipv4): void
  /** Whether somebody else has the address already (RFC 5227 section 2.1); gives up when `signal` aborts. Without it nobody is asked. */
  probe?(address: Ipv4, signal: AbortSignal): Promise<boolean>
  /** There is a lease, or what it says has changed. Not called when it was only prolonged. */
  bound(lease: Lease): void
  /** The lease is over: the address may not be used from now on. A new one is asked for. */
  lost(reason: string): void
}

export interface DhcpOptions {
  /** 6 bytes; always the same array. */
  readonly mac: Uint8Array
  /** Of the device. */
  readonly mtu: number
  /** What to be called by; servers make a name of it. */
  readonly hostName?: string
}

/** What arrived and was not believed. */
export class DhcpCounters {
  malformed = 0
  /** Datagrams for our port that come from none of a server. */
  foreign = 0
  /** Of other clients, to other questions, or at a time when nothing was asked. */
  unasked = 0
  /** Offers, acknowledgments and refusals of ours that cannot be right. */
  refused = 0
}
