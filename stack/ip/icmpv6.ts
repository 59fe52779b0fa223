/**
 * ICMPv6 (RFC 4443): answers echo requests, tells TCP and UDP that a packet of theirs could not be delivered, and tells senders what was wrong with
 * theirs. Neighbour discovery and MLD have files of their own.
 */
import type { Frame } from '@xen-ts/runtime/machine'
import { ETH_BYTES, swap16 } from '../wire/ethernet.ts'
import { PORT_UNREACHABLE, PROTOCOL_UNREACHABLE } from '../wire/icmp.ts'
import {
  codeOfIpv4,
  ECHO_REPLY6,
  ECHO_REQUEST6,
  FIRST_INFORMATIONAL,
  ICMP6_BYTES,
  ICMP6_CHECKSUM,
  ICMP6_VALUE,
  LISTENER_QUERY,
  mayBeError6,
  NEIGHBOUR_ADVERTISEMENT,
  NEIGHBOUR_SOLICITATION,
  PACKET_TOO_BIG,
  PROTOCOL_ICMPV6,
  REDIRECT,
  ROUTER_ADVERTISEMENT,
} from '../wire/icmpv6.ts'
import {
  FRAGMENT,
  FRAGMENT_BYTES,
  fragmentOffset6,
  IP6_BYTES,
  IP6_DESTINATION,
  IP6_NEXT,
  IP6_SOURCE,
  IP6_VERSION,
  ip6Length,
  LEAST_MTU6,
} from '../wire/ipv6.ts'
import { PROTOCOL_TCP, TCP_DESTINATION, TCP_SEQUENCE, TCP_SOURCE } from '../wire/tcp.ts'
import { PROTOCOL_UDP } from '../wire/udp.ts'
import type { Unreachable } from './icmp.ts'
import type { Ipv6Host } from './ipv6.ts'
import type { Route } from './route.ts'

export class Icmp6 {
  readonly #host: Ipv6Host

  constructor(host: Ipv6Host) {
    this.#host = host
  }

  /**
   * `length` bytes of a message at byte `at` of the frame. `route` leads back to the sender, if one can be the sender; `isGroup`: it was sent to
   * a group of ours; `isFragment`: it came with a fragment header, which messages of the link never have (RFC 6980).
   */
  receive(frame: Frame, at: number, length: number, route: Route | undefined, isGroup: boolean, isFragment: boolean): void {
    const { u8 } = frame
    const { abi, counters } = this.#host.link
    if (length < ICMP6_BYTES) {
      counters.malformed++
      return
    }
    const addresses = abi.checksum(u8, IP6_SOURCE * 2, 32, 0)
    if (abi.checksum(u8, at, length, addresses + (PROTOCOL_ICMPV6 << 8) + swap16(length)) !== 0xffff) {
      counters.badChecksum++
      return
    }
    const type = u8[at]
    if (isFragment && type >= LISTENER_QUERY && type <= REDIRECT) counters.ndpIgnored++
    else if (type === NEIGHBOUR_SOLICITATION || type === NEIGHBOUR_ADVERTISEMENT) this.#host.ndp.receive(frame, at, length, isGroup)
    else if (type === ROUTER_ADVERTISEMENT) this.#host.routers.receive(frame, at, length)
    else if (type === LISTENER_QUERY) this.#host.mld.receive(frame, at, length)
    else if (route === undefined) counters.badAddress++
    else if (type === ECHO_REQUEST6 && u8[at + 1] === 0) echo(frame, at, length, route)
    else if (type < FIRST_INFORMATIONAL && !isGroup) this.#unreachable(frame, at, length, route)
    else counters.icmpIgnored++
  }

