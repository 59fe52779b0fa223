/** What QubesDB says about this qube's network (qubes/vm/mix/net.py of qubes-core-admin). */

export interface QubesNetwork {
  /** IPv4, as dotted text; 10.137.0.x as a rule. */
  readonly address: string
  /** 255.255.255.255: the gateway is never on-link, it needs a host route of its own. */
  readonly netmask: string
  readonly gateway: string
  /** Addresses of the name servers, at most two. */
  readonly dns: readonly string[]
  /** Of the form 00:16:3e:5e:6c:00. */
  readonly mac: string | undefined
  /** IPv6 (a /128) and its gateway, where the qube has the feature ipv6. */
  readonly address6: string | undefined
  readonly gateway6: string | undefined
}

/** QubesDB holds something this program cannot use. */
export class QubesDBError extends Error {
  override name = 'QubesDBError'
}

type Get = (path: string) => string | undefined

/**
 * @returns undefined when the qube has no netvm
 * @throws QubesDBError when a key is not an address, or the gateway is missing
 */
export function readNetwork(get: Get): QubesNetwork | undefined {
  const own = get('/qubes-ip')
  if (own === undefined || own === '') return undefined
  const dns = ['/qubes-primary-dns', '/qubes-secondary-dns'].map(path => optional(get, path, isIPv4, 'an IPv4 address'))
  return {
    address: required(get, '/qubes-ip'),
    netmask: optional(get, '/qubes-netmask', isNetmask, 'a netmask') ?? '255.255.255.255',
    gateway: required(get, '/qubes-gateway'),
    dns: dns.filter(server => server !== undefined),
    mac: optional(get, '/qubes-mac', isMac, 'a MAC address'),
    address6: optional(get, '/qubes-ip6', isIPv6, 'an IPv6 address'),
    gateway6: optional(get, '/qubes-gateway6', isIPv6, 'an IPv6 address'),
  }
}

function required(get: Get, path: string): string {
  const value = optional(get, path, isIPv4, 'an IPv4 address')
  if (value === undefined) {
    throw new QubesDBError(`QubesDB has no ${path} although the qube has /qubes-ip: look at qubesdb-list in dom0, restart the qube`)
  }
  return value
}

/** A missing and an empty key are the same: qubesd writes either when there is nothing to say. */
function optional(get: Get, path: string, test: (value: string) => boolean, what: string): string | undefined {
  const value = get(path)
  if (value === undefined || value === '') return undefined
  if (!test(value)) {
    throw new QubesDBError(`QubesDB key ${path} is '${value.slice(0, 64)}', not ${what}: set the qube's network properties in dom0 again`)
  }
  return value
}

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)
const MAC = /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/
const GROUP = /^[0-9a-fA-F]{1,4}$/

export function isIPv4(value: string): boolean {
  return IPV4.test(value)
}

/** RFC 4291 §2.2, forms 1 and 2: eight groups, one run of which may be written as `::`. */
export function isIPv6(value: string): boolean {
  const halves = value.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  return groups.every(group => GROUP.test(group)) && (halves.length === 1 ? groups.length === 8 : groups.length < 8)
}

function isNetmask(value: string): boolean {
  if (!isIPv4(value)) return false
  const inverted = ~value.split('.').reduce((mask, octet) => (mask << 8) | Number(octet), 0) >>> 0
  return (inverted & (inverted + 1)) === 0
}

function isMac(value: string): boolean {
  return MAC.test(value)
}
