/**
 * IPv6 addresses (RFC 4291): as text, as words, and which are special. Inside the stack one is eight 16-bit words as they stand in a frame,
 * so that it is compared with a packet and written into one without a swap; a group of its text has its bytes swapped then.
 */
import { formatIpv6 as formatGroups, parseIpv6 as parseGroups } from '@xen-ts/runtime/web'
import { fold } from './checksum.ts'
import { type MacWords, swap16 } from './ethernet.ts'

export type Ipv6 = Uint16Array

/** Words of an address. */
export const IPV6_WORDS = 8

export const ANY6: Ipv6 = new Uint16Array(IPV6_WORDS)

/**
 * RFC 4291 section 2.2, also with an IPv4 address as the last two groups. undefined when it is none; so is one with a zone (`%eth0`): there is one link.
 */
export function parseIpv6(text: string): Ipv6 | undefined {
  if (!text.includes(':')) return undefined
  const groups = parseGroups(text)
  return groups && Uint16Array.from(groups, swap16)
}

/** As RFC 5952 wants it. Addresses with an IPv4 one inside are no exception: none of them is a host's (see isSpecial6). */
export const formatIpv6 = (address: Ipv6): string => formatGroups(Array.from(address, swap16))

/** The address that begins at word `at` of a frame. */
export const ipv6At = (u16: Uint16Array, at: number): Ipv6 => u16.slice(at, at + IPV6_WORDS)

/**
 * The address at word `at` as a key of a Map: a string of its eight words, made in one step. Not for text.
 */
export const keyAt = (u16: Uint16Array, at: number): string =>
  String.fromCharCode(u16[at], u16[at + 1], u16[at + 2], u16[at + 3], u16[at + 4], u16[at + 5], u16[at + 6], u16[at + 7])

export const keyOf = (address: Ipv6): string => keyAt(address, 0)

/** The address that a key was made of. */
export const ipv6Of = (key: string): Ipv6 => Uint16Array.from({ length: IPV6_WORDS }, (_, i) => key.charCodeAt(i))

/** Whether `address` stands at word `at` of a frame. The end first: on a link most addresses differ there. */
export const isAt = (u16: Uint16Array, at: number, address: Ipv6): boolean =>
  u16[at + 7] === address[7] &&
  u16[at + 6] === address[6] &&
  u16[at + 5] === address[5] &&
  u16[at + 4] === address[4] &&
  u16[at + 3] === address[3] &&
  u16[at + 2] === address[2] &&
  u16[at + 1] === address[1] &&
  u16[at] === address[0]

export const isSame6 = (a: Ipv6, b: Ipv6): boolean => isAt(a, 0, b)

/** Whether the first `bits` bits agree. */
export function hasPrefix(address: Ipv6, prefix: Ipv6, bits: number): boolean {
  const whole = bits >>> 4
  for (let i = 0; i < whole; i++) if (address[i] !== prefix[i]) return false
  const rest = bits & 15
  return rest === 0 || (swap16(address[whole]) ^ swap16(prefix[whole])) >>> (16 - rest) === 0
}

/** Bits that agree before the first that does not, 0..128. */
export function commonBits(a: Ipv6, b: Ipv6): number {
  let word = 0
  while (word < IPV6_WORDS && a[word] === b[word]) word++
  return word === IPV6_WORDS ? 128 : word * 16 + Math.clz32(swap16(a[word]) ^ swap16(b[word])) - 16
}

/** ff00::/8. */
export const isMulticast = (address: Ipv6): boolean => (address[0] & 0xff) === 0xff

/** fe80::/10: good on one link only. */
export const isLinkLocal = (address: Ipv6): boolean => (address[0] & 0xc0ff) === 0x80fe

export const isAny6 = (address: Ipv6): boolean => isSame6(address, ANY6)

/**
 * Addresses that no packet may come from or be sent to by unicast: groups, and those that begin with 80 zeroes (unspecified, loopback, IPv4 inside:
 * RFC 4291 sections 2.5.2 to 2.5.5).
 */
export const isSpecial6 = (address: Ipv6): boolean =>
  isMulticast(address) ||
  ((address[0] | address[1] | address[2] | address[3] | address[4]) === 0 && (address[5] === 0 || address[5] === 0xffff))

/** The group that a host is in for an address of its own (RFC 4291 section 2.7.1): whoever looks for its MAC address asks there. */
export function solicitedNode(address: Ipv6): Ipv6 {
  return new Uint16Array([0x02ff, 0, 0, 0, 0, 0x0100, 0x00ff | (address[6] & 0xff00), address[7]])
}

/** ff02::1, ff02::2 and ff02::16: all hosts of the link, its routers, and those that listen to reports of MLD (RFC 3810). */
export const ALL_NODES: Ipv6 = new Uint16Array([0x02ff, 0, 0, 0, 0, 0, 0, 0x0100])
export const ALL_ROUTERS: Ipv6 = new Uint16Array([0x02ff, 0, 0, 0, 0, 0, 0, 0x0200])
export const MLD_ROUTERS: Ipv6 = new Uint16Array([0x02ff, 0, 0, 0, 0, 0, 0, 0x1600])

/** Where frames to a group go (RFC 2464 section 7). */
export const groupMac = (group: Ipv6): MacWords => new Uint16Array([0x3333, group[6], group[7]])

/** The address of a host in a /64 by its MAC address (RFC 4291 appendix A): `prefix` with the modified EUI-64. */
export function withInterfaceId(prefix: Ipv6, mac: MacWords): Ipv6 {
  const address = prefix.slice()
  address[4] = mac[0] ^ 0x0002 // universal: the bit is inverted
  address[5] = (mac[1] & 0xff) | 0xff00
  address[6] = 0x00fe | (mac[1] & 0xff00)
  address[7] = mac[2]
  return address
}

export const LINK_LOCAL: Ipv6 = new Uint16Array([0x80fe, 0, 0, 0, 0, 0, 0, 0])

/** Sum of the eight words, folded: an address's part of the pseudo header of checksums (RFC 8200 section 8.1). */
export function addressSum6(address: Ipv6): number {
  let sum = 0
  for (let i = 0; i < IPV6_WORDS; i++) sum += address[i]
  return fold(sum)
}
