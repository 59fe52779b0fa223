/** Names and addresses as programs write them. */
import { formatIpv6, parseHost, parseIpv6 } from '@xen-ts/runtime/web'
import { canonicalName } from '../wire/dns-name.ts'
import { parseIpv4 } from '../wire/ipv4-address.ts'
import { DnsError } from './error.ts'

export type Family = 4 | 6

/** The address in its usual form when `text` is one (without a zone), or undefined. */
export function parseAddress(text: string): string | undefined {
  if (parseIpv4(text) !== undefined) return text
  const groups = text.includes(':') ? parseIpv6(text) : undefined
  return groups && formatIpv6(groups)
}

export const familyOf = (address: string): Family => (address.includes(':') ? 6 : 4)

/**
 * The one form of a name (see wire/dns-name.ts). Letters outside of ASCII become punycode, as in URLs. Throws a DnsError (EBADNAME).
 */
export function parseName(text: string): string {
  const name = /^[\0-\x7f]*$/.test(text) ? canonicalName(text) : internationalName(text)
  if (name === undefined) throw bad(text, 'a name has labels of 1 to 63 bytes with dots between them, 253 in all')
  // Whoever writes 10.1.2.300 means an address. No name of the DNS ends so (RFC 3696 section 2).
  if (/(^|\.)\d+$/.test(name)) throw bad(text, 'write an address as 10.137.0.16 or fd00::1')
  return name
}

/** The same for the name of a host: of letters, digits, hyphens and (as programs do use them) underscores (RFC 1123 section 2.1). */
export function parseHostName(text: string): string {
  const name = parseName(text)
  if (name.includes('\\')) throw bad(text, 'write names of hosts with letters, digits, hyphens and dots')
  return name
}

function internationalName(text: string): string | undefined {
  const ascii = parseHost(text, true)
  return ascii === undefined ? undefined : canonicalName(ascii)
}

function bad(text: string, advice: string): DnsError {
  const shown = text.length > 300 ? `${text.slice(0, 300)}...` : text
  return new DnsError('EBADNAME', text, `cannot resolve ${JSON.stringify(shown)}: it is neither a name nor an address; ${advice}`)
}

/** The name under which an address has its names (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  if (familyOf(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const digits = (parseIpv6(address) as number[]).map(group => group.toString(16).padStart(4, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}
