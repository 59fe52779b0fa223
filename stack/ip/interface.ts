/** The interface: takes frames from the device and hands them to the family they are of, and sends what routes have built. */
import type { StackAddress } from '@xen-ts/runtime'
import { type EthernetDevice, type Frame, type Machine, SOURCE } from '@xen-ts/runtime/machine'
import type { Addresses, Limits } from '../config.ts'
import { sameIpv6 } from '../config-ipv6.ts'
import type { Counters } from '../counters.ts'
import { BROADCAST_MAC, ETH_BYTES, ETH_TYPE, IPV6_GROUP, isTo, macWords, TYPE_ARP, TYPE_IPV4, TYPE_IPV6 } from '../wire/ethernet.ts'
import { PROTOCOL_TCP } from '../wire/tcp.ts'
import { Arrival } from './arrival.ts'
import { Ipv4Host } from './ipv4.ts'
import { Ipv6Host } from './ipv6.ts'
import { Link } from './link.ts'
import { Loopback } from './loopback.ts'
import type { Route } from './route.ts'

/**
 * A transport protocol. `at` is the byte where its header begins (even), `length` its bytes with header; the IP header before it
 * was checked, and `route` leads back to the sender, a host. The frame is valid during the call only.
 */
export interface Receiver {
  receive(frame: Frame, at: number, length: number, route: Route): void
}

/** The usual packets come as they were read: with the record of packetIn (arrival.ts). */
export interface PacketReceiver extends Receiver {
  arrived(frame: Frame, record: Int32Array, route: Route): void
}

export class Interface extends Link {
  readonly ipv4: Ipv4Host
  readonly ipv6: Ipv6Host
  /** To our own addresses. */
  readonly loopback: Loopback
  /** The usual packet is read into this. */
  readonly arrival = new Arrival()
  /** Set by the stack once all parts exist. */
  tcp: PacketReceiver = nobody
  udp: PacketReceiver = nobody

  constructor(machine: Machine, device: EthernetDevice, addresses: Addresses, limits: Limits, counters: Counters) {
    super(machine, device, counters)
    this.arrival.mac = this.mac
    this.arrival.longest = this.longest
    this.ipv4 = new Ipv4Host(this, machine, addresses, limits)
    this.ipv6 = new Ipv6Host(this, machine, limits)
    this.loopback = new Loopback(machine, this.ipv4, this.ipv6, counters)
  }

  /**
   * Other addresses from now on, or the same on another wire. Nobody may have a connection any more that the old ones were good for.
   * @param families those that are other; what is known of the neighbours and paths of another one stays
   */
  readdress(addresses: Addresses, families: readonly (4 | 6)[] = [4, 6]): void {
    this.mac.set(macWords(this.device.mac))
    this.arrival.mac = this.mac
    this.arrival.longest = this.longest = ETH_BYTES + this.device.mtu
    for (const family of families) {
      this.paths.clear(family)
      if (family === 4) this.ipv4.readdress(addresses)
      else this.ipv6.readdress(addresses.ipv6)
    }
  }

  /** A frame arrived from the device: `length` bytes, from the Ethernet header on. */
  receive(frame: Frame, length: number): void {
    const counters = this.counters
    const u16 = frame.u16
    counters.framesIn++
    const arrival = this.arrival
    const protocol = this.abi.packetIn(frame.u8, length, frame.checked === true ? 1 : 0, arrival.bytes)
    if (protocol !== 0) {
      const record = arrival.words
      const source = record[SOURCE]
      const route = source === 0 ? this.ipv6.last : this.ipv4.routeFrom(source)
      if (route !== undefined) {
        if (protocol === PROTOCOL_TCP) this.tcp.arrived(frame, record, route)
        else this.udp.arrived(frame, record, route)
        return
      }
    }
    if (length < ETH_BYTES) {
      counters.malformed++
      return
    }
    const type = u16[ETH_TYPE]
    const mac = this.mac
    const isOurs = u16[0] === mac[0] && u16[1] === mac[1] && u16[2] === mac[2]
    if (type === TYPE_IPV4 && isOurs) this.ipv4.receive(frame, length)
    else if (type === TYPE_IPV6 && isOurs && this.ipv6.isOn) this.ipv6.receive(frame, length)
    else if (type === TYPE_ARP && (isOurs || isTo(u16, BROADCAST_MAC))) this.#arp(u16, length)
    else if (type === TYPE_IPV4 && isTo(u16, BROADCAST_MAC)) this.ipv4.receiveBroadcast(frame, length)
    else if (type === TYPE_IPV6 && u16[0] === IPV6_GROUP && this.ipv6.isOn) this.ipv6.receiveGroup(frame, length)
    else counters.foreign++ // groups of IPv4 too: we are in none
  }

  /**
   * A packet of IPv4 is for another address than ours, or for all: true when it was for somebody all the same. A DHCP client that has no
   * address yet puts its own function here.
   */
  stray(_frame: Frame, _length: number): boolean {
    return false
  }

  astray(frame: Frame, length: number): void {
    if (!this.stray(frame, length)) this.counters.badAddress++
  }

  #arp(u16: Uint16Array, length: number): void {
    if (length > this.longest) this.counters.malformed++
    else this.ipv4.neighbours.receive(u16, length)
  }

  /** Addresses that others can reach, not only neighbours. */
  get addresses(): readonly StackAddress[] {
    return [...this.ipv4.addresses, ...this.ipv6.addresses]
  }

  /** Families that something can be reached by. */
  get families(): readonly (4 | 6)[] {
    return [...new Set(this.addresses.map(each => each.family))]
  }

  /** Which routes are lost with a change from one set of addresses to another; undefined when the interface need not be told of it. */
  losses(before: Addresses, after: Addresses): ((route: Route) => boolean) | undefined {
    const isSame4 = before.address === after.address && before.bits === after.bits && before.gateway === after.gateway
    const isSame6 = sameIpv6(before.ipv6, after.ipv6)
    if (isSame4 && isSame6) return undefined
    return route => !this.#isLocalhost(route) && (route.family === 4 ? !isSame4 : this.ipv6.loses(route, after.ipv6))
  }

  /** It is no part of any network: 127.0.0.0/8, ::1. */
  #isLocalhost({ link, local }: Route): boolean {
    return link === this.loopback && (local === LOCALHOST || local.startsWith('127.'))
  }

  /** The address of ours that a peer is talked to from, as text; undefined when there is none, or no way. Asks nobody. */
  sourceFor(peer: string): string | undefined {
    return this.ipv4.sourceFor(peer) ?? this.ipv6.sourceFor(peer)
  }

  /** The route to all hosts of the link, by the address that means them as text; undefined when it does not. For UDP only. */
  broadcastTo(address: string): Route | undefined {
    return this.ipv4.broadcastTo(address)
  }

  /** The route to a peer by its address as text; undefined when that is none of a family that this interface has. */
  routeTo(address: string): Route | undefined {
    return this.ipv4.routeTo(address) ?? this.ipv6.routeTo(address)
  }

  close(): void {
    this.ipv4.close()
    this.ipv6.close()
    this.loopback.close()
  }
}

/** Why nothing can be sent on a route that has no address of our own. */
export const noAddress = (ip: Interface, { family }: Route): string =>
  ip.addresses.length === 0 ? 'this stack has no address, there is no network (yet)' : `this stack has no IPv${family} address`

const LOCALHOST = '::1'
const nobody: PacketReceiver = { receive() {}, arrived() {} }
