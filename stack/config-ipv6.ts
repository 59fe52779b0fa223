/** What the stack is told of IPv6. */
import { wrong } from './config-error.ts'
import { formatIpv6, type Ipv6, isLinkLocal, isSame6, isSpecial6, parseIpv6 } from './wire/ipv6-address.ts'

/** An address of IPv6 beside, or without, one of IPv4. The link-local one, which every host has, is made of the MAC address. */
export interface Ipv6Config {
  /** RFC 5952, such as `fd09:24ef:4179::a89:10`. */
  readonly address: string
  /** Length of the prefix that is on the link, 0..128. Default 128, as in Qubes: everything goes through the gateway. */
  readonly prefix?: number
  /** Next hop for everything that is not on the link; need not lie inside the prefix, and may be a link-local address. */
  readonly gateway?: string
}

/** The same after checking. */
export interface Ipv6Addresses {
  readonly address: Ipv6
  readonly bits: number
  readonly gateway: Ipv6 | undefined
}

export function checkIpv6({ address: text, prefix = 128, gateway: via }: Ipv6Config): Ipv6Addresses {
  const address = host('ipv6.address', text)
  if (isLinkLocal(address))
    throw wrong(`ipv6.address ${text} is link-local: every host has such a one already`, 'give one that others reach')
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > 128) throw wrong(`ipv6.prefix ${prefix} is not a number of bits`, 'use 0 to 128')
  const gateway = via === undefined ? undefined : host('ipv6.gateway', via)
  if (gateway !== undefined && isSame6(gateway, address))
    throw wrong(`ipv6.gateway is ${via}, the address itself,`, "give the router's address, or none")
  return { address, bits: prefix, gateway }
}

function host(what: string, text: string): Ipv6 {
  const address = typeof text === 'string' ? parseIpv6(text) : undefined
  if (address === undefined) throw wrong(`${what} ${JSON.stringify(text)} is not an IPv6 address`, 'write it as fd09:24ef:4179::a89:10')
  if (isSpecial6(address)) throw wrong(`${what} ${formatIpv6(address)} is reserved`, 'give the address of a host')
  return address
}

export function sameIpv6(a: Ipv6Addresses | undefined, b: Ipv6Addresses | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && describeIpv6(a) === describeIpv6(b))
}

/** `fd00::1/128 via fe80::1` */
export const describeIpv6 = ({ address, bits, gateway }: Ipv6Addresses): string =>
  `${formatIpv6(address)}/${bits}${gateway === undefined ? '' : ` via ${formatIpv6(gateway)}`}`
