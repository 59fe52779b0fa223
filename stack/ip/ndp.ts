/**
 * Neighbour discovery (RFC 4861): asks for neighbours' MAC addresses, answers for ours, and notices that somebody else has one of ours (RFC 4862
 * section 5.4). As in ARP, only our own traffic and questions that ask for us make entries in the cache; an answer that nobody asked for may
 * change one.
 *
 * Questions come from the address that we talk from, not from the link's own: netvms of Qubes let nothing in that comes from another.
 */
import type { Frame, Log, Timer, Timers } from '@xen-ts/runtime/machine'
import { LimitedLog } from '../limited.ts'
import { formatMac, isSame, isUnicast, type MacWords, swap16, TYPE_IPV6, writeEthernet } from '../wire/ethernet.ts'
import { ICMP6_CHECKSUM, ICMP6_VALUE, NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts'
import { IP6_DESTINATION, IP6_LENGTH, IP6_PAYLOAD, IP6_SOURCE, ip6HopLimit, writeIpv6 } from '../wire/ipv6.ts'
import {
  ALL_NODES,
  ANY6,
  formatIpv6,
  groupMac,
  type Ipv6,
  ipv6At,
  ipv6Of,
  isAny6,
  isMulticast,
  keyOf,
  solicitedNode,
} from '../wire/ipv6-address.ts'
import type { Ipv6Host } from './ipv6.ts'
import type { OwnAddress } from './ipv6-own.ts'
import type { Neighbour } from './neighbour.ts'
import { NeighbourCache } from './neighbour-cache.ts'

/** From the message: target address, options. In words and bytes. */
const TARGET = 4
const MESSAGE_BYTES = 24
const OPTION_BYTES = 8
/** Options: type and length in units of 8 bytes, as they read in one word. */
export const SOURCE_MAC = 0x0101
const TARGET_MAC = 0x0102

/** Flags of an advertisement, where they stand in a word. */
const SOLICITED = 0x40
const OVERRIDE = 0x20

/** Hop limit of all messages: no router lets one pass with it, so they are from the link (section 11.2). */
export const FROM_LINK = 255
/** Milliseconds in which another host may claim an address that we have just taken (RetransTimer). */
const CLAIM_TIME = 1_000
/** Milliseconds between two lines of the log about somebody who has our address. */
const COMPLAINT_PAUSE = 60_000

export class Ndp {
  readonly #host: Ipv6Host
  readonly #timers: Timers
  readonly #log: Log
  /** A router gives addresses, and somebody else says that he has them: as often as both like. */
  readonly #limited: LimitedLog
  readonly #cache: NeighbourCache<string>
  /** Addresses that we have just taken. */
  readonly #claims = new Map<OwnAddress, Timer>()
  #quietUntil = -Infinity
  /** Somebody else has an address of ours. */
  onConflict: (own: OwnAddress) => void = () => {}

  constructor(host: Ipv6Host, { timers, log, limit }: { timers: Timers; log: Log; limit: number }) {
    this.#host = host
    this.#timers = timers
    this.#log = log
    this.#limited = new LimitedLog(log, timers)
    const { device, counters } = host.link
    this.#cache = new NeighbourCache(
      { device, timers, log, counters, limit },
      {
        protocol: 'neighbour solicitation',
        // Where a neighbour was is asked first: it is there still as a rule, and no one else is disturbed (section 7.3.1).
        ask: ({ key, mac, tries }) => this.#solicit(ipv6Of(key), tries === 1 ? mac : undefined),
        format: key => formatIpv6(ipv6Of(key)),
      },
    )
  }

  /** Entries, unanswered ones included. */
  get size(): number {
    return this.#cache.size
  }

  set gateway(address: Ipv6 | undefined) {
    this.#cache.gateway = address && keyOf(address)
  }

  /** The entry for an address on the link, or the gateway's; starts asking when there is no fresh answer. */
  get(address: Ipv6): Neighbour | undefined {
    return this.#cache.get(keyOf(address))
  }

  /** What goes through a neighbour now goes another way: routes ask for it again. */
  abandon(address: Ipv6): void {
    const entry = this.#cache.find(keyOf(address))
    if (entry !== undefined) this.#cache.remove(entry)
  }

  /**
   * Asks whether somebody has an address that we take now, and tells neighbours afterwards that it is ours. It is used meanwhile, as one of
   * IPv4 is (RFC 4862 has a host wait).
   */
  claim(own: OwnAddress): void {
    this.#send(NEIGHBOUR_SOLICITATION, 0, ANY6, own.group, undefined, own.address, 0)
    const timer = this.#timers.set(CLAIM_TIME, () => {
      this.#claims.delete(own)
      this.announce(own)
    })
    this.#claims.set(own, timer)
  }

  /** Neighbours hear that an address is at our MAC address (section 7.2.6). */
  announce(own: OwnAddress): void {
    this.#send(NEIGHBOUR_ADVERTISEMENT, OVERRIDE, own.address, ALL_NODES, undefined, own.address, TARGET_MAC)
  }

  /**
   * A solicitation or advertisement arrived whose checksum is right: `length` bytes at byte `at` of the frame. `isGroup`: to a group.
   */
  receive(frame: Frame, at: number, length: number, isGroup: boolean): void {
    const { u8, u16 } = frame
    const { counters } = this.#host.link
    const word = at >>> 1
    const target = length < MESSAGE_BYTES ? ANY6 : ipv6At(u16, word + TARGET)
    const mac = optionOf(frame, at + MESSAGE_BYTES, at + length, u8[at] === NEIGHBOUR_SOLICITATION ? SOURCE_MAC : TARGET_MAC)
    if (length < MESSAGE_BYTES || ip6HopLimit(u16) !== FROM_LINK || u8[at + 1] !== 0 || isMulticast(target) || mac === null) {
      counters.malformed++
      return
    }
    const taken = u8[at] === NEIGHBOUR_SOLICITATION ? this.#asked(u16, target, mac) : this.#answered(u16, word, target, mac, isGroup)
    if (!taken) counters.ndpIgnored++
  }

  /** The device is on another wire, or has other addresses. */
  clear(): void {
    this.#cache.clear()
    for (const timer of this.#claims.values()) timer.cancel()
    this.#claims.clear()
  }

  close(): void {
    this.clear()
    this.#cache.close()
  }

  /** Section 7.2.3 and 7.2.4. */
  #asked(u16: Uint16Array, target: Ipv6, mac: MacWords | undefined): boolean {
    const own = this.#host.ownOf(target)
    if (own === undefined) return false
    const source = ipv6At(u16, IP6_SOURCE)
    const senderMac = u16.slice(3, 6)
    if (isAny6(source)) {
      // Somebody wants the address for himself: he hears that it is taken, unless we ask at the same time.
      if (mac !== undefined || !own.hasGroupAt(u16, IP6_DESTINATION) || isSame(senderMac, this.#host.link.mac)) return false
      if (this.#claims.has(own)) this.#conflict(own, senderMac)
      else this.announce(own)
      return true
    }
    if (!this.#host.isHost(source)) return false
    if (mac !== undefined) {
      if (!isUnicast(mac) || isSame(mac, this.#host.link.mac)) return false
      const entry = this.#host.isOnLink(source) ? this.#cache.findOrAdd(keyOf(source)) : this.#cache.find(keyOf(source))
      if (entry !== undefined) this.#cache.learn(entry, mac)
    }
    const to = mac ?? senderMac
    if (!isUnicast(to)) return false
    // Who had the address before shall not lose it by our answer.
    const flags = this.#claims.has(own) ? SOLICITED : SOLICITED | OVERRIDE
    this.#send(NEIGHBOUR_ADVERTISEMENT, flags, own.address, source, to, own.address, TARGET_MAC)
    return true
  }

  /** Section 7.2.5. */
  #answered(u16: Uint16Array, word: number, target: Ipv6, mac: MacWords | undefined, isGroup: boolean): boolean {
    const flags = u16[word + ICMP6_VALUE] & 0xff
    const isAnswer = (flags & SOLICITED) !== 0
    if (isAnswer && isGroup) return false
    const own = this.#host.ownOf(target)
    if (own !== undefined) {
      const senderMac = mac ?? u16.slice(3, 6)
      if (isSame(senderMac, this.#host.link.mac)) return false
      this.#conflict(own, senderMac)
      return true
    }
    const entry = this.#cache.find(keyOf(target))
    if (entry === undefined || mac === undefined || !isUnicast(mac) || isSame(mac, this.#host.link.mac)) return false
    const isKnown = entry.mac !== undefined
    const moves = isKnown && !isSame(entry.mac!, mac)
    if (moves && (flags & OVERRIDE) === 0) this.#cache.doubt(entry)
    else if (isAnswer) this.#cache.learn(entry, mac)
    else if (!isKnown || moves) this.#cache.learnUnsure(entry, mac)
    return true
  }

  /** Two hosts cannot have one address. Who had it before keeps it; later on, all we can do is to say so. */
  #conflict(own: OwnAddress, mac: MacWords): void {
    const claim = this.#claims.get(own)
    if (claim === undefined) {
      const now = this.#timers.now()
      if (now < this.#quietUntil) return
      this.#quietUntil = now + COMPLAINT_PAUSE
      this.#log.warn(`${formatMac(mac)} says that it has our address ${own.text}: give one of both hosts another`)
      return
    }
    claim.cancel()
    this.#claims.delete(own)
    this.#limited.write(
      'error',
      () => `address ${own.text} is not used: the host at ${formatMac(mac)} has it already; give one of them another`,
    )
    this.onConflict(own)
  }

  #solicit(target: Ipv6, mac: MacWords | undefined): void {
    const own = keyOf(target) === this.#cache.gateway ? this.#host.main : this.#host.ownFor(target)
    if (own.isGone) return
    this.#send(NEIGHBOUR_SOLICITATION, 0, own.address, mac === undefined ? solicitedNode(target) : target, mac, target, SOURCE_MAC)
  }

  /** `mac`: of the destination, when that is no group; `option`: which of its options tells our MAC address, 0 for none. */
  #send(type: number, flags: number, source: Ipv6, destination: Ipv6, mac: MacWords | undefined, target: Ipv6, option: number): void {
    const { link } = this.#host
    const frame = link.reserve()
    if (frame === undefined) return
    const { u16 } = frame
    const word = IP6_PAYLOAD >>> 1
    const length = MESSAGE_BYTES + (option === 0 ? 0 : OPTION_BYTES)
    u16[word] = type
    u16[word + ICMP6_VALUE] = flags
    u16[word + ICMP6_VALUE + 1] = 0
    u16.set(target, word + TARGET)
    if (option !== 0) {
      const at = word + MESSAGE_BYTES / 2
      u16[at] = option
      u16.set(link.mac, at + 1)
    }
    sendOnLink(this.#host, frame, source, destination, mac ?? groupMac(destination), length)
  }
}

/** Completes and sends a message of ICMPv6 that does not leave the link: `length` bytes at IP6_PAYLOAD of a frame that was reserved. */
export function sendOnLink({ link }: Ipv6Host, frame: Frame, source: Ipv6, destination: Ipv6, mac: MacWords, length: number): void {
  const { u8, u16 } = frame
  writeEthernet(u16, mac, link.mac, TYPE_IPV6)
  writeIpv6(u16, source, destination, PROTOCOL_ICMPV6, FROM_LINK)
  u16[IP6_LENGTH] = swap16(length)
  const word = IP6_PAYLOAD >>> 1
  u16[word + ICMP6_CHECKSUM] = 0
  const addresses = link.abi.checksum(u8, IP6_SOURCE * 2, 32, 0)
  u16[word + ICMP6_CHECKSUM] = ~link.abi.checksum(u8, IP6_PAYLOAD, length, addresses + (PROTOCOL_ICMPV6 << 8) + swap16(length))
  link.counters.framesOut++
  link.device.send(frame, IP6_PAYLOAD + length)
}

/**
 * The MAC address in the option `wanted` of those between byte `at` and `end`; undefined when there is none; null when the options are
 * malformed (section 4.6: the whole message is dropped then).
 */
export function optionOf({ u8, u16 }: Pick<Frame, 'u8' | 'u16'>, at: number, end: number, wanted: number): MacWords | undefined | null {
  let found: MacWords | undefined
  while (at < end) {
    const size = at + 2 <= end ? u8[at + 1] * 8 : 0
    if (size === 0 || at + size > end) return null
    if (u16[at >>> 1] === wanted) found ??= u16.slice((at >>> 1) + 1, (at >>> 1) + 4)
    at += size
  }
  return found
}
