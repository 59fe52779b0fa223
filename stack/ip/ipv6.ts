/**
 * IPv6 as a host has it (RFC 8504): checks packets and hands them to ICMPv6, UDP and TCP, and finds the ways to peers. Without a configuration
 * there is none of it: nothing is answered, and nothing goes out.
 */
import type { StackAddress } from '@xen-ts/runtime'
import type { Frame, Machine } from '@xen-ts/runtime/machine'
import type { Limits } from '../config.ts'
import type { Ipv6Addresses } from '../config-ipv6.ts'
import type { Counters } from '../counters.ts'
import { PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts'
import { IP6_DESTINATION, IP6_NEXT, IP6_PAYLOAD, IP6_SOURCE, IP6_VERSION, ip6Length } from '../wire/ipv6.ts'
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
  LOCALHOST6,
  parseIpv6,
  withInterfaceId,
} from '../wire/ipv6-address.ts'
import { PROTOCOL_TCP } from '../wire/tcp.ts'
import { PROTOCOL_UDP } from '../wire/udp.ts'
import { Autoconfiguration } from './autoconfiguration.ts'
import { Icmp6 } from './icmpv6.ts'
import type { Interface } from './interface.ts'
import { ExtensionHeaders } from './ipv6-extensions.ts'
import { nobody, OwnAddress } from './ipv6-own.ts'
import { Ipv6Route } from './ipv6-route.ts'
import { Mld } from './mld.ts'
import { Ndp } from './ndp.ts'
import type { Neighbour } from './neighbour.ts'
import type { Route } from './route.ts'

export class Ipv6Host {
  readonly link: Interface
  readonly ndp: Ndp
  readonly mld: Mld
  readonly icmp: Icmp6
  readonly routers: Autoconfiguration
  /** Addresses of our own; that of the link is the last. */
  own: OwnAddress[] = []
  gateway: Ipv6 | undefined = undefined
  readonly #localhost = new OwnAddress(LOCALHOST6, 128)
  #fixedGateway: Ipv6 | undefined = undefined
  /**
   * The stack's: an address is lost while the program runs. It calls `change` when the connections have been told.
   */
  onLost: (lost: OwnAddress, change: () => void) => void = (_lost, change) => change()
  readonly #counters: Counters
  readonly #extensions: ExtensionHeaders
  /** The route of the last packet: many come from one proxy, or one after the other. */
  last: Ipv6Route | undefined = undefined

  constructor(link: Interface, { abi, timers, log }: Machine, limits: Limits) {
    this.link = link
    const { counters } = link
    this.#counters = counters
    this.icmp = new Icmp6(this)
    this.#extensions = new ExtensionHeaders(this, { abi, timers }, limits)
    this.ndp = new Ndp(this, { timers, log: log('stack:ndp'), limit: limits.neighbours })
    this.ndp.onConflict = own => {
      this.routers.drop(own)
      this.lose(own)
    }
    this.mld = new Mld(this, abi, timers)
    this.routers = new Autoconfiguration(this, timers)
  }

  /** Whether there is any address. */
  get isOn(): boolean {
    return this.own.length > 0
  }

  get mtu(): number {
    const { mtu } = this.link.device
    const { mtu: said } = this.routers
    return said < mtu ? said : mtu
  }

  /** Bytes that are held of fragments. */
  get reassembling(): number {
    return this.#extensions.held
  }

  get addresses(): readonly StackAddress[] {
    const global = this.own.filter(each => !each.isLinkLocal)
    return global.map(({ text, bits }) => ({ address: text, prefix: bits, family: 6 }))
  }

  get linkLocal(): OwnAddress | undefined {
    return this.own.find(each => each.isLinkLocal)
  }

  /**
   * Other addresses from now on, or the same on another wire; undefined: none. Connections from addresses that stay may go on.
   */
  readdress(addresses: Ipv6Addresses | undefined): void {
    this.ndp.clear()
    this.mld.close()
    this.#extensions.clear()
    const wanted: OwnAddress[] = []
    if (addresses !== undefined) {
      if (addresses.address !== undefined) wanted.push(new OwnAddress(addresses.address, addresses.bits))
      if (addresses.auto) wanted.push(...this.routers.addresses)
      wanted.push(new OwnAddress(withInterfaceId(LINK_LOCAL, this.link.mac), 64))
    }
    const before = this.own
    this.own = wanted.map(each => before.find(old => isSame6(old.address, each.address) && old.bits === each.bits) ?? each)
    for (const each of before) if (!this.own.includes(each)) each.isGone = true
    this.#fixedGateway = addresses?.gateway
    if (addresses?.auto !== true) this.routers.stop()
    this.gateway = this.#fixedGateway ?? this.routers.gateway
    this.ndp.gateway = this.gateway
    this.#remember(undefined)
    if (addresses === undefined) return
    // Where nobody else can be on the link there is nobody to ask.
    for (const each of this.own) {
      if (each.bits < 128) this.ndp.claim(each)
      else this.ndp.announce(each)
    }
    this.mld.announce()
    // Ask for the gateway now: the first connection need not wait, and the gateway learns our address from the question.
    if (this.gateway !== undefined) this.ndp.get(this.gateway)
    if (addresses.auto) this.routers.start()
  }

  /** An address more, which a router has given. */
  add(own: OwnAddress): void {
    this.own.unshift(own)
    this.#remember(undefined)
    this.ndp.claim(own)
    this.mld.announce()
  }

