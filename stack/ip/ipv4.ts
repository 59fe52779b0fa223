/** IPv4 as a host has it (RFC 1122): checks packets and hands them to ICMP, UDP and TCP, and finds the ways to peers. */
import type { StackAddress } from '@xen-ts/runtime'
import type { Frame, Machine } from '@xen-ts/runtime/machine'
import { type Addresses, type Limits, noAddresses } from '../config.ts'
import type { Counters } from '../counters.ts'
import { ETH_BYTES, swap16 } from '../wire/ethernet.ts'
import { PROTOCOL_ICMP } from '../wire/icmp.ts'
import {
  addressSum,
  checkIpv4,
  fragmentOffset,
  IP_BAD_CHECKSUM,
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_FRAGMENT,
  IP_FRAGMENTED,
  IP_ID,
  IP_LENGTH,
  IP_MALFORMED,
  IP_SOURCE,
  IP_SOURCE_ROUTED,
  ipHeaderBytes,
  ipLength,
  ipProtocol,
  moreFragments,
} from '../wire/ipv4.ts'
import { ALL, ANY, formatIpv4, type Ipv4, isLoopback, isSpecial, isWholeNetwork, parseIpv4 } from '../wire/ipv4-address.ts'
import { PROTOCOL_TCP, TCP_BYTES } from '../wire/tcp.ts'
import { hasGoodUdpSum, PROTOCOL_UDP, UDP_BYTES } from '../wire/udp.ts'
import { Icmp } from './icmp.ts'
import type { Interface } from './interface.ts'
import { BroadcastRoute } from './ipv4-broadcast.ts'
import { Ipv4Route } from './ipv4-route.ts'
import type { Neighbour } from './neighbour.ts'
import { Neighbours } from './neighbours.ts'
import { type Datagram, Reassembly } from './reassembly.ts'
import type { Route } from './route.ts'
import { RoutingTable } from './routing.ts'

/** Milliseconds that fragments wait for the others (RFC 1122 section 3.3.2: a minute or two; 30 s are enough, and Linux's). */
const REASSEMBLY_TIME = 30_000
/** The most bytes that a packet can have. */
const MOST_BYTES = 0xffff

export class Ipv4Host {
  readonly link: Interface
  readonly neighbours: Neighbours
  readonly icmp: Icmp
  address: Ipv4 = ANY
  /** Bytes of the largest packet that we send. */
  mtu = 0
  readonly #counters: Counters
  #addresses: Addresses = noAddresses
  #routing = new RoutingTable(noAddresses)
  readonly #reassembly: Reassembly
  /** The address as it stands in a packet; -1 without one, which is in none. */
  #addressLow = -1
  #addressHigh = -1
  /** Routes on which connections stand, by peer: there is one address of our own. */
  readonly #routes = new Map<Ipv4, Ipv4Route>()
  /** The route of the last packet: many come from one proxy, or one after the other. */
  #last: Ipv4Route | undefined = undefined

