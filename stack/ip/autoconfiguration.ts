/**
 * Addresses, router and name servers as the routers of the link advertise them (RFC 4862, RFC 4861 section 6.3, RFC 8106). Whoever is on the link
 * can say that he is a router, as on every link without guards; so all that is kept is bounded, nobody can take an address away at once (RFC 4862
 * section 5.5.3), and what is for shorter than a minute is not worth having.
 */
import type { Frame, Timer, Timers } from '@xen-ts/runtime/machine'
import { ROUTER_SOLICITATION } from '../wire/icmpv6.ts'
import { IP6_PAYLOAD, IP6_SOURCE, ip6HopLimit, LEAST_MTU6 } from '../wire/ipv6.ts'
import {
  ALL_ROUTERS,
  formatIpv6,
  groupMac,
  type Ipv6,
  ipv6At,
  ipv6Of,
  isLinkLocal,
  isSame6,
  isSpecial6,
  keyOf,
  withInterfaceId,
} from '../wire/ipv6-address.ts'
import { type AdvertisedPrefix, readAdvertisement, SOLICITATION_BYTES } from '../wire/router-advertisement.ts'
import type { Ipv6Host } from './ipv6.ts'
import { OwnAddress } from './ipv6-own.ts'
import { FROM_LINK, SOURCE_MAC, sendOnLink } from './ndp.ts'

/** Bounds of what is kept. */
const MOST_ROUTERS = 4
const MOST_ADDRESSES = 4
const MOST_SERVERS = 3
/** Milliseconds that something must be good for. */
const SHORTEST = 60_000
/** What an advertisement, which nobody signs, can shorten the life of an address to (RFC 4862 section 5.5.3). */
const TWO_HOURS = 7_200_000
/** Milliseconds to the second question for routers, and the longest between two later ones (RFC 7559). */
const FIRST_PAUSE = 4_000
const LONGEST_PAUSE = 3_600_000

interface Lifetimes {
  /** On the clock of the timers, in milliseconds. */
  valid: number
  preferred: number
}

export class Autoconfiguration {
  readonly #host: Ipv6Host
  readonly #timers: Timers
  readonly #addresses = new Map<OwnAddress, Lifetimes>()
  /** When the lifetimes of routers and name servers are over, by address. */
  readonly #routers = new Map<string, number>()
  readonly #servers = new Map<string, number>()
  #isOn = false
  #mtu: number | undefined = undefined
  #expiry: Timer | undefined = undefined
  #question: Timer | undefined = undefined
  #pause = FIRST_PAUSE
  /** There is a new address, or other name servers; the stack's. */
  onChange: () => void = () => {}

  constructor(host: Ipv6Host, timers: Timers) {
    this.#host = host
    this.#timers = timers
  }