  /** An address is good no longer, or is another host's. */
  lose(own: OwnAddress): void {
    this.onLost(own, () => this.#remove(own))
  }

  /** Another router is the one to send to, or none. */
  routersChanged(): void {
    const gateway = this.#fixedGateway ?? this.routers.gateway
    if (gateway === this.gateway || (gateway !== undefined && this.gateway !== undefined && isSame6(gateway, this.gateway))) return
    const old = this.gateway
    this.gateway = gateway
    this.ndp.gateway = gateway
    if (old !== undefined) this.ndp.abandon(old)
    if (gateway !== undefined) this.ndp.get(gateway)
  }

  /** Whether a connection on this route is lost with a change to `next`. */
  loses(route: Route, next: Ipv6Addresses | undefined): boolean {
    if (!(route instanceof Ipv6Route) || next === undefined) return true
    const { own } = route
    if (own.isLinkLocal || (next.auto && this.routers.addresses.includes(own))) return false
    return next.address === undefined || !isSame6(own.address, next.address) || own.bits !== next.bits
  }

  #remember(route: Ipv6Route | undefined): void {
    this.last = route
    this.link.arrival.path6 = route
  }

  #remove(own: OwnAddress): void {
    own.isGone = true
    this.own = this.own.filter(each => each !== own)
    this.#remember(undefined)
  }

  /** A frame of type IPv6 to our MAC address arrived, at least with its Ethernet header. */
  receive(frame: Frame, length: number): void {
    const u16 = frame.u16
    const link = this.link
    const size = length < IP6_PAYLOAD ? 0 : ip6Length(u16)
    if (size === 0 || size > length - IP6_PAYLOAD || (u16[IP6_VERSION] & 0xf0) !== 0x60) {
      this.#counters.malformed++
      return
    }
    let route = this.last
    if (route === undefined || !isAt(u16, IP6_SOURCE, route.peerIp) || !isAt(u16, IP6_DESTINATION, route.own.address)) {
      route = this.routeFrom(u16, IP6_DESTINATION, IP6_SOURCE)
      if (route === undefined) {
        this.#counters.badAddress++
        return
      }
      this.#remember(route)
    }
    const protocol = u16[IP6_NEXT] & 0xff
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, IP6_PAYLOAD, size, route)
    else if (length > link.longest) this.#counters.malformed++
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, IP6_PAYLOAD, size, route)
    else if (protocol === PROTOCOL_ICMPV6) this.icmp.receive(frame, IP6_PAYLOAD, size, route, false, false)
    else this.#extensions.receive(frame, protocol, size, route)
  }

  /** A packet to an address of our own, from the same (loopback.ts). */
  receiveOwn(frame: Frame, length: number): void {
    const { u16 } = frame
    const own = this.#selfOf(ipv6At(u16, IP6_DESTINATION))
    if (own === undefined)
      this.#counters.badAddress++ // it was ours when the packet was sent
    else this.#extensions.receive(frame, u16[IP6_NEXT] & 0xff, length - IP6_PAYLOAD, this.link.loopback.route6(own))
  }

  /** The address of ours, or ::1, that `address` is. */
  #selfOf(address: Ipv6): OwnAddress | undefined {
    return this.ownOf(address) ?? (isSame6(address, LOCALHOST6) ? this.#localhost : undefined)
  }

  /** The same to a group. Nothing but messages of ICMPv6 is taken then, and only in groups of ours. */
  receiveGroup(frame: Frame, length: number): void {
    const { u16 } = frame
    const size = length < IP6_PAYLOAD ? 0 : ip6Length(u16)
    if (size === 0 || size > length - IP6_PAYLOAD || length > this.link.longest || (u16[IP6_VERSION] & 0xf0) !== 0x60) {
      this.#counters.malformed++
      return
    }
    if (!this.own.some(each => each.hasGroupAt(u16, IP6_DESTINATION)) && !isAt(u16, IP6_DESTINATION, ALL_NODES)) {
      this.#counters.foreign++
      return
    }
    this.#extensions.receiveGroup(frame, size, () => this.#routeOfGroup(u16))
  }

  /** A packet for us was of a protocol that we do not have (RFC 8200 section 4). */
  unknownProtocol(route: Ipv6Route, frame: Frame): void {
    this.#extensions.unknownProtocol(route, frame)
  }

  /** The route on which a packet of ours went that an error quotes which came by `came`: its addresses are at these words of the frame. */
  routeOfOurs(u16: Uint16Array, own: number, peer: number, came: Route): Ipv6Route | undefined {
    if (came.link === this.link) return this.routeFrom(u16, own, peer)
    const to = ipv6At(u16, peer)
    const self = isAt(u16, own, to) ? this.#selfOf(to) : undefined
    return self && this.link.loopback.route6(self)
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

  /** The address that most of what we send is from. */
  get main(): OwnAddress {
    return this.own.find(each => !each.isDeprecated) ?? nobody
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
    const self = this.#selfOf(peer)
    if (self !== undefined) return this.link.loopback.route6(self)
    const own = this.ownFor(peer)
    return own.routes.get(keyOf(peer)) ?? new Ipv6Route(this, own, peer)
  }

  /** undefined when `text` is no address of IPv6. */
  routeTo(text: string): Ipv6Route | undefined {
    const peer = parseIpv6(text)
    return peer && this.route(peer)
  }

  sourceFor(text: string): string | undefined {
    const peer = parseIpv6(text)
    if (peer !== undefined && this.#selfOf(peer) !== undefined) return text
    if (peer === undefined || !this.isHost(peer) || !(this.gateway !== undefined || this.isOnLink(peer))) return undefined
    const own = this.ownFor(peer)
    return own.isGone ? undefined : own.text
  }

  /** A connection stands on a route: it is the one for packets now, not another one to the same peer. */
  kept(route: Ipv6Route): void {
    this.#remember(route)
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
    this.routers.stop()
    this.#extensions.clear()
  }
}
