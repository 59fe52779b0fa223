/**
 * What a network stack counts: what it saw and threw away, by reason. Nothing that arrives is dropped without one of these going up: a
 * problem in the field is then a number, not a guess. They only go up. Our own stack counts them all; where the sockets are the host's
 * (target unix) only `udpQueueFull` and `http` can be known, and the others stay 0.
 *
 * These are the names that `xen-ts run --stats` and the service xen-ts.Counters show, those of parts behind a dot: `dns.lookups`.
 */
import type { DeviceCounters } from './ethernet.ts'

export interface StackCounters {
  readonly framesIn: number
  readonly framesOut: number
  /** Frames for another protocol or another MAC address. */
  readonly foreign: number
  /** Too short, or lengths that contradict each other, at any layer. */
  readonly malformed: number
  readonly badChecksum: number
  /** Fragments that were refused: they overlap or contradict others, come twice, or are too many or too small. */
  readonly fragments: number
  /** Datagrams that were put together from fragments, and those sent in fragments. */
  readonly reassembled: number
  readonly fragmented: number
  /** Datagrams whose fragments did not all come in time, and those given up to make room for others. */
  readonly reassemblyTimeouts: number
  readonly reassemblyEvicted: number
  /** Source or destination address that a host must not accept. */
  readonly badAddress: number
  /** IP options, or routing headers of IPv6, that ask us to route (RFC 7126, RFC 5095). */
  readonly sourceRouted: number
  /** Extension headers of IPv6 that are unknown, or not to be taken. */
  readonly badExtension: number
  readonly arpIn: number
  readonly arpIgnored: number
  /** Messages of neighbour discovery that concern nobody here, or that nobody should believe. */
  readonly ndpIgnored: number
  readonly echoReplies: number
  /** ICMP messages that carry nothing for us. */
  readonly icmpIgnored: number
  /** ICMP errors that we sent, and those that were too many. */
  readonly icmpErrors: number
  readonly icmpErrorsLimited: number
  /** Others on the link that speak from our address (RFC 5227 section 2.4). */
  readonly arpConflicts: number
  /** UDP datagrams for a port without a receiver, or from another than the one peer of a connected socket. */
  readonly udpNoPort: number
  /** UDP datagrams from port 0, where no answer can go (RFC 768). */
  readonly udpNoSource: number
  /** Datagrams for a program that did not take those before them in time. */
  readonly udpQueueFull: number
  /** TCP segments without a connection; answered with RST where RFC 9293 says so. */
  readonly tcpNoConnection: number
  /** Segments outside the window or without the ACK that they need, and RSTs and SYNs that are not believed (RFC 9293, RFC 5961). */
  readonly tcpUnacceptable: number
  /** Segments with a timestamp older than the last one (PAWS, RFC 7323), and segments without one on connections that have them. */
  readonly tcpPaws: number
  readonly tcpNoTimestamp: number
  /** Segments of which only a part fitted the window: the rest was thrown away. */
  readonly tcpCut: number
  readonly tcpRetransmits: number
  /** Of those, what was noticed by later segments that arrived. */
  readonly tcpFastRetransmits: number
  /** Retransmission timers that expired with data in flight. */
  readonly tcpTimeouts: number
  /** Times that the end of what was sent was sent once more, to hear of it before the timer expires (RFC 8985 section 7). */
  readonly tcpTailProbes: number
  /** Selective acknowledgments that were taken back (RFC 2018 section 8); of something that arrived twice (RFC 2883); of what cannot be. */
  readonly tcpSackReneged: number
  readonly tcpDuplicateSacks: number
  readonly tcpBadSacks: number
  readonly tcpOutOfOrder: number
  /** Data thrown away for want of buffer memory; the peer sends it again. */
  readonly tcpNoMemory: number
  /** SYNs, and acknowledgments of cookies, that got no answer because all connections are in use. */
  readonly tcpSynDropped: number
  /** SYNs answered with a cookie, because too many connections of the port were half open (RFC 4987). */
  readonly tcpSynCookies: number
  /** TIME-WAIT ended early to make room. */
  readonly tcpTimeWaitEvicted: number
  /** Packets that could not be sent: no route, no answer to ARP, or no free frame. */
  readonly noRoute: number
  readonly noFrame: number
  readonly dns: DnsCounters
  readonly dhcp: DhcpCounters
  readonly http: HttpCounters
  /** Of the network device. */
  readonly device: DeviceCounters
}

/** What the DNS client did, and what it did not believe. */
export interface DnsCounters {
  /** Questions of programs, and those that the cache or an equal question under way answered. */
  readonly lookups: number
  readonly cached: number
  readonly shared: number
  /** Datagrams that went out, and questions asked again over TCP. */
  readonly sent: number
  readonly overTcp: number
  /** Datagrams from another address or port than the question went to. */
  readonly foreign: number
  /** Answers with another id, to another question, or that are questions themselves: somebody guesses, or they come late. */
  readonly unasked: number
  /** Answers that are not what RFC 1035 says. */
  readonly malformed: number
  /** Servers that did not answer a question in time, however often it was asked. */
  readonly timeouts: number
}

/** What arrived for the DHCP client and was not believed. */
export interface DhcpCounters {
  readonly malformed: number
  /** Datagrams for our port that come from none of a server. */
  readonly foreign: number
  /** Of other clients, to other questions, or at a time when nothing was asked. */
  readonly unasked: number
  /** Offers, acknowledgments and refusals of ours that cannot be right. */
  readonly refused: number
}

/** What the HTTP server did not let through to the program, and what did not get through to clients. */
export interface HttpCounters {
  /** Requests that were answered without the program, since they are none (400, 421, 501 and their like). */
  readonly refused: number
  /** The same, with a body or head that is too large (413, 431), and those that took too long to come in (408). */
  readonly tooLarge: number
  readonly tooSlow: number
  /** The program failed: answered with 500, or reset in the middle of the answer. Its log says why. */
  readonly failed: number
  /** Connections that were reset because the client took nothing any more, or had gone, or the server's time was over. */
  readonly abandoned: number
}
