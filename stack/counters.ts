import { DhcpCounters } from './dhcp/environment.ts'
import { DnsCounters } from './dns/counters.ts'
import { HttpCounters } from './http/server/counters.ts'

/**
 * What the stack saw and threw away, by reason. Nothing that arrives is dropped without one of these going up: a problem in the
 * field is then a number, not a guess.
 */
export class Counters {
  framesIn = 0
  framesOut = 0
  /** Frames for another protocol or another MAC address. */
  foreign = 0
  /** Too short, or lengths that contradict each other, at any layer. */
  malformed = 0
  badChecksum = 0
  /** Fragments that were refused: they overlap or contradict others, come twice, or are too many or too small. */
  fragments = 0
  /** Datagrams that were put together from fragments, and those sent in fragments. */
  reassembled = 0
  fragmented = 0
  /** Datagrams whose fragments did not all come in time, and those given up to make room for others. */
  reassemblyTimeouts = 0
  reassemblyEvicted = 0
  /** Source or destination address that a host must not accept. */
  badAddress = 0
  /** IP options, or routing headers of IPv6, that ask us to route (RFC 7126, RFC 5095). */
  sourceRouted = 0
  /** Extension headers of IPv6 that are unknown, or not to be taken. */
  badExtension = 0
  arpIn = 0
  arpIgnored = 0
  /** Messages of neighbour discovery that concern nobody here, or that nobody should believe. */
  ndpIgnored = 0
  echoReplies = 0
  /** ICMP messages that carry nothing for us. */
  icmpIgnored = 0
  /** ICMP errors that we sent, and those that were too many. */
  icmpErrors = 0
  icmpErrorsLimited = 0
  /** Others on the link that speak from our address (RFC 5227 section 2.4). */
  arpConflicts = 0
  /** UDP datagrams for a port without a receiver, or from another than the one peer of a connected socket. */
  udpNoPort = 0
  /** UDP datagrams from port 0, where no answer can go (RFC 768). */
  udpNoSource = 0
  /** Datagrams for a program that did not take those before them in time. */
  udpQueueFull = 0
  /** TCP segments without a connection; answered with RST where RFC 9293 says so. */
  tcpNoConnection = 0
  /** Segments outside the window or without the ACK that they need, and RSTs and SYNs that are not believed (RFC 9293, RFC 5961). */
  tcpUnacceptable = 0
  /** Segments with a timestamp older than the last one (PAWS, RFC 7323), and segments without one on connections that have them. */
  tcpPaws = 0
  tcpNoTimestamp = 0
  /** Segments of which only a part fitted the window: the rest was thrown away. */
  tcpCut = 0
  tcpRetransmits = 0
  /** Of those, what was noticed by later segments that arrived. */
  tcpFastRetransmits = 0
  /** Retransmission timers that expired with data in flight. */
  tcpTimeouts = 0
  /** Selective acknowledgments that were taken back (RFC 2018 section 8); of something that arrived twice (RFC 2883); of what cannot be. */
  tcpSackReneged = 0
  tcpDuplicateSacks = 0
  tcpBadSacks = 0
  tcpOutOfOrder = 0
  /** Data thrown away for want of buffer memory; the peer sends it again. */
  tcpNoMemory = 0
  /** SYNs, and acknowledgments of cookies, that got no answer because all connections are in use. */
  tcpSynDropped = 0
  /** SYNs answered with a cookie, because too many connections of the port were half open (RFC 4987). */
  tcpSynCookies = 0
  /** TIME-WAIT ended early to make room. */
  tcpTimeWaitEvicted = 0
  /** Packets that could not be sent: no route, no answer to ARP, or no free frame. */
  noRoute = 0
  noFrame = 0
  /** Of what stands on the stack. */
  dns = new DnsCounters()
  dhcp = new DhcpCounters()
  http = new HttpCounters()
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
