import type { StackCounters } from '@xen-ts/runtime'
import type { DeviceCounters } from '@xen-ts/runtime/machine'
import { DhcpCounters } from './dhcp/environment.ts'
import { DnsCounters } from './dns/counters.ts'
import { HttpCounters } from './http/server/counters.ts'

/** What is counted; StackCounters of the runtime says what each number stands for. */
export class Counters implements StackCounters {
  framesIn = 0
  framesOut = 0
  foreign = 0
  malformed = 0
  badChecksum = 0
  fragments = 0
  reassembled = 0
  fragmented = 0
  reassemblyTimeouts = 0
  reassemblyEvicted = 0
  badAddress = 0
  sourceRouted = 0
  badExtension = 0
  arpIn = 0
  arpIgnored = 0
  ndpIgnored = 0
  echoReplies = 0
  icmpIgnored = 0
  icmpErrors = 0
  icmpErrorsLimited = 0
  arpConflicts = 0
  udpNoPort = 0
  udpNoSource = 0
  udpQueueFull = 0
  tcpNoConnection = 0
  tcpUnacceptable = 0
  tcpPaws = 0
  tcpNoTimestamp = 0
  tcpCut = 0
  tcpRetransmits = 0
  tcpFastRetransmits = 0
  tcpTimeouts = 0
  tcpTailProbes = 0
  tcpSackReneged = 0
  tcpDuplicateSacks = 0
  /** Losses that were none, by what the peer said afterwards: the window is what it was. */
  tcpUndone = 0
  tcpBadSacks = 0
  tcpOutOfOrder = 0
  tcpNoMemory = 0
  tcpSynDropped = 0
  tcpSynCookies = 0
  tcpTimeWaitEvicted = 0
  noRoute = 0
  noFrame = 0
  /** Of what stands on the stack, and of what it stands on. */
  dns = new DnsCounters()
  dhcp = new DhcpCounters()
  http = new HttpCounters()
  device: DeviceCounters = { receiveErrors: 0, sendErrors: 0, sendLost: 0, broken: 0 }
}

/** Names of the stack's own counters, without those of what stands on it. */
export type CounterName = { [K in keyof Counters]: Counters[K] extends number ? K : never }[keyof Counters]

/** The counters by their names, `tcpRetransmits`, `dns.lookups`: plain numbers, to be kept, compared or sent. */
export function counterValues(counters: object): Record<string, number> {
  const values: Record<string, number> = {}
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value === 'number') values[name] = value
    else for (const [inner, number] of Object.entries(counterValues(value as object))) values[`${name}.${inner}`] = number
  }
  return values
}

/** Those that are not 0, in one line: `framesIn 12, framesOut 10, dns.lookups 3`. */
export function describeCounters(counters: object): string {
  const counted = Object.entries(counterValues(counters)).filter(([, value]) => value !== 0)
  return counted.map(([name, value]) => `${name} ${value}`).join(', ') || 'all 0'
}
