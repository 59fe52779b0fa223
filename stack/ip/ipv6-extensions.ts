/**
 * Packets of IPv6 whose payload does not begin right behind the header: extension headers by rule (RFC 8200), fragments put together, what
 * is no packet for us refused with a reason.
 */
import type { Frame, Machine } from '@xen-ts/runtime/machine'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import { ETH_BYTES, swap16 } from '../wire/ethernet.ts'
import { PARAMETER_PROBLEM, PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts'
import {
  FRAGMENT_BYTES,
  fragmentOffset6,
  HEADERS_FRAGMENT,
  HEADERS_GOOD,
  HEADERS_MALFORMED,
  HEADERS_PROBLEM,
  HEADERS_SOURCE_ROUTED,
  IP6_DESTINATION,
  IP6_LENGTH,
  IP6_NEXT,
  IP6_PAYLOAD,
  IP6_SOURCE,
  moreFragments6,
  NO_NEXT_HEADER,
  UNKNOWN_HEADER,
  Walk,
  walkHeaders,
} from '../wire/ipv6.ts'
import { PROTOCOL_TCP, TCP_BYTES } from '../wire/tcp.ts'
import { PROTOCOL_UDP, UDP_BYTES } from '../wire/udp.ts'
import { complain } from './icmpv6.ts'
import type { Ipv6Host } from './ipv6.ts'
import type { Ipv6Route } from './ipv6-route.ts'
import { type Datagram, Reassembly } from './reassembly.ts'

/** Milliseconds (RFC 8200 section 4.5), and the most bytes behind a header. */
const REASSEMBLY_LIFETIME = 60_000
const MOST_BYTES = 0xffff

export class ExtensionHeaders {
  readonly #host: Ipv6Host
  readonly #counters: Counters
  readonly #walk = new Walk()
  readonly #reassembly: Reassembly

  constructor(host: Ipv6Host, { abi, timers }: Pick<Machine, 'abi' | 'timers'>, limits: Limits) {
    const { counters } = host.link
    this.#host = host
    this.#counters = counters
    this.#reassembly = new Reassembly({
      abi,
      timers,
      counters,
      lifetime: REASSEMBLY_LIFETIME,
      memory: limits.reassemblyMemory,
      expired: first => this.#expired(first),
    })
  }

  /** Bytes that are held of fragments. */
  get held(): number {
    return this.#reassembly.used
  }

  clear(): void {
    this.#reassembly.clear()
  }

  /** A packet with extension headers, or of a protocol that we do not have: `size` bytes behind the header, which says that `first` is next. */
  receive(frame: Frame, first: number, size: number, route: Ipv6Route): void {
    const walk = this.#walk
    const end = IP6_PAYLOAD + size
    const verdict = walkHeaders(frame.u8, IP6_PAYLOAD, end, first, walk)
    if (verdict === HEADERS_FRAGMENT) {
      this.#fragment(frame, end, route)
      return
    }
    if (verdict !== HEADERS_GOOD) {
      this.#refused(verdict, frame, route)
      return
    }
    this.#deliver(walk.protocol, frame, walk.at, end - walk.at, route)
  }

  /** A packet to a group: nothing but messages of ICMPv6 is taken. `route` leads back to its sender. */
  receiveGroup(frame: Frame, size: number, route: () => Ipv6Route | undefined): void {
    const { u8, u16 } = frame
    const walk = this.#walk
    const verdict = walkHeaders(u8, IP6_PAYLOAD, IP6_PAYLOAD + size, u16[IP6_NEXT] & 0xff, walk)
    if (verdict !== HEADERS_GOOD) this.#refused(verdict, frame, undefined)
    else if (walk.protocol !== PROTOCOL_ICMPV6) this.#counters.badAddress++
    else this.#host.icmp.receive(frame, walk.at, IP6_PAYLOAD + size - walk.at, route(), true, walk.isFragment)
  }

  #deliver(protocol: number, frame: Frame, at: number, length: number, route: Ipv6Route): void {
    const { link, icmp } = this.#host
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, at, length, route)
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, at, length, route)
    else if (protocol === PROTOCOL_ICMPV6) icmp.receive(frame, at, length, route, false, this.#walk.isFragment)
    else {
      this.#counters.foreign++
      if (protocol !== NO_NEXT_HEADER) route.unreachable(frame, 'protocol')
    }
  }

  /** The walk over a packet has ended at the number of a protocol that we do not have (RFC 8200 section 4). */
  unknownProtocol(route: Ipv6Route, frame: Frame): void {
    complain(route, frame, PARAMETER_PROBLEM, UNKNOWN_HEADER, this.#walk.field - ETH_BYTES)
  }

  /** The walk has come to a fragment header (RFC 8200 section 4.5). Headers before it were checked, those behind it are when all is there. */
  #fragment(frame: Frame, end: number, route: Ipv6Route): void {
    const { u8, u16 } = frame
    const header = this.#walk.at
    const at = header + FRAGMENT_BYTES
    const offset = fragmentOffset6(u16, header)
    const length = end - at
    if (header - IP6_PAYLOAD + offset + length > MOST_BYTES) {
      this.#counters.malformed++
      return
    }
    const next = u8[header]
    const { peer, own } = route
    const datagram = this.#reassembly.add({
      key: `${peer} ${own.text} ${u16[(header >>> 1) + 2]} ${u16[(header >>> 1) + 3]}`,
      source: peer,
      frame,
      at,
      length,
      offset,
      more: moreFragments6(u16, header),
      least: next === PROTOCOL_TCP ? TCP_BYTES : UDP_BYTES, // and of everything else at least as many
    })
    if (datagram === undefined) return
    this.#asWhole(datagram)
    const { frame: whole } = datagram
    this.receive(whole, whole.u16[IP6_NEXT] & 0xff, datagram.at - IP6_PAYLOAD + datagram.length, route)
  }

  /** The head of the first fragment becomes the datagram's, which is its only fragment then: who quotes it in an error quotes what was sent. */
  #asWhole({ frame: { u16 }, at, length }: Datagram): void {
    u16[IP6_LENGTH] = swap16(Math.min(at - IP6_PAYLOAD + length, MOST_BYTES)) // the fragment header is not one of the packet
    u16[((at - FRAGMENT_BYTES) >>> 1) + 1] = 0
  }

  /** The first fragment came and not all of the others in time. */
  #expired({ frame }: Datagram): void {
    this.#host.routeFrom(frame.u16, IP6_DESTINATION, IP6_SOURCE)?.unreachable(frame, 'reassembly')
  }

  #refused(verdict: number, frame: Frame, route: Ipv6Route | undefined): void {
    const counters = this.#counters
    const { problem, pointer } = this.#walk
    if (verdict === HEADERS_MALFORMED) counters.malformed++
    else if (verdict === HEADERS_FRAGMENT) counters.fragments++
    else if (verdict === HEADERS_SOURCE_ROUTED) counters.sourceRouted++
    else counters.badExtension++
    const tells = verdict === HEADERS_SOURCE_ROUTED || verdict === HEADERS_PROBLEM
    if (tells && route !== undefined) complain(route, frame, PARAMETER_PROBLEM, problem, pointer)
  }
}
