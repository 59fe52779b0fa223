/** The interface: takes frames from the device and hands them to the family they are of, and sends what routes have built. */
import { COMPLETE, type EthernetDevice, type Frame, type HostFunctions, type Machine } from '@xen-ts/runtime/machine'
import type { Addresses, Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import { BROADCAST_MAC, ETH_BYTES, ETH_TYPE, isTo, type MacWords, macWords, TYPE_ARP, TYPE_IPV4 } from '../wire/ethernet.ts'
import { ErrorLimit } from './error-limit.ts'
import { Ipv4Host } from './ipv4.ts'
import type { Neighbour } from './neighbour.ts'
import { PathMtus } from './path-mtu.ts'
import type { Route } from './route.ts'

/**
 * A transport protocol. `at` is the byte where its header begins (even), `length` its bytes with header; the IP header before it
 * was checked, and `route` leads back to the sender, a host. The frame is valid during the call only.
 */
export interface Receiver {
  receive(frame: Frame, at: number, length: number, route: Route): void
}

export class Interface {
  readonly abi: HostFunctions
  readonly device: EthernetDevice
  readonly counters: Counters
  readonly mac: MacWords
  readonly ipv4: Ipv4Host
  /** Set by the stack once all parts exist. */
  tcp: Receiver = nobody
  udp: Receiver = nobody
  /** For both families: what is known of paths, and how many ICMP errors may go out. */
  readonly paths: PathMtus
  readonly errorLimit: ErrorLimit
  /** Bytes of the longest frame on the link. Only those of TCP can be longer: a device may leave it to us to take them uncut. */
  longest: number

  constructor(machine: Machine, device: EthernetDevice, addresses: Addresses, limits: Limits, counters: Counters) {
    this.abi = machine.abi
    this.device = device
    this.counters = counters
    this.mac = macWords(device.mac)
    this.paths = new PathMtus(machine.timers)
    this.errorLimit = new ErrorLimit(machine.timers)
    this.longest = ETH_BYTES + device.mtu
    this.ipv4 = new Ipv4Host(this, machine, addresses, limits)
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
    // A packet to one host in a frame to all is not to be taken (RFC 1122 section 3.3.6), and packets to all are for nobody here but DHCP.
    else if (type === TYPE_IPV4 && isTo(u16, BROADCAST_MAC)) this.astray(frame, length)
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

  /** The route to a peer by its address as text; undefined when that is none of a family that this interface has. */
  routeTo(address: string): Route | undefined {
    return this.ipv4.routeTo(address)
  }

  /** A frame to build a packet in, or undefined (counted): then the packet is lost, as on any wire. `length`: see EthernetDevice. */
  reserve(length = 0): Frame | undefined {
    const frame = this.device.reserve(length)
    if (frame === undefined) this.counters.noFrame++
    return frame
  }

  /** Sends a finished frame, or keeps it until the neighbour's MAC address is known. `offload`: see EthernetDevice.send. */
  transmit(hop: Neighbour, frame: Frame, length: number, offload = COMPLETE): void {
    this.counters.framesOut++
    if (hop.mac !== undefined) {
      this.device.send(frame, length, offload)
    } else if (!hop.hold(frame, length, offload)) {
      this.counters.noRoute++
      this.device.discard(frame)
    }
  }

  close(): void {
    this.ipv4.close()
  }
}

const nobody: Receiver = { receive() {} }