  get addresses(): OwnAddress[] {
    return [...this.#addresses.keys()]
  }

  /** The router that was heard of first. */
  get gateway(): Ipv6 | undefined {
    for (const key of this.#routers.keys()) return ipv6Of(key)
    return undefined
  }

  get servers(): string[] {
    return [...this.#servers.keys()]
  }

  get mtu(): number {
    return this.#mtu ?? Infinity
  }

  /** Asks for routers: at the start, and on another wire, where what is known is good until its time is over. */
  start(): void {
    this.#isOn = true
    this.#pause = FIRST_PAUSE
    this.#ask()
  }

  /** Forgets everything. The addresses are the host's to drop. */
  stop(): void {
    this.#isOn = false
    this.#question?.cancel()
    this.#expiry?.cancel()
    this.#question = this.#expiry = undefined
    this.#addresses.clear()
    this.#routers.clear()
    this.#servers.clear()
    this.#mtu = undefined
  }

  /** An address is another host's. */
  drop(own: OwnAddress): void {
    this.#addresses.delete(own)
  }

  /** An advertisement arrived whose checksum is right: `length` bytes at byte `at` of the frame. */
  receive(frame: Frame, at: number, length: number): void {
    const { u8, u16 } = frame
    const { counters, device } = this.#host.link
    const router = ipv6At(u16, IP6_SOURCE)
    const said = readAdvertisement(frame, at, length)
    if (said === undefined || ip6HopLimit(u16) !== FROM_LINK || u8[at + 1] !== 0 || !isLinkLocal(router)) {
      counters.malformed++
      return
    }
    if (!this.#isOn) {
      counters.ndpIgnored++
      return
    }
    keep(this.#routers, keyOf(router), this.#until(said.lifetime), MOST_ROUTERS)
    // Only one that is a router ends the question (RFC 4861 section 6.3.7).
    if (said.lifetime > 0) {
      this.#question?.cancel()
      this.#question = undefined
    } else if (this.#routers.size === 0 && this.#question === undefined) {
      this.#pause = FIRST_PAUSE
      this.#askLater()
    }
    if (said.mtu !== undefined && said.mtu >= LEAST_MTU6 && said.mtu <= device.mtu) this.#mtu = said.mtu
    const before = this.servers.join()
    for (const { address, lifetime } of said.servers)
      if (!isSpecial6(address)) keep(this.#servers, formatIpv6(address), this.#until(lifetime), MOST_SERVERS)
    let isChanged = this.servers.join() !== before
    for (const prefix of said.prefixes) if (this.#advertised(prefix)) isChanged = true
    this.#host.routersChanged()
    this.#sweepLater()
    if (isChanged) this.onChange()
  }

  /** RFC 4862 section 5.5.3. True when there is a new address. */
  #advertised({ prefix, bits, isOnLink, isAutonomous, valid, preferred }: AdvertisedPrefix): boolean {
    if (!isAutonomous || bits !== 64 || preferred > valid || isLinkLocal(prefix)) return false
    const address = withInterfaceId(prefix, this.#host.link.mac)
    if (isSpecial6(address)) return false
    const now = this.#timers.now()
    const known = this.addresses.find(each => isSame6(each.address, address))
    if (known === undefined) {
      if (valid * 1000 < SHORTEST || this.#addresses.size >= MOST_ADDRESSES || this.#host.ownOf(address) !== undefined) return false
      const own = new OwnAddress(address, isOnLink ? 64 : 128)
      own.isDeprecated = preferred === 0
      this.#addresses.set(own, { valid: now + valid * 1000, preferred: now + preferred * 1000 })
      this.#host.add(own)
      return true
    }
    const lifetimes = this.#addresses.get(known)!
    const left = lifetimes.valid - now
    if (valid * 1000 > TWO_HOURS || valid * 1000 > left) lifetimes.valid = now + valid * 1000
    else if (left > TWO_HOURS) lifetimes.valid = now + TWO_HOURS
    lifetimes.preferred = now + preferred * 1000
    known.isDeprecated = preferred === 0
    return false
  }

  /** 0: not at all. */
  #until(seconds: number): number {
    return seconds === 0 ? 0 : this.#timers.now() + Math.max(seconds * 1000, SHORTEST)
  }

  #sweepLater(): void {
    this.#expiry?.cancel()
    const lifetimes = [...this.#addresses].flatMap(([own, { valid, preferred }]) => (own.isDeprecated ? [valid] : [valid, preferred]))
    const next = Math.min(...lifetimes, ...this.#routers.values(), ...this.#servers.values())
    // A timer of weeks is more than some clocks can do, and looking once a day costs nothing.
    const wait = Math.min(next - this.#timers.now(), 86_400_000)
    this.#expiry = next === Infinity ? undefined : this.#timers.set(wait, () => this.#sweep())
  }

  #sweep(): void {
    const now = this.#timers.now()
    const before = this.servers.join()
    for (const kept of [this.#routers, this.#servers]) for (const [key, until] of kept) if (until <= now) kept.delete(key)
    this.#host.routersChanged()
    for (const [own, { valid, preferred }] of [...this.#addresses]) {
      own.isDeprecated = preferred <= now
      if (valid > now) continue
      this.#addresses.delete(own)
      this.#host.lose(own)
    }
    this.#sweepLater()
    if (this.#routers.size === 0 && this.#question === undefined) this.start()
    if (this.servers.join() !== before) this.onChange()
  }

  #ask(): void {
    this.#question?.cancel()
    const { link, linkLocal } = this.#host
    const frame = linkLocal === undefined ? undefined : link.reserve()
    if (frame !== undefined) {
      const { u16 } = frame
      const word = IP6_PAYLOAD >>> 1
      u16[word] = ROUTER_SOLICITATION
      u16[word + 2] = 0
      u16[word + 3] = 0
      u16[word + SOLICITATION_BYTES / 2] = SOURCE_MAC
      u16.set(link.mac, word + SOLICITATION_BYTES / 2 + 1)
      sendOnLink(this.#host, frame, linkLocal!.address, ALL_ROUTERS, groupMac(ALL_ROUTERS), SOLICITATION_BYTES + 8)
    }
    this.#askLater()
  }

  #askLater(): void {
    this.#question = this.#timers.set(this.#pause, () => this.#ask())
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
  }
}

/** Keeps something until a time, 0: not any more; not more than `most`. */
function keep(kept: Map<string, number>, key: string, until: number, most: number): void {
  if (until === 0) kept.delete(key)
  else if (kept.has(key) || kept.size < most) kept.set(key, until)
}
