/**
 * The interface: takes frames from the device, checks them up to the IP header and hands them to ARP, ICMP, UDP and TCP; and finds
 * the next hop for what goes out.
 */

import { COMPLETE, type EthernetDevice, type Frame, type HostFunctions, type Machine } from '@xen-ts/runtime/machine'
import { ANY, type Ipv4, isSpecial } from '../address.ts'
import { type Addresses, type Limits, noAddresses } from '../config.ts'
import type { Counters } from '../counters.ts'
import { ETH_BYTES, ETH_TYPE, isForUs, type MacWords, macWords, TYPE_ARP, TYPE_IPV4, writeEthernet } from '../wire/ethernet.ts'
import {
  checkIpv4,
  IP_BAD_CHECKSUM,
  IP_BYTES,
  IP_DESTINATION,
  IP_FRAGMENTED,
  IP_SOURCE_ROUTED,
  ipLength,
  ipProtocol,
  ipSource,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  writeIpv4,
} from '../wire/ipv4.ts'
import { type Neighbour, Neighbours } from './neighbours.ts'

/**
 * A transport protocol. `at` is the byte where its header begins (even), `length` its bytes with header; the IP header before it
 * was checked, and `source` is a host's address. The frame is valid during the call only.
 */
export interface Receiver {
  receive(frame: Frame, at: number, length: number, source: Ipv4): void
}

export class Interface {
  readonly abi: HostFunctions
  readonly device: EthernetDevice
  readonly counters: Counters
  address: Ipv4 = ANY
  readonly mac: MacWords
  readonly neighbours: Neighbours
  /** Set by the stack once all parts exist. */
  tcp: Receiver = nobody
  udp: Receiver = nobody
  icmp: Receiver = nobody
  #addresses: Addresses = noAddresses
  /** Bytes of the longest frame on the link. Only those of TCP can be longer: a device may leave it to us to take them uncut. */
  #longest = 0
  /** The address as it stands in a packet; -1 without one, which is in none. */
  #addressLow = -1
  #addressHigh = -1

  constructor(machine: Machine, device: EthernetDevice, addresses: Addresses, limits: Limits, counters: Counters) {
    this.abi = machine.abi
    this.device = device
    this.counters = counters
    this.mac = macWords(device.mac)
    this.#take(addresses)
    this.neighbours = new Neighbours({
      device,
      timers: machine.timers,
      log: machine.log('stack:arp'),
      counters,
      mac: this.mac,
      address: addresses.address,
      gateway: addresses.gateway,
      limit: limits.neighbours,
    })
  }

  /** Other addresses from now on, or the same on another wire. Nobody may have a connection any more that the old ones were good for. */
  readdress(addresses: Addresses): void {
    this.mac.set(macWords(this.device.mac))
    this.#take(addresses)
    this.neighbours.reset(addresses.address, addresses.gateway)
  }

  #take(addresses: Addresses): void {
    const { address } = addresses
    this.address = address
    this.#addresses = addresses
    this.#longest = ETH_BYTES + this.device.mtu
    this.#addressLow = address === ANY ? -1 : address & 0xffff
    this.#addressHigh = address === ANY ? -1 : address >>> 16
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
    if ((type !== TYPE_IPV4 && type !== TYPE_ARP) || !isForUs(u16, this.mac)) {
      counters.foreign++
      return
    }
    if (length > this.#longest && (type === TYPE_ARP || ipProtocol(u16) !== PROTOCOL_TCP)) {
      counters.malformed++
      return
    }
    if (type === TYPE_ARP) {
      this.neighbours.receive(u16, length)
      return
    }
    const header = checkIpv4(this.abi, frame.u8, u16, length)
    if (header < 0) {
      this.#refused(header)
      return
    }
    // Broadcast is for DHCP, which does not come through here; a source must be a host that is not ourselves.
    const source = ipSource(u16)
    const isOurs = u16[IP_DESTINATION] === this.#addressLow && u16[IP_DESTINATION + 1] === this.#addressHigh
    if (!isOurs || isSpecial(source) || source === this.address) {
      counters.badAddress++
      return
    }
    const at = ETH_BYTES + header
    const payload = ipLength(u16) - header
    const protocol = ipProtocol(u16)
    if (protocol === PROTOCOL_TCP) this.tcp.receive(frame, at, payload, source)
    else if (protocol === PROTOCOL_UDP) this.udp.receive(frame, at, payload, source)
    else if (protocol === PROTOCOL_ICMP) this.icmp.receive(frame, at, payload, source)
    else counters.foreign++
  }

  #refused(reason: number): void {
    if (reason === IP_BAD_CHECKSUM) this.counters.badChecksum++
    else if (reason === IP_FRAGMENTED) this.counters.fragments++
    else if (reason === IP_SOURCE_ROUTED) this.counters.sourceRouted++
    else this.counters.malformed++
  }

  /** The neighbour through which `destination` is reached; undefined when there is no route. */
  nextHop(destination: Ipv4): Neighbour | undefined {
    const { address, mask, bits, gateway } = this.#addresses
    if (isSpecial(destination) || destination === address) return undefined
    if (bits < 32 && ((destination ^ address) & mask) === 0) return this.neighbours.get(destination)
    return gateway === undefined ? undefined : this.neighbours.get(gateway)
  }

  /** A frame to build a packet in, or undefined (counted): then the packet is lost, as on any wire. `length`: see EthernetDevice. */
  reserve(length = 0): Frame | undefined {
    const frame = this.device.reserve(length)
    if (frame === undefined) this.counters.noFrame++
    return frame
  }

  /** Writes the Ethernet and IP headers round `length` bytes of payload, which stand at byte 34, and sends the frame. */
  send(frame: Frame, destination: Ipv4, protocol: number, length: number): void {
    const hop = this.nextHop(destination)
    if (hop === undefined) {
      this.counters.noRoute++
      this.device.discard(frame)
      return
    }
    writeEthernet(frame.u16, hop.mac ?? this.mac, this.mac, TYPE_IPV4)
    writeIpv4(frame.u16, this.address, destination, protocol, IP_BYTES + length)
    this.transmit(hop, frame, ETH_BYTES + IP_BYTES + length)
  }

  /** Sends a finished frame, or keeps it until the neighbour has answered ARP. `offload`: see EthernetDevice.send. */
  transmit(hop: Neighbour, frame: Frame, length: number, offload = COMPLETE): void {
    this.counters.framesOut++
    if (hop.mac === undefined) this.neighbours.hold(hop, frame, length, offload)
    else this.device.send(frame, length, offload)
  }
}

const nobody: Receiver = { receive() {} }
