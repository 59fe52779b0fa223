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
  /** Fragments: there is no reassembly (TCP and our answers never fragment: DF is set). */
  fragments = 0
  /** Source or destination address that a host must not accept. */
  badAddress = 0
  /** IP options that ask us to route (RFC 7126). */
  sourceRouted = 0
  arpIn = 0
  arpIgnored = 0
  echoReplies = 0
  /** ICMP messages that carry nothing for us. */
  icmpIgnored = 0
  /** UDP datagrams for a port without a receiver. */
  udpNoPort = 0
  /** TCP segments without a connection; answered with RST where RFC 9293 says so. */
  tcpNoConnection = 0
  /** Segments outside the window or without the ACK that they need, and RSTs and SYNs that are not believed (RFC 9293, RFC 5961). */
  tcpUnacceptable = 0
  /** Segments of which only a part fitted the window: the rest was thrown away. */
  tcpCut = 0
  tcpRetransmits = 0
  tcpFastRetransmits = 0
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
