/** Which of the addresses of a name to prefer (RFC 6724 section 6), by what each would be talked to from. */
import { parseIpv4 } from '../wire/ipv4-address.ts'
import { commonBits, hasPrefix, type Ipv6, isLinkLocal, isMulticast, parseIpv6 } from '../wire/ipv6-address.ts'

/** Section 2.1: prefix, its length, precedence, label. The longest that fits counts. */
const policies: readonly [prefix: Ipv6, bits: number, precedence: number, label: number][] = (
  [
    ['::1', 128, 50, 0],
    ['::', 96, 1, 3],
    ['::ffff:0:0', 96, 35, 4],
    ['2001::', 32, 5, 5],
    ['2002::', 16, 30, 2],
    ['3ffe::', 16, 1, 12],
    ['fec0::', 10, 1, 11],
    ['fc00::', 7, 3, 13],
    ['::', 0, 40, 1],
  ] as const
).map(([prefix, ...rest]) => [parseIpv6(prefix)!, ...rest])

/** Section 3.1, 3.2. */
const LINK_LOCAL = 2
const SITE_LOCAL = 5
const GLOBAL = 14

interface Judged {
  readonly address: string
  /** undefined: there is no way. */
  readonly source: Ipv6 | undefined
  readonly wide: Ipv6
  readonly isIpv4: boolean
}

/**
 * The addresses in the order to try them; where nothing tells two apart they stay in the order that the server gave.
 * @param sourceOf the address of ours that would talk to one; undefined: none can
 */
export function orderDestinations(addresses: readonly string[], sourceOf: (address: string) => string | undefined): string[] {
  if (addresses.length < 2) return [...addresses]
  const judged = addresses.map((address): Judged => {
    const source = sourceOf(address)
    return { address, source: source === undefined ? undefined : widen(source), wide: widen(address), isIpv4: !address.includes(':') }
  })
  return judged.sort(compare).map(({ address }) => address)
}

/** Negative when `a` is better. Rules 3, 4 and 7 are about what there is none of here: deprecated, home and tunnelled addresses. */
function compare(a: Judged, b: Judged): number {
  const [from, other] = [a.source, b.source]
  if (from === undefined || other === undefined) return (from === undefined ? 1 : 0) - (other === undefined ? 1 : 0) // rule 1
  return (
    differ(scopeOf(a.wide) === scopeOf(from), scopeOf(b.wide) === scopeOf(other)) || // rule 2
    differ(policyOf(a.wide)[3] === policyOf(from)[3], policyOf(b.wide)[3] === policyOf(other)[3]) || // rule 5
    policyOf(b.wide)[2] - policyOf(a.wide)[2] || // rule 6
    scopeOf(a.wide) - scopeOf(b.wide) || // rule 8
    // Rule 9, not for IPv4: the order of the answer spreads clients over servers.
    (a.isIpv4 || b.isIpv4 ? 0 : commonBits(b.wide, other) - commonBits(a.wide, from))
  )
}

const differ = (a: boolean, b: boolean): number => (a === b ? 0 : a ? -1 : 1)

function policyOf(address: Ipv6): (typeof policies)[number] {
  return policies.find(([prefix, bits]) => hasPrefix(address, prefix, bits))!
}

function scopeOf(address: Ipv6): number {
  if (isMulticast(address)) return (address[0] >>> 8) & 0xf
  const [first] = address
  if (isLinkLocal(address) || policyOf(address)[2] === 50) return LINK_LOCAL
  if ((first & 0xc0ff) === 0xc0fe) return SITE_LOCAL
  const isMapped = policyOf(address)[3] === 4
  const octet = address[6] & 0xff
  return isMapped && (octet === 127 || (octet === 169 && address[6] >>> 8 === 254)) ? LINK_LOCAL : GLOBAL
}

/** An address of IPv4 is one of IPv6 here (section 3.2). */
function widen(address: string): Ipv6 {
  const narrow = parseIpv4(address)
  return narrow === undefined ? parseIpv6(address)! : new Uint16Array([0, 0, 0, 0, 0, 0xffff, narrow & 0xffff, narrow >>> 16])
}
