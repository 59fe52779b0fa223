/** A route of IPv4. */
import type { Frame } from '@xen-ts/runtime/machine'
import { ETH_BYTES, TYPE_IPV4, writeEthernet } from '../wire/ethernet.ts'
import { addressSum, IP_BYTES, IP_CHECKSUM, IP_LENGTH, IP_PAYLOAD, markFragment, writeIpv4 } from '../wire/ipv4.ts'
import { ANY, formatIpv4, type Ipv4 } from '../wire/ipv4-address.ts'
import { sendError } from './icmp-error.ts'
import type { Ipv4Host } from './ipv4.ts'
import type { Link } from './link.ts'
import type { Neighbour } from './neighbour.ts'
import { type Refusal, Route } from './route.ts'

/** An IP packet must not be larger, and a router that reports less than LEAST_MTU (RFC 1191) shall not make us send crumbs. */
const MOST_BYTES = 0xffff
const LEAST_MTU = 576

export class Ipv4Route extends Route {
  readonly family = 4
  readonly peerIp: Ipv4
  readonly localIp: Ipv4
  readonly host: Ipv4Host

  constructor(host: Ipv4Host, peer: Ipv4, local: Ipv4 = host.address, link: Link = host.link) {
    super(link, IP_PAYLOAD, addressSum(local, peer))
    this.host = host
    this.peerIp = peer
    this.localIp = local
  }

  get peer(): string {
    return formatIpv4(this.peerIp)
  }

  get local(): string {
    return formatIpv4(this.localIp)
  }

  get words(): readonly number[] {
    return [this.localIp, this.peerIp]
  }

  get hasLocal(): boolean {
    return this.localIp !== ANY
  }

  get mtu(): number {
    return this.host.mtu
  }

  get leastMtu(): number {
    return LEAST_MTU
  }

  get checksums(): boolean {
    return this.link.device.checksums === true
  }

  largest(): number {
    const device = this.link.device
    if (device.largest === undefined) return 0
    const bytes = device.largest() - ETH_BYTES
    return (bytes < MOST_BYTES ? bytes : MOST_BYTES) - IP_BYTES
  }

  resolve(): Neighbour | undefined {
    const { host } = this
    return (this.hop = host.address === this.localIp ? host.nextHop(this.peerIp) : undefined)
  }

  writeHeaders(u16: Uint16Array, protocol: number): void {
    const mac = this.link.mac
    writeEthernet(u16, this.hop!.mac ?? mac, mac, TYPE_IPV4)
    writeIpv4(u16, this.localIp, this.peerIp, protocol)
  }

  /** The header has no length yet: it goes into the checksum too (RFC 1624). */
  setLength(u16: Uint16Array, length: number): void {
    length += IP_BYTES
    const size = ((length & 0xff) << 8) | (length >>> 8)
    u16[IP_LENGTH] = size
    const sum = (~u16[IP_CHECKSUM] & 0xffff) + size
    u16[IP_CHECKSUM] = ~((sum & 0xffff) + (sum >>> 16))
  }

  override writeFragment(u16: Uint16Array, protocol: number, fragment: { id: number; offset: number; more: boolean }): void {
    this.writeHeaders(u16, protocol)
    markFragment(u16, fragment)
  }

  override unreachable(frame: Frame, what: Refusal): void {
    sendError(this, frame, what)
  }

  endpoint(port: number): string {
    return `${this.peer}:${port}`
  }

  keep(): void {
    this.host.keep(this)
  }

  forget(): void {
    this.host.forget(this)
  }
}
