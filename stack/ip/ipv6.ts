/**
 * IPv6 as a host has it (RFC 8504): checks packets and hands them to ICMPv6, UDP and TCP, and finds the ways to peers. Without a configuration
 * there is none of it: nothing is answered, and nothing goes out.
 */
import type { Frame, Machine } from '@xen-ts/runtime/machine'
import type { Ipv6Addresses, Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import { ETH_BYTES } from '../wire/ethernet.ts'
import { PARAMETER_PROBLEM, PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts'
import {
  HEADERS_FRAGMENT,
  HEADERS_GOOD,
  HEADERS_MALFORMED,
  HEADERS_PROBLEM,
  HEADERS_SOURCE_ROUTED,
  IP6_DESTINATION,
  IP6_NEXT,
  IP6_PAYLOAD,
  IP6_SOURCE,
  IP6_VERSION,
  ip6Length,
  NO_NEXT_HEADER,
  UNKNOWN_HEADER,
  Walk,
  walkHeaders,
} from '../wire/ipv6.ts'
import {
  ALL_NODES,
  commonBits,
  type Ipv6,
  ipv6At,
  isAt,
  isLinkLocal,
  isSame6,
  isSpecial6,
  keyOf,
  LINK_LOCAL,
  parseIpv6,
  withInterfaceId,
} from '../wire/ipv6-address.ts'
import { PROTOCOL_TCP } from '../wire/tcp.ts'
import { PROTOCOL_UDP } from '../wire/udp.ts'
import { Icmp6 } from './icmpv6.ts'
import type { Interface } from './interface.ts'
import { nobody, OwnAddress } from './ipv6-own.ts'
import { Ipv6Route } from './ipv6-route.ts'
import { Mld } from './mld.ts'
import { Ndp } from './ndp.ts'
import type { Neighbour } from './neighbour.ts'

export class Ipv6Host {
  readonly link: Interface
  readonly ndp: Ndp
  readonly mld: Mld
  readonly icmp: Icmp6
  /** Addresses of our own; that of the link is the last. */
  own: OwnAddress[] = []
  gateway: Ipv6 | undefined = undefined
  /**
   * The stack's: an address is lost while the program runs. It calls `change` when the connections have been told.
   */
  onLost: (lost: OwnAddress, change: () => void) => void = (_lost, change) => change()
  readonly #counters: Counters
  readonly #walk = new Walk()
  /** The route of the last packet: many come from one proxy, or one after the other. */
  #last: Ipv6Route | undefined = undefined

  constructor(link: Interface, { abi, timers, log }: Machine, limits: Limits) {
    this.link = link
    this.#counters = link.counters
    this.icmp = new Icmp6(this)
    this.ndp = new Ndp(this, { timers, log: log('stack:ndp'), limit: limits.neighbours })
    this.ndp.onConflict = own => this.onLost(own, () => this.#remove(own))
    this.mld = new Mld(this, abi, timers)
  }

  get mtu(): number {
    return this.link.device.mtu
  }

  get linkLocal(): OwnAddress | undefined {
    return this.own.find(each => each.isLinkLocal)
  }

  /**
   * Other addresses from now on, or the same on another wire; undefined: none. Connections from addresses that stay may go on.
   * @param isQuiet the device may not be on a wire yet
   */
  readdress(addresses: Ipv6Addresses | undefined): void {
    this.ndp.clear()
    this.mld.close()
    const wanted: OwnAddress[] = []
    if (addresses !== undefined) {
      wanted.push(new OwnAddress(addresses.address, addresses.bits))
      wanted.push(new OwnAddress(withInterfaceId(LINK_LOCAL, this.link.mac), 64))
    }
    const before = this.own
    this.own = wanted.map(each => before.find(old => isSame6(old.address, each.address) && old.bits === each.bits) ?? each)
    for (const each of before) if (!this.own.includes(each)) each.isGone = true
    this.gateway = addresses?.gateway
    this.ndp.gateway = this.gateway
    this.#last = undefined
    if (addresses === undefined) return
    // Where nobody else can be on the link there is nobody to ask.
    for (const each of this.own) {
      if (each.bits < 128) this.ndp.claim(each)
      else this.ndp.announce(each)
    }
    this.mld.announce()
    // Ask for the gateway now: the first connection need not wait, and the gateway learns our address from the question.
    if (this.gateway !== undefined) this.ndp.get(this.gateway)
  }

  /** Whether a connection on this route is lost with a change to `next`. */
  loses(route: Ipv6Route, next: Ipv6Addresses | undefined): boolean {
    const { address, bits, isLinkLocal } = route.own
    if (next === undefined) return true
    return !isLinkLocal && !(isSame6(address, next.address) && bits === next.bits)
  }

  #remove(own: OwnAddress): void {
    own.isGone = true
    this.own = this.own.filter(each => each !== own)
    this.#last = undefined
  }

  /** A frame of type IPv6 to our MAC address arrived, at least with its Ethernet header. */
  receive(frame: Frame, length: number): void {
    const { u16 } = frame
    const { link } = this
    const size = length < IP6_PAYLOAD ? 0 : ip6Length(u16)
    if (size === 0 || size > length - IP6_PAYLOAD || (u16[IP6_VERSION] & 0xf0) !== 0x60) {
      this.#short(length)
      return
    }
    let route = this.#last
    if (route === undefined || !isAt(u16, IP6_SOURCE, route.peerIp) || !isAt(u16, IP6_DESTINATION, route.own.address)) {
      route = this.routeFrom(u16, IP6_DESTINATION, IP6_SOURCE)
      if (route === undefined) {
        this.#counters.badAddress++
        return
      }
      this.#last = route
    }
    const protocol = u16[IP6_NEXT] & 0xff
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, IP6_PAYLOAD, size, route)
    else if (length > link.longest) this.#counters.malformed++
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, IP6_PAYLOAD, size, route)
    else if (protocol === PROTOCOL_ICMPV6) this.icmp.receive(frame, IP6_PAYLOAD, size, route, false)
    else this.#walkTo(frame, protocol, size, route)
  }

  /** The same to a group. Nothing but messages of ICMPv6 is taken then, and only in groups of ours. */
  receiveGroup(frame: Frame, length: number): void {
    const { u16, u8 } = frame
    const size = length < IP6_PAYLOAD ? 0 : ip6Length(u16)
    if (size === 0 || size > length - IP6_PAYLOAD || length > this.link.longest || (u16[IP6_VERSION] & 0xf0) !== 0x60) {
      this.#short(length)
      return
    }
    if (!this.own.some(each => each.hasGroupAt(u16, IP6_DESTINATION)) && !this.#isToAll(u16)) {
      this.#counters.foreign++
      return
    }
    const walk = this.#walk
    const verdict = walkHeaders(u8, IP6_PAYLOAD, IP6_PAYLOAD + size, u16[IP6_NEXT] & 0xff, walk)
    if (verdict !== HEADERS_GOOD) this.#refused(verdict, frame, undefined)
    else if (walk.protocol !== PROTOCOL_ICMPV6) this.#counters.badAddress++
    else this.icmp.receive(frame, walk.at, IP6_PAYLOAD + size - walk.at, this.#routeOfGroup(u16), true)
  }

  /** A packet with extension headers, or of a protocol that we do not have. */
  #walkTo(frame: Frame, first: number, size: number, route: Ipv6Route): void {
    const walk = this.#walk
    const end = IP6_PAYLOAD + size
    const verdict = walkHeaders(frame.u8, IP6_PAYLOAD, end, first, walk)
    if (verdict !== HEADERS_GOOD) {
      this.#refused(verdict, frame, route)
      return
    }
    const { protocol, at } = walk
    const { link } = this
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, at, end - at, route)
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, at, end - at, route)
    else if (protocol === PROTOCOL_ICMPV6) this.icmp.receive(frame, at, end - at, route, false)
    else {
      this.#counters.foreign++
      if (protocol !== NO_NEXT_HEADER) this.icmp.complain(frame, route, PARAMETER_PROBLEM, UNKNOWN_HEADER, walk.field - ETH_BYTES)
    }
  }

  #refused(verdict: number, frame: Frame, route: Ipv6Route | undefined): void {
    const counters = this.#counters
    const { problem, pointer } = this.#walk
    if (verdict === HEADERS_MALFORMED) counters.malformed++
    else if (verdict === HEADERS_FRAGMENT) counters.fragments++
    else if (verdict === HEADERS_SOURCE_ROUTED) counters.sourceRouted++
    else counters.badExtension++
    const tells = verdict === HEADERS_SOURCE_ROUTED || verdict === HEADERS_PROBLEM
    if (tells && route !== undefined) this.icmp.complain(frame, route, PARAMETER_PROBLEM, problem, pointer)
  }

  #short(_length: number): void {
    this.#counters.malformed++
  }

  #isToAll(u16: Uint16Array): boolean {
    return this.own.length > 0 && isAt(u16, IP6_DESTINATION, ALL_NODES)
  }

  /**
   * The route whose own address is at word `own` of a frame and whose peer's at word `peer`; undefined when the one is not ours or the other
   * nobody's.
   */
  routeFrom(u16: Uint16Array, own: number, peer: number): Ipv6Route | undefined {
    for (const each of this.own) {
      if (!isAt(u16, own, each.address)) continue
      const known = each.routeAt(u16, peer)
      if (known !== undefined) return known
      const address = ipv6At(u16, peer)
      return this.isHost(address) ? new Ipv6Route(this, each, address) : undefined
    }
    return undefined
  }

  /** The route back to the sender of a packet that went to a group. */
  #routeOfGroup(u16: Uint16Array): Ipv6Route | undefined {
    const peer = ipv6At(u16, IP6_SOURCE)
    return this.isHost(peer) ? this.route(peer) : undefined
  }

  ownOf(address: Ipv6): OwnAddress | undefined {
    return this.own.find(each => isSame6(each.address, address))
  }

  /** Which of our addresses talks to a peer (RFC 6724 section 5, as far as there is a choice). */
  ownFor(peer: Ipv6): OwnAddress {
    let best = nobody
    for (const each of this.own) {
      if (each.isLinkLocal !== isLinkLocal(peer)) continue
      const isBetter =
        best.isGone ||
        (best.isDeprecated && !each.isDeprecated) ||
        (best.isDeprecated === each.isDeprecated && commonBits(each.address, peer) > commonBits(best.address, peer))
      if (isBetter) best = each
    }
    return best
  }

  /** Whether `address` can be another host's: no packet may come from any other, and none is sent there. */
  isHost(address: Ipv6): boolean {
    return !isSpecial6(address) && this.ownOf(address) === undefined
  }

  isOnLink(address: Ipv6): boolean {
    if (isLinkLocal(address) || (this.gateway !== undefined && isSame6(address, this.gateway))) return true
    return this.own.some(each => each.reaches(address))
  }

  /** The route to a peer. The same one as long as connections stand on it. */
  route(peer: Ipv6): Ipv6Route {
    const own = this.ownFor(peer)
    return own.routes.get(keyOf(peer)) ?? new Ipv6Route(this, own, peer)
  }

  /** undefined when `text` is no address of IPv6. */
  routeTo(text: string): Ipv6Route | undefined {
    const peer = parseIpv6(text)
    return peer && this.route(peer)
  }

  /** A connection stands on a route: it is the one for packets now, not another one to the same peer. */
  kept(route: Ipv6Route): void {
    this.#last = route
  }

  /** The neighbour through which a peer is reached; undefined when there is no way. */
  nextHop(peer: Ipv6): Neighbour | undefined {
    if (!this.isHost(peer)) return undefined
    if (this.isOnLink(peer)) return this.ndp.get(peer)
    return this.gateway === undefined ? undefined : this.ndp.get(this.gateway)
  }

  close(): void {
    this.ndp.close()
    this.mld.close()
  }
}
