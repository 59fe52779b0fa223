/** The interface: takes frames from the device and hands them to the family they are of, and sends what routes have built. */
import type { EthernetDevice, Frame, Machine } from '@xen-ts/runtime/machine'
import type { Addresses, Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import { BROADCAST_MAC, ETH_BYTES, ETH_TYPE, isTo, macWords, TYPE_ARP, TYPE_IPV4 } from '../wire/ethernet.ts'
import { Ipv4Host } from './ipv4.ts'
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

export class Interface extends Link {
  readonly ipv4: Ipv4Host
  /** To our own addresses. */
  readonly loopback: Loopback
  /** Set by the stack once all parts exist. */
  tcp: Receiver = nobody
  udp: Receiver = nobody

  constructor(machine: Machine, device: EthernetDevice, addresses: Addresses, limits: Limits, counters: Counters) {
    super(machine, device, counters)
    this.ipv4 = new Ipv4Host(this, machine, addresses, limits)
    this.loopback = new Loopback(machine, this.ipv4, counters)
  }

  /** Other addresses from now on, or the same on another wire. Nobody may have a connection any more that the old ones were good for. */
  readdress(addresses: Addresses): void {
    this.mac.set(macWords(this.device.mac))
    this.longest = ETH_BYTES + this.device.mtu
    this.paths.clear()
    this.ipv4.readdress(addresses)
  }

  /** A frame arrived from the device: `length` bytes, from the Ethernet header on. */
  receive(frame: Frame, length: number): void {
    const counters = this.counters
    const u16 = frame.u16
    counters.framesIn++
    if (length < ETH_BYTES) {
      counters.malformed++
      return
    }
    const type = u16[ETH_TYPE]
    const { mac } = this
    const isOurs = u16[0] === mac[0] && u16[1] === mac[1] && u16[2] === mac[2]
    if (type === TYPE_IPV4 && isOurs) this.ipv4.receive(frame, length)
    else if (type === TYPE_ARP && (isOurs || isTo(u16, BROADCAST_MAC))) this.#arp(u16, length)
    else if (type === TYPE_IPV4 && isTo(u16, BROADCAST_MAC)) this.ipv4.receiveBroadcast(frame, length)
    else counters.foreign++ // multicast too: there are no groups
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

  /** The route to all hosts of the link, by the address that means them as text; undefined when it does not. For UDP only. */
  broadcastTo(address: string): Route | undefined {
    return this.ipv4.broadcastTo(address)
  }

  /** The route to a peer by its address as text; undefined when that is none of a family that this interface has. */
  routeTo(address: string): Route | undefined {
    return this.ipv4.routeTo(address)
  }

  close(): void {
    this.ipv4.close()
    this.loopback.close()
  }
}

const nobody: Receiver = { receive() {} }