  constructor(link: Interface, machine: Machine, addresses: Addresses, limits: Limits) {
    this.link = link
    this.#counters = link.counters
    this.icmp = new Icmp(this)
    this.#take(addresses)
    this.neighbours = new Neighbours({
      device: link.device,
      timers: machine.timers,
      log: machine.log('stack:arp'),
      counters: link.counters,
      mac: link.mac,
      address: addresses.address,
      gateway: addresses.gateway,
      isHost: ip => this.isHost(ip),
      limit: limits.neighbours,
    })
    this.#reassembly = new Reassembly({
      abi: machine.abi,
      timers: machine.timers,
      counters: link.counters,
      lifetime: REASSEMBLY_TIME,
      memory: limits.reassemblyMemory,
      expired: first => this.#expired(first),
    })
  }

  /** Bytes that are held of fragments. */
  get reassembling(): number {
    return this.#reassembly.used
  }

  get addresses(): readonly StackAddress[] {
    return this.address === ANY ? [] : [{ address: formatIpv4(this.address), prefix: this.#addresses.bits, family: 4 }]
  }

  /** Other addresses from now on, or the same on another wire. Nobody may have a connection any more that the old ones were good for. */
  readdress(addresses: Addresses): void {
    this.#take(addresses)
    this.#reassembly.clear()
    this.neighbours.reset(addresses.address, addresses.gateway)
  }

  #take(addresses: Addresses): void {
    const { address } = addresses
    this.address = address
    this.#addresses = addresses
    this.mtu = Math.min(addresses.mtu, this.link.device.mtu)
    this.#routing = new RoutingTable(addresses)
    this.#addressLow = address === ANY ? -1 : address & 0xffff
    this.#addressHigh = address === ANY ? -1 : address >>> 16
    this.link.arrival.ipv4 = address
    this.#last = undefined
  }

  /** A frame of type IPv4 arrived, at least with its Ethernet header. */
  receive(frame: Frame, length: number): void {
    const u16 = frame.u16
    const link = this.link
    if (length > link.longest && ipProtocol(u16) !== PROTOCOL_TCP) {
      this.#counters.malformed++
      return
    }
    const header = checkIpv4(link.abi, frame.u8, u16, length)
    if (header < 0 && header !== IP_FRAGMENTED) {
      this.#refused(header)
      return
    }
    // A source must be a host that is not ourselves.
    const source = u16[IP_SOURCE] | (u16[IP_SOURCE + 1] << 16)
    let route = this.#last
    if (route === undefined || route.peerIp !== source) route = this.#routeOf(source)
    if (route === undefined || u16[IP_DESTINATION] !== this.#addressLow || u16[IP_DESTINATION + 1] !== this.#addressHigh) {
      link.astray(frame, length)
      return
    }
    if (header < 0) {
      this.#fragment(frame, length, route)
      return
    }
    const protocol = ipProtocol(u16)
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, ETH_BYTES + header, ipLength(u16) - header, route)
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, ETH_BYTES + header, ipLength(u16) - header, route)
    else this.#deliver(protocol, frame, ETH_BYTES + header, ipLength(u16) - header, route)
  }

  /** The route back to where a packet for us came from; undefined when none may come from there. */
  routeFrom(source: Ipv4): Ipv4Route | undefined {
    const last = this.#last
    return last !== undefined && last.peerIp === source ? last : this.#routeOf(source)
  }

  /** A packet to an address of our own, from the same (loopback.ts). */
  receiveOwn(frame: Frame, length: number): void {
    const { u16 } = frame
    const header = checkIpv4(this.link.abi, frame.u8, u16, length)
    if (header < 0 && header !== IP_FRAGMENTED) {
      this.#refused(header)
      return
    }
    const own = u16[IP_DESTINATION] | (u16[IP_DESTINATION + 1] << 16)
    if (this.isOwn(own)) this.#accept(frame, length, header, this.link.loopback.route(own))
    else this.#counters.badAddress++ // it was ours when the packet was sent
  }

  /**
   * A packet in a frame to all. That may be of UDP only, and to all: one to one host is not to be taken (RFC 1122 section 3.3.6), and
   * what is sent to all is not answered.
   */
  receiveBroadcast(frame: Frame, length: number): void {
    const { link } = this
    if (link.stray(frame, length)) return
    const { u8, u16 } = frame
    const header = length > link.longest ? IP_MALFORMED : checkIpv4(link.abi, u8, u16, length)
    if (header < 0) {
      if (header === IP_FRAGMENTED) this.#counters.fragments++
      else this.#refused(header)
      return
    }
    const source = u16[IP_SOURCE] | (u16[IP_SOURCE + 1] << 16)
    const destination = u16[IP_DESTINATION] | (u16[IP_DESTINATION + 1] << 16)
    if (ipProtocol(u16) !== PROTOCOL_UDP || !this.#isBroadcast(destination) || !this.isHost(source)) {
      this.#counters.badAddress++
      return
    }
    const at = ETH_BYTES + header
    const payload = ipLength(u16) - header
    // The route back is from our own address, which is in no checksum of this packet.
    const isChecked = frame.checked === true || hasGoodUdpSum(link.abi, frame, at, payload, addressSum(source, destination))
    if (isChecked) link.udp.receive({ u8, u16, checked: true }, at, payload, new Ipv4Route(this, source))
    else this.#counters.badChecksum++
  }

  /** Whether an address means all hosts of the link (RFC 919). */
  #isBroadcast(address: Ipv4): boolean {
    const { mask, bits } = this.#addresses
    if (this.address === ANY) return false
    return address === ALL || (bits < 31 && address === (this.address | ~mask))
  }

  broadcastTo(text: string): Route | undefined {
    const address = parseIpv4(text)
    return address !== undefined && this.#isBroadcast(address) ? new BroadcastRoute(this, address) : undefined
  }

  #accept(frame: Frame, length: number, header: number, route: Route): void {
    if (header === IP_FRAGMENTED) {
      this.#fragment(frame, length, route)
      return
    }
    const u16 = frame.u16
    this.#deliver(ipProtocol(u16), frame, ETH_BYTES + header, ipLength(u16) - header, route)
  }

  /** Hands on the payload of a packet for us: `length` bytes from `at` on. */
  #deliver(protocol: number, frame: Frame, at: number, length: number, route: Route): void {
    const link = this.link
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, at, length, route)
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, at, length, route)
    else if (protocol === PROTOCOL_ICMP) this.icmp.receive(frame, at, length, route)
    else {
      this.#counters.foreign++
      route.unreachable(frame, 'protocol')
    }
  }

  #fragment(frame: Frame, length: number, route: Route): void {
    const { u16 } = frame
    const header = ipHeaderBytes(u16)
    const payload = ipLength(u16) - header
    const offset = fragmentOffset(u16)
    if (length > route.link.longest || header + offset + payload > MOST_BYTES) {
      this.#counters.malformed++
      return
    }
    const protocol = ipProtocol(u16)
    const { peer } = route
    const datagram = this.#reassembly.add({
      key: `${peer} ${protocol} ${u16[IP_ID]}`,
      source: peer,
      frame,
      at: ETH_BYTES + header,
      length: payload,
      offset,
      more: moreFragments(u16),
      least: protocol === PROTOCOL_TCP ? TCP_BYTES : UDP_BYTES, // ICMP has as many as UDP
    })
    if (datagram === undefined) return
    this.#asWhole(datagram)
    this.#deliver(protocol, datagram.frame, datagram.at, datagram.length, route)
  }

  /** The head of the first fragment becomes the datagram's: who quotes it in an error quotes what was sent. */
  #asWhole({ frame: { u8, u16 }, at, length }: Datagram): void {
    u16[IP_LENGTH] = swap16(at - ETH_BYTES + length)
    u16[IP_FRAGMENT] = 0
    u16[IP_CHECKSUM] = 0
    u16[IP_CHECKSUM] = ~this.link.abi.checksum(u8, ETH_BYTES, at - ETH_BYTES, 0)
  }

  /** The first fragment came and not all of the others in time (RFC 792, RFC 1122 section 3.3.2). */
  #expired({ frame }: Datagram): void {
    const { u16 } = frame
    this.#routeOf(u16[IP_SOURCE] | (u16[IP_SOURCE + 1] << 16))?.unreachable(frame, 'reassembly')
  }

  #refused(reason: number): void {
    if (reason === IP_BAD_CHECKSUM) this.#counters.badChecksum++
    else if (reason === IP_SOURCE_ROUTED) this.#counters.sourceRouted++
    else this.#counters.malformed++
  }

  /** The route back to where a packet came from; undefined when none may come from there. */
  #routeOf(source: Ipv4): Ipv4Route | undefined {
    const known = this.#routes.get(source)
    if (known !== undefined) return (this.#last = known)
    return this.isHost(source) ? (this.#last = new Ipv4Route(this, source)) : undefined
  }

  /** Whether `address` can be another host's: no packet may come from any other, and none is sent there (RFC 1122 section 3.2.1.3). */
  isHost(address: Ipv4): boolean {
    if (isSpecial(address) || address === this.address) return false
    const { mask, bits } = this.#addresses
    return ((address ^ this.address) & mask) !== 0 || !isWholeNetwork(address, mask, bits)
  }

  /** Whether it is ours: what is sent there never leaves us. */
  isOwn(address: Ipv4): boolean {
    return isLoopback(address) || (address === this.address && address !== ANY)
  }

  /** The route to a peer. The same one as long as connections stand on it. */
  route(peer: Ipv4): Ipv4Route {
    return this.isOwn(peer) ? this.link.loopback.route(peer) : (this.#routes.get(peer) ?? new Ipv4Route(this, peer))
  }

  /** undefined when `text` is no address of IPv4. */
  routeTo(text: string): Ipv4Route | undefined {
    const peer = parseIpv4(text)
    return peer === undefined ? undefined : this.route(peer)
  }

  sourceFor(text: string): string | undefined {
    const peer = parseIpv4(text)
    const isReached = peer !== undefined && this.address !== ANY && this.isHost(peer) && this.#routing.nextHop(peer) !== undefined
    return isReached ? formatIpv4(this.address) : undefined
  }

  keep(route: Ipv4Route): void {
    this.#routes.set(route.peerIp, route)
    this.#last = route // not another one to the same peer
  }

  forget(route: Ipv4Route): void {
    this.#routes.delete(route.peerIp)
  }

  /** The neighbour through which `destination` is reached; undefined when there is no way. */
  nextHop(destination: Ipv4): Neighbour | undefined {
    if (!this.isHost(destination)) return undefined
    const hop = this.#routing.nextHop(destination)
    return hop === undefined ? undefined : this.neighbours.get(hop)
  }

  close(): void {
    this.neighbours.close()
    this.#reassembly.clear()
  }
}
