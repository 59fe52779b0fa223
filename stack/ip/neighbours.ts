/**
 * ARP (RFC 826): asks for neighbours' MAC addresses, and answers for ours. Only our own traffic and requests that ask for us make entries in
 * the cache; a reply that nobody asked for makes none. It may change one (RFC 826, and RFC 5227 section 3: a host that moves says so itself), but
 * the next frame asks whether that is so. Whoever is on the link can take a neighbour's place for as long as he answers faster, as on every
 * link with ARP.
 */
import type { EthernetDevice, Log, Timers } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { ARP_FRAME_BYTES, ARP_REPLY, ARP_REQUEST, arpOperation, arpSenderIp, arpSenderMac, arpTargetIp, writeArp } from '../wire/arp.ts'
import { ETH_SOURCE, isSame, isUnicast, type MacWords } from '../wire/ethernet.ts'
import { ANY, formatIpv4, type Ipv4 } from '../wire/ipv4-address.ts'
import { Defence } from './defence.ts'
import type { Neighbour } from './neighbour.ts'
import { NeighbourCache } from './neighbour-cache.ts'

export class Neighbours {
  readonly #device: EthernetDevice
  readonly #counters: Counters
  readonly #mac: MacWords
  #address: Ipv4
  readonly #defence: Defence
  readonly #isHost: (ip: Ipv4) => boolean
  readonly #cache: NeighbourCache<Ipv4>
  /** Somebody else asks or answers: for who looks whether an address is taken (probe.ts). */
  onSender: ((sender: Ipv4, target: Ipv4, isRequest: boolean) => void) | undefined = undefined

  constructor(parts: {
    device: EthernetDevice
    timers: Timers
    log: Log
    counters: Counters
    mac: MacWords
    address: Ipv4
    gateway: Ipv4 | undefined
    /** Whether an address can be a neighbour's. */
    isHost(ip: Ipv4): boolean
    limit: number
  }) {
    this.#device = parts.device
    this.#counters = parts.counters
    this.#mac = parts.mac
    this.#address = parts.address
    this.#defence = new Defence(parts)
    this.#isHost = parts.isHost
    this.#cache = new NeighbourCache(parts, {
      protocol: 'ARP',
      ask: ({ key }) => this.#send(ARP_REQUEST, undefined, key),
      format: formatIpv4,
    })
    this.#cache.gateway = parts.gateway
  }

  /** Entries, unanswered ones included. */
  get size(): number {
    return this.#cache.size
  }

  /** The entry for an address on the link, or the gateway's; starts asking when there is no fresh answer. undefined after `close`. */
  get(ip: Ipv4): Neighbour | undefined {
    return this.#cache.get(ip)
  }

  /**
   * The device is on another wire, or has another address: what is known of neighbours is forgotten, and they are told (RFC 5227
   * section 3).
   */
  reset(address: Ipv4, gateway: Ipv4 | undefined): void {
    this.#cache.clear()
    if (this.#address !== address) this.#defence.reset()
    this.#address = address
    this.#cache.gateway = gateway
    if (address === ANY) return
    this.#send(ARP_REQUEST, undefined, address)
    if (gateway !== undefined) this.get(gateway)
  }

  /** A frame of type ARP arrived. */
  receive(u16: Uint16Array, length: number): void {
    this.#counters.arpIn++
    const operation = arpOperation(u16, length)
    if (operation === 0) {
      this.#counters.malformed++
      return
    }
    const senderIp = arpSenderIp(u16)
    const senderMac = arpSenderMac(u16)
    const forUs = this.#address !== ANY && arpTargetIp(u16) === this.#address
    // Whoever asks or answers is one host, and not ourselves: an answer to a group would be an amplifier, and so would be learning it.
    if (!isUnicast(senderMac) || (u16[ETH_SOURCE] & 1) !== 0 || isSame(senderMac, this.#mac)) {
      this.#counters.arpIgnored++
      return
    }
    this.onSender?.(senderIp, arpTargetIp(u16), operation === ARP_REQUEST)
    if (senderIp === this.#address && senderIp !== ANY) {
      this.#counters.arpConflicts++
      if (this.#defence.mustDefend(senderIp, senderMac)) this.#send(ARP_REQUEST, undefined, senderIp)
      return
    }
    if (senderIp === ANY && forUs && operation === ARP_REQUEST) {
      this.#send(ARP_REPLY, senderMac, senderIp) // a probe (RFC 5227): the address is taken
      return
    }
    if (!this.#isHost(senderIp)) {
      this.#counters.arpIgnored++
      return
    }
    const asksForUs = forUs && operation === ARP_REQUEST
    const entry = asksForUs ? this.#cache.findOrAdd(senderIp) : this.#cache.find(senderIp)
    if (entry !== undefined) this.#cache.learn(entry, senderMac)
    if (asksForUs) this.#send(ARP_REPLY, senderMac, senderIp)
    else if (entry === undefined) this.#counters.arpIgnored++
  }

  close(): void {
    this.#cache.close()
  }

  #send(operation: number, targetMac: MacWords | undefined, targetIp: Ipv4): void {
    const frame = this.#device.reserve()
    if (frame === undefined) {
      this.#counters.noFrame++
      return
    }
    writeArp(frame.u16, operation, this.#mac, this.#address, targetMac, targetIp)
    this.#counters.framesOut++
    this.#device.send(frame, ARP_FRAME_BYTES)
  }
}
