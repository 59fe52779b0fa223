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
  /** UDP datagrams for a port without a receiver, or from another than the one peer of a connected socket. */
  udpNoPort = 0
  /** Datagrams for a program that did not take those before them in time. */
  udpQueueFull = 0
  /** TCP segments without a connection; answered with RST where RFC 9293 says so. */
  tcpNoConnection = 0
  /** Segments outside the window, and RSTs and SYNs that RFC 5961 does not believe. */
  tcpUnacceptable = 0
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
}
