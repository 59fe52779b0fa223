/**
 * ICMP (RFC 792, RFC 1122 section 3.2.2): answers echo requests, and tells TCP and UDP that a packet of theirs could not be
 * delivered. Everything else is counted and ignored; we never redirect, quench or tell the time.
 */
import type { Frame } from '@xen-ts/runtime/machine'
import { swap16 } from '../wire/ethernet.ts'
import {
  DESTINATION_UNREACHABLE,
  ECHO_REPLY,
  ECHO_REQUEST,
  FRAGMENTATION_NEEDED,
  ICMP_BYTES,
  ICMP_CHECKSUM,
  ICMP_NEXT_MTU,
  PORT_UNREACHABLE,
  PROTOCOL_ICMP,
  PROTOCOL_UNREACHABLE,
} from '../wire/icmp.ts'
import { fragmentOffsetAt, IP_BYTES, IP_DESTINATION, IP_FRAGMENT, IP_LENGTH, IP_PROTOCOL, IP_SOURCE, IP_VERSION } from '../wire/ipv4.ts'
import { PROTOCOL_TCP, TCP_DESTINATION, TCP_SEQUENCE, TCP_SOURCE } from '../wire/tcp.ts'
import { PROTOCOL_UDP } from '../wire/udp.ts'
import type { Ipv4Host } from './ipv4.ts'
import type { Link } from './link.ts'
import type { Route } from './route.ts'

/** What a router or host says about a TCP segment that we sent, or a datagram. All of it is hearsay until TCP has compared `sequence`. */
export interface Unreachable {
  readonly route: Route
  readonly remotePort: number
  readonly localPort: number
  /** int32, as in the segment; of a datagram its length and checksum. */
  readonly sequence: number
  /** ICMP's number for why. */
  readonly code: number
  /** The host itself says that nobody has that port, or protocol. */
  readonly refused: boolean
  /** When the packet was too big for the next hop: bytes of the largest that is not, or a guess. */
  readonly mtu: number | undefined
}

/** Sizes that links have, the largest first (RFC 1191 section 7.1). */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006]

export class Icmp {
  readonly #host: Ipv4Host
  /** Told about TCP segments that did not arrive; set by the stack. */
  onUnreachable: ((message: Unreachable) => void) | undefined = undefined
  /** The same of datagrams. */
  onDatagramUnreachable: ((message: Unreachable) => void) | undefined = undefined

  constructor(host: Ipv4Host) {
    this.#host = host
  }

  receive(frame: Frame, at: number, length: number, route: Route): void {
    const { abi, counters } = route.link
    if (length < ICMP_BYTES) {
      counters.malformed++
      return
    }
    if (abi.checksum(frame.u8, at, length, 0) !== 0xffff) {
      counters.badChecksum++
      return
    }
    const type = frame.u8[at]
    if (type === ECHO_REQUEST && frame.u8[at + 1] === 0) echo(frame, at, length, route)
    else if (type === DESTINATION_UNREACHABLE) this.#unreachable(frame, at, length, route.link)
    else counters.icmpIgnored++
  }

  /** Where the quoted packet went, if it was from us: nobody on the wire can speak of what we send to ourselves. */
  #routeOf(u16: Uint16Array, word: number, from: Link): Route | undefined {
    const source = u16[word + IP_SOURCE] | (u16[word + IP_SOURCE + 1] << 16)
    if (!this.#host.isOwn(source)) return undefined
    const route = this.#host.route(u16[word + IP_DESTINATION] | (u16[word + IP_DESTINATION + 1] << 16))
    return route.link === from && route.localIp === source ? route : undefined
  }

  /** The message quotes the IP header and at least 8 bytes of what we sent: enough for ports and sequence number. */
  #unreachable({ u8, u16 }: Frame, at: number, length: number, from: Link): void {
    const { counters } = from
    const quoted = at + ICMP_BYTES
    const header = length > ICMP_BYTES ? (u8[quoted] & 0xf) * 4 : 0
    if (header < IP_BYTES || length < ICMP_BYTES + header + 8) {
      counters.malformed++
      return
    }
    // Of the quoted header and of what follows it: IP's offsets count from where a frame has it.
    const word = (quoted >>> 1) - IP_VERSION
    const transport = (quoted + header) >>> 1
    const route = this.#routeOf(u16, word, from)
    const protocol = u16[word + IP_PROTOCOL] >>> 8
    // TCP has connections on its routes, UDP has none.
    const isTcp = protocol === PROTOCOL_TCP && route?.connections !== undefined
    const told = isTcp ? this.onUnreachable : protocol === PROTOCOL_UDP ? this.onDatagramUnreachable : undefined
    // Only the first of a datagram's fragments has its ports.
    const tell = fragmentOffsetAt(u16, word + IP_FRAGMENT) === 0 ? told : undefined
    const code = u8[at + 1]
    const mtu = code === FRAGMENTATION_NEEDED ? nextMtu(u16, at, word) : undefined
    // A packet that was not larger was not too big, and none of ours shrinks below the least.
    const isTrue = mtu === undefined || swap16(u16[word + IP_LENGTH]) > Math.max(mtu, route?.leastMtu ?? 0)
    if (route === undefined || tell === undefined || !isTrue) {
      counters.icmpIgnored++
      return
    }
    tell({
      route,
      localPort: swap16(u16[transport + TCP_SOURCE]),
      remotePort: swap16(u16[transport + TCP_DESTINATION]),
      sequence: (swap16(u16[transport + TCP_SEQUENCE]) << 16) | swap16(u16[transport + TCP_SEQUENCE + 1]),
      code,
      mtu,
      refused: code === PORT_UNREACHABLE || code === PROTOCOL_UNREACHABLE,
    })
  }
}

/** What the next hop takes; of an old router that does not say, a likely size below that of the packet (RFC 1191 section 7). */
function nextMtu(u16: Uint16Array, at: number, quoted: number): number {
  const mtu = swap16(u16[(at >>> 1) + ICMP_NEXT_MTU])
  if (mtu > 0) return mtu
  const length = swap16(u16[quoted + IP_LENGTH])
  return PLATEAUS.find(size => size < length) ?? 0
}

function echo(request: Frame, at: number, length: number, route: Route): void {
  const { link } = route
  const reply = route.reserve(length)
  if (reply === undefined) return
  const { u8, u16 } = reply
  const { overhead } = route
  link.abi.copy(u8, overhead, request.u8, at, length)
  const word = overhead >>> 1
  u16[word] = ECHO_REPLY
  u16[word + ICMP_CHECKSUM] = 0
  u16[word + ICMP_CHECKSUM] = ~link.abi.checksum(u8, overhead, length, 0)
  link.counters.echoReplies++
  route.send(reply, PROTOCOL_ICMP, length)
}
