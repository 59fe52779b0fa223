/** An address of our own, of IPv6: a host has several, and each has its routes. */
import {
  ANY6,
  addressSum6,
  formatIpv6,
  groupMac,
  hasPrefix,
  type Ipv6,
  isAt,
  isLinkLocal,
  keyAt,
  solicitedNode,
} from '../wire/ipv6-address.ts'
import type { Ipv6Route } from './ipv6-route.ts'

export class OwnAddress {
  readonly address: Ipv6
  readonly text: string
  /** Length of the prefix that is on the link; 128: nothing else is. */
  readonly bits: number
  readonly isLinkLocal: boolean
  /** Its part of the pseudo header of checksums. */
  readonly sum: number
  /** The group in which neighbours ask for it. */
  readonly group: Ipv6
  /** Routes on which connections stand, by peer. */
  readonly routes = new Map<string, Ipv6Route>()
  /** It is not ours any more, or never was: nothing is sent from it. */
  isGone = false
  /** New connections are made from another one, if there is one (RFC 4862 section 5.5.4). */
  isDeprecated = false

  constructor(address: Ipv6, bits: number) {
    this.address = address
    this.text = formatIpv6(address)
    this.bits = bits
    this.isLinkLocal = isLinkLocal(address)
    this.sum = addressSum6(address)
    this.group = solicitedNode(address)
  }

  /** Whether `peer` is on the link as far as this address knows. */
  reaches(peer: Ipv6): boolean {
    return this.bits < 128 && hasPrefix(peer, this.address, this.bits)
  }

  /** The route to the peer whose address is at word `at`, while connections stand on it. */
  routeAt(u16: Uint16Array, at: number): Ipv6Route | undefined {
    return this.routes.size === 0 ? undefined : this.routes.get(keyAt(u16, at))
  }

  /** Whether its group is at word `at`. */
  hasGroupAt(u16: Uint16Array, at: number): boolean {
    return isAt(u16, at, this.group)
  }

  get groupMac(): Uint16Array {
    return groupMac(this.group)
  }
}

/** Where there is none. */
export const nobody: OwnAddress = new OwnAddress(ANY6, 128)
nobody.isGone = true
