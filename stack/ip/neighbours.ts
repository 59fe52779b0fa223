/**
 * The ARP cache (RFC 826). Bounded: a few dozen neighbours, a few frames waiting for each, a few tries. Only our own traffic and
 * requests that ask for us make entries; a reply that nobody asked for makes none. It may change one (RFC 826, and RFC 5227 section 3: a host
 * that moves says so itself), so whoever is on the link can take a neighbour's place, as on every link with ARP.
 *
 * The gateway is special. In Qubes it is off the link, its Linux end has the MAC fe:ff:ff:ff:ff:ff, and some network VMs answer no
 * ARP at all: after a few tries that address is used, and ARP goes on trying in the background.
 */
import type { EthernetDevice, Log, Timer, Timers } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { LimitedLog } from '../limited.ts'
import { ARP_FRAME_BYTES, ARP_REPLY, ARP_REQUEST, arpOperation, arpSenderIp, arpSenderMac, arpTargetIp, writeArp } from '../wire/arp.ts'
import { ETH_SOURCE, formatMac, isSame, isUnicast, type MacWords } from '../wire/ethernet.ts'
import { ANY, formatIpv4, type Ipv4 } from '../wire/ipv4-address.ts'
import { Neighbour } from './neighbour.ts'

/** Milliseconds between tries, their number, and how long an answer is believed. */
const RETRY = 300
const TRIES = 3
const LIFETIME = 60_000

const FALLBACK_MAC: MacWords = new Uint16Array([0xfffe, 0xffff, 0xffff])

class Entry extends Neighbour {
  readonly ip: Ipv4
  /** Questions in a row without an answer. */
  tries = 0
  timer: Timer | undefined = undefined

  constructor(ip: Ipv4) {
    super()
    this.ip = ip
  }
}

export class Neighbours {
  readonly #device: EthernetDevice
  readonly #timers: Timers
  readonly #log: Log
  /** For what others on the link can cause as often as they like. */
  readonly #limited: LimitedLog
  readonly #counters: Counters
  readonly #mac: MacWords
  #address: Ipv4
  #gateway: Ipv4 | undefined
  readonly #isHost: (ip: Ipv4) => boolean
  readonly #limit: number
  readonly #entries = new Map<Ipv4, Entry>()
  /** Somebody else asks or answers: for who looks whether an address is taken (probe.ts). */
  onSender: ((sender: Ipv4, target: Ipv4, isRequest: boolean) => void) | undefined = undefined
  #versions = 0
  #closed = false

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
    this.#timers = parts.timers
    this.#log = parts.log
    this.#limited = new LimitedLog(parts.log, parts.timers)
    this.#counters = parts.counters
    this.#mac = parts.mac
    this.#address = parts.address
    this.#gateway = parts.gateway
    this.#isHost = parts.isHost
    this.#limit = parts.limit
  }

  /** The entry for an address on the link, or the gateway's; starts asking when there is no fresh answer. undefined after `close`. */
  get(ip: Ipv4): Neighbour | undefined {
    if (this.#closed) return undefined
    let entry = this.#entries.get(ip)
    if (entry === undefined) {
      if (this.#entries.size >= this.#limit) this.#evict()
      entry = new Entry(ip)
      this.#entries.set(ip, entry)
    }
    if (entry.version === 0 && entry.timer === undefined) this.#ask(entry)
    return entry
  }

  /**
   * The device is on another wire, or has another address: what is known of neighbours is forgotten, and they are told (RFC 5227
   * section 3).
   */
  reset(address: Ipv4, gateway: Ipv4 | undefined): void {
    for (const entry of this.#entries.values()) this.#forget(entry)
    this.#entries.clear()
    this.#address = address
    this.#gateway = gateway
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
    if (senderIp === ANY && forUs && operation === ARP_REQUEST) {
      this.#send(ARP_REPLY, senderMac, senderIp) // a probe (RFC 5227): the address is taken
      return
    }
    if (!this.#isHost(senderIp)) {
      this.#counters.arpIgnored++
      return
    }
    let entry = this.#entries.get(senderIp)
    if (entry === undefined && forUs && operation === ARP_REQUEST && this.#entries.size < this.#limit) {
      entry = new Entry(senderIp)
      this.#entries.set(senderIp, entry)
    }
    if (entry !== undefined) this.#learn(entry, senderMac)
    if (forUs && operation === ARP_REQUEST) this.#send(ARP_REPLY, senderMac, senderIp)
    else if (entry === undefined) this.#counters.arpIgnored++
  }

  close(): void {
    this.#closed = true
    for (const entry of this.#entries.values()) this.#forget(entry)
    this.#entries.clear()
  }

  #learn(entry: Entry, mac: MacWords): void {
    const old = entry.mac
    if (old === undefined || !isSame(old, mac)) {
      entry.mac = mac
      this.#limited.write('debug', () => `${formatIpv4(entry.ip)} is at ${formatMac(mac)}`)
    }
    entry.version = ++this.#versions
    entry.tries = 0
    entry.timer?.cancel()
    entry.timer = this.#timers.set(LIFETIME, () => {
      entry.timer = undefined
      entry.version = 0 // the next frame asks again, and meanwhile goes to the known address
    })
    for (const { frame, length, offload } of entry.waiting.splice(0)) {
      frame.u16.set(mac, 0)
      this.#device.send(frame, length, offload)
    }
  }

  #ask(entry: Entry): void {
    if (entry.tries === TRIES) {
      this.#unanswered(entry)
      return
    }
    entry.tries++
    this.#send(ARP_REQUEST, undefined, entry.ip)
    entry.timer = this.#timers.set(RETRY, () => {
      entry.timer = undefined
      this.#ask(entry)
    })
  }

  #unanswered(entry: Entry): void {
    if (entry.ip === this.#gateway) {
      if (entry.mac === undefined) this.#log.info(`gateway ${formatIpv4(entry.ip)} answers no ARP, using fe:ff:ff:ff:ff:ff`)
      this.#learn(entry, entry.mac ?? FALLBACK_MAC)
      return
    }
    this.#limited.write('debug', () => `${formatIpv4(entry.ip)} answers no ARP`)
    this.#entries.delete(entry.ip)
    this.#forget(entry)
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

  /** Makes room: the oldest entry goes, but never the gateway. */
  #evict(): void {
    for (const entry of this.#entries.values()) {
      if (entry.ip === this.#gateway) continue
      this.#entries.delete(entry.ip)
      this.#forget(entry)
      return
    }
  }

  #forget(entry: Entry): void {
    entry.version = 0
    entry.mac = undefined
    entry.timer?.cancel()
    entry.timer = undefined
    for (const { frame } of entry.waiting.splice(0)) {
      this.#counters.noRoute++
      this.#device.discard(frame)
    }
  }
}