  /** The message quotes what we sent, or as much of it as there was room for. The only extension header of our packets is that of fragments. */
  #unreachable({ u8, u16 }: Frame, at: number, length: number, came: Route): void {
    const { link } = this.#host
    const quoted = at + ICMP6_BYTES
    const end = quoted + IP6_BYTES
    const isFragment = length >= ICMP6_BYTES + IP6_BYTES + FRAGMENT_BYTES && u8[quoted + IP6_NEXT * 2 - ETH_BYTES] === FRAGMENT
    const header = isFragment ? FRAGMENT_BYTES : 0
    if (length < ICMP6_BYTES + IP6_BYTES + header + 8) {
      link.counters.malformed++
      return
    }
    // IP's offsets count from where a frame has the header.
    const word = (quoted >>> 1) - IP6_VERSION
    const transport = (end + header) >>> 1
    const type = u8[at]
    const code = codeOfIpv4(type, u8[at + 1])
    const isTooBig = type === PACKET_TOO_BIG
    const route = isTooBig || code >= 0 ? this.#host.routeOfOurs(u16, word + IP6_SOURCE, word + IP6_DESTINATION, came) : undefined
    const protocol = isFragment ? u8[end] : u16[word + IP6_NEXT] & 0xff
    const { icmp } = link.ipv4
    // TCP has connections on its routes, UDP has none.
    const isTcp = protocol === PROTOCOL_TCP && route?.connections !== undefined
    const tell = isTcp ? icmp.onUnreachable : protocol === PROTOCOL_UDP ? icmp.onDatagramUnreachable : undefined
    // Only the first of a datagram's fragments has its ports.
    const isLater = isFragment && fragmentOffset6(u16, end) !== 0
    if (route === undefined || tell === undefined || isLater) {
      link.counters.icmpIgnored++
      return
    }
    const value = (at >>> 1) + ICMP6_VALUE
    tell({
      route,
      localPort: swap16(u16[transport + TCP_SOURCE]),
      remotePort: swap16(u16[transport + TCP_DESTINATION]),
      sequence: (swap16(u16[transport + TCP_SEQUENCE]) << 16) | swap16(u16[transport + TCP_SEQUENCE + 1]),
      code,
      refused: code === PORT_UNREACHABLE || code === PROTOCOL_UNREACHABLE,
      mtu: isTooBig ? swap16(u16[value]) * 0x10000 + swap16(u16[value + 1]) : undefined,
    } satisfies Unreachable)
  }
}

/**
 * Tells the sender of the packet in `frame`, which came by `route`, what is wrong with it (section 3), unless there were too many such messages
 * or it went to many, or is an error itself. `value`: of the field behind the checksum.
 */
export function complain(route: Route, frame: Frame, type: number, code: number, value: number): void {
  const { link, overhead } = route
  if ((frame.u8[0] & 1) !== 0 || mayBeError6(frame.u8, frame.u16)) return
  if (!link.errorLimit.take()) {
    link.counters.icmpErrorsLimited++
    return
  }
  const quoted = Math.min(IP6_BYTES + ip6Length(frame.u16), LEAST_MTU6 - IP6_BYTES - ICMP6_BYTES)
  const reply = route.reserve(ICMP6_BYTES + quoted)
  if (reply === undefined) return
  link.abi.copy(reply.u8, overhead + ICMP6_BYTES, frame.u8, ETH_BYTES, quoted)
  link.counters.icmpErrors++
  send(reply, route, type | (code << 8), value, ICMP6_BYTES + quoted)
}

/** Completes a message of `length` bytes and sends it. `head`: type and code. */
function send(frame: Frame, route: Route, head: number, value: number, length: number): void {
  const { u8, u16 } = frame
  const { overhead, link } = route
  const word = overhead >>> 1
  u16[word] = head
  u16[word + ICMP6_CHECKSUM] = 0
  u16[word + ICMP6_VALUE] = swap16(value >>> 16)
  u16[word + ICMP6_VALUE + 1] = swap16(value & 0xffff)
  u16[word + ICMP6_CHECKSUM] = ~link.abi.checksum(u8, overhead, length, route.sum + (PROTOCOL_ICMPV6 << 8) + swap16(length))
  route.send(frame, PROTOCOL_ICMPV6, length)
}

function echo(request: Frame, at: number, length: number, route: Route): void {
  const { link, overhead } = route
  const reply = route.reserve(length)
  if (reply === undefined) return
  link.abi.copy(reply.u8, overhead, request.u8, at, length)
  const word = (at >>> 1) + ICMP6_VALUE
  link.counters.echoReplies++
  send(reply, route, ECHO_REPLY6, swap16(request.u16[word]) * 0x10000 + swap16(request.u16[word + 1]), length)
}
