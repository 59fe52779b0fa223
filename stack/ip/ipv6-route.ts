/** A route of IPv6. */
import type { Frame } from '@xen-ts/runtime/machine'
import { fold } from '../wire/checksum.ts'
import { ETH_BYTES, TYPE_IPV6, writeEthernet } from '../wire/ethernet.ts'
import { PORT_UNREACHABLE6, REASSEMBLY_TIME_EXCEEDED6, TIME_EXCEEDED6, UNREACHABLE6 } from '../wire/icmpv6.ts'
import { FRAGMENT, FRAGMENT_BYTES, IP6_BYTES, IP6_LENGTH, IP6_PAYLOAD, LEAST_MTU6, writeFragment6, writeIpv6 } from '../wire/ipv6.ts'
import { addressSum6, formatIpv6, type Ipv6, keyOf } from '../wire/ipv6-address.ts'
import { complain } from './icmpv6.ts'
import type { Ipv6Host } from './ipv6.ts'
import type { OwnAddress } from './ipv6-own.ts'
import type { Link } from './link.ts'
import type { Neighbour } from './neighbour.ts'
import { type Refusal, Route } from './route.ts'

/** What the header's length can say. */
const MOST_BYTES = 0xffff

export class Ipv6Route extends Route {
  readonly family = 6
  readonly peerIp: Ipv6
  readonly own: OwnAddress
  readonly host: Ipv6Host

  constructor(host: Ipv6Host, own: OwnAddress, peer: Ipv6, link: Link = host.link) {
    super(link, IP6_PAYLOAD, fold(own.sum + addressSum6(peer)))
    this.host = host
    this.own = own
    this.peerIp = peer
  }

  get peer(): string {
    return formatIpv6(this.peerIp)
  }

  get local(): string {
    return this.own.text
  }

  get words(): readonly number[] {
    const words: number[] = []
    for (const address of [this.own.address, this.peerIp]) for (let i = 0; i < 8; i += 2) words.push(address[i] | (address[i + 1] << 16))
    return words
  }

  get hasLocal(): boolean {
    return !this.own.isGone
  }

  get mtu(): number {
    return this.host.mtu
  }

  get leastMtu(): number {
    return LEAST_MTU6
  }

  get checksums(): boolean {
    return this.link.device.checksums6 === true
  }

  largest(): number {
    const device = this.link.device
    if (device.largest === undefined) return 0
    const bytes = device.largest(true) - ETH_BYTES - IP6_BYTES
    return bytes < MOST_BYTES ? bytes : MOST_BYTES
  }

  resolve(): Neighbour | undefined {
    return (this.hop = this.own.isGone ? undefined : this.host.nextHop(this.peerIp))
  }

  writeHeaders(u16: Uint16Array, protocol: number): void {
    const mac = this.link.mac
    writeEthernet(u16, this.hop!.mac ?? mac, mac, TYPE_IPV6)
    writeIpv6(u16, this.own.address, this.peerIp, protocol)
  }

  setLength(u16: Uint16Array, length: number): void {
    u16[IP6_LENGTH] = ((length & 0xff) << 8) | (length >>> 8)
  }

  override get fragmentBytes(): number {
    return FRAGMENT_BYTES
  }

  override writeFragment(u16: Uint16Array, protocol: number, { id, offset, more }: { id: number; offset: number; more: boolean }): void {
    this.writeHeaders(u16, FRAGMENT)
    writeFragment6(u16, IP6_PAYLOAD, protocol, id, offset, more)
  }

  /** The length in IPv6's header does not count it (RFC 8200 section 3). */
  override get mostBytes(): number {
    return MOST_BYTES
  }

  override unreachable(frame: Frame, what: Refusal): void {
    if (what === 'port') complain(this, frame, UNREACHABLE6, PORT_UNREACHABLE6, 0)
    else if (what === 'reassembly') complain(this, frame, TIME_EXCEEDED6, REASSEMBLY_TIME_EXCEEDED6, 0)
    else this.host.unknownProtocol(this, frame)
  }

  endpoint(port: number): string {
    return `[${this.peer}]:${port}`
  }

  keep(): void {
    this.own.routes.set(keyOf(this.peerIp), this)
    this.host.kept(this)
  }

  forget(): void {
    this.own.routes.delete(keyOf(this.peerIp))
  }
}
