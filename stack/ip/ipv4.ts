/** IPv4 as a host has it (RFC 1122): checks packets and hands them to ICMP, UDP and TCP, and finds the ways to peers. */
import type { Frame, Machine } from '@xen-ts/runtime/machine'
import { type Addresses, type Limits, noAddresses } from '../config.ts'
import type { Counters } from '../counters.ts'
import { ETH_BYTES } from '../wire/ethernet.ts'
import { PROTOCOL_ICMP } from '../wire/icmp.ts'
import {
  checkIpv4,
  IP_BAD_CHECKSUM,
  IP_DESTINATION,
  IP_FRAGMENTED,
  IP_SOURCE,
  IP_SOURCE_ROUTED,
  ipLength,
  ipProtocol,
} from '../wire/ipv4.ts'
import { ANY, type Ipv4, isSpecial, isWholeNetwork, parseIpv4 } from '../wire/ipv4-address.ts'
import { PROTOCOL_TCP } from '../wire/tcp.ts'
import { PROTOCOL_UDP } from '../wire/udp.ts'
import { Icmp } from './icmp.ts'
import type { Interface } from './interface.ts'
import { Ipv4Route } from './ipv4-route.ts'
import type { Neighbour } from './neighbour.ts'
import { Neighbours } from './neighbours.ts'

export class Ipv4Host {
  readonly link: Interface
  readonly neighbours: Neighbours
  readonly icmp: Icmp
  address: Ipv4 = ANY
  readonly #counters: Counters
  #addresses: Addresses = noAddresses
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
  }

  /** Other addresses from now on, or the same on another wire. Nobody may have a connection any more that the old ones were good for. */
  readdress(addresses: Addresses): void {
    this.#take(addresses)
    this.neighbours.reset(addresses.address, addresses.gateway)
  }

  #take(addresses: Addresses): void {
    const { address } = addresses
    this.address = address
    this.#addresses = addresses
    this.#addressLow = address === ANY ? -1 : address & 0xffff
    this.#addressHigh = address === ANY ? -1 : address >>> 16
    this.#last = undefined
  }

  /** A frame of type IPv4 arrived, at least with its Ethernet header. */
  receive(frame: Frame, length: number): void {
    const { u16 } = frame
    const { link } = this
    if (length > link.longest && ipProtocol(u16) !== PROTOCOL_TCP) {
      this.#counters.malformed++
      return
    }
    const header = checkIpv4(link.abi, frame.u8, u16, length)
    if (header < 0) {
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
    const at = ETH_BYTES + header
    const payload = ipLength(u16) - header
    const protocol = ipProtocol(u16)
    if (protocol === PROTOCOL_TCP) link.tcp.receive(frame, at, payload, route)
    else if (protocol === PROTOCOL_UDP) link.udp.receive(frame, at, payload, route)
    else if (protocol === PROTOCOL_ICMP) this.icmp.receive(frame, at, payload, route)
    else this.#counters.foreign++
  }

  #refused(reason: number): void {
    if (reason === IP_BAD_CHECKSUM) this.#counters.badChecksum++
    else if (reason === IP_FRAGMENTED) this.#counters.fragments++
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

  /** The route to a peer. The same one as long as connections stand on it. */
  route(peer: Ipv4): Ipv4Route {
    return this.#routes.get(peer) ?? new Ipv4Route(this, peer)
  }

  /** undefined when `text` is no address of IPv4. */
  routeTo(text: string): Ipv4Route | undefined {
    const peer = parseIpv4(text)
    return peer === undefined ? undefined : this.route(peer)
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
    const { address, mask, bits, gateway } = this.#addresses
    if (!this.isHost(destination)) return undefined
    if (bits < 32 && ((destination ^ address) & mask) === 0) return this.neighbours.get(destination)
    return gateway === undefined ? undefined : this.neighbours.get(gateway)
  }

  close(): void {
    this.neighbours.close()
  }
}
