import { StackConfigError, wrong } from './config-error.ts'
import { checkIpv6, type Ipv6Addresses, type Ipv6Config } from './config-ipv6.ts'
import { ANY, formatIpv4, type Ipv4, isSpecial, isWholeNetwork, maskBits, parseIpv4, prefixMask } from './wire/ipv4-address.ts'
import { formatIpv6, isSpecial6, parseIpv6 } from './wire/ipv6-address.ts'

export { StackConfigError }

/** The addresses of the one interface, of one family or of both. Qubes gives a /32 and a gateway that is not inside it: that is normal here. */
export interface StackConfig {
  /** Dotted decimal, such as `10.137.0.16`. May be missing where there is `ipv6`. */
  readonly address?: string
  /** Length of the prefix, 0..32; or `netmask` in dotted decimal. Default 32: everything goes through the gateway. */
  readonly prefix?: number
  readonly netmask?: string
  /** Next hop for everything that is not on the link; need not lie inside the prefix. */
  readonly gateway?: string
  /** Ways to networks that the gateway does not lead to. The longest prefix counts. */
  readonly routes?: readonly RouteConfig[]
  /** Bytes of the largest packet of IPv4, 576 or more, when it is less than the device's. */
  readonly mtu?: number
  readonly ipv6?: Ipv6Config
  /** Name servers of either family, in order of preference. */
  readonly dns?: readonly string[]
  /** Limits; the defaults suit a guest of 12 MiB. */
  readonly limits?: Partial<Limits>
}

export interface RouteConfig {
  /** The network with the length of its prefix, such as `10.1.0.0/16`. */
  readonly to: string
  /** The next hop, a host on the link; without it the network is on the link itself. */
  readonly via?: string
}

/** Bounds on what peers can make the stack hold. */
export interface Limits {
  /** TCP connections in all states but TIME-WAIT. */
  readonly connections: number
  /** TIME-WAIT entries; the oldest ends early when there are more. */
  readonly timeWait: number
  /** Receive window of a connection, in bytes. */
  readonly receiveWindow: number
  /** Bytes of received data that all connections together may hold (out of order, or not read by the program). */
  readonly receiveMemory: number
  /** Bytes queued on a connection before a writer is told to wait. */
  readonly sendBuffer: number
  /** Neighbours that are known by their MAC addresses, of each family. */
  readonly neighbours: number
  /** Bytes of fragments that wait for the rest of their datagrams; one sender has half of it at most. */
  readonly reassemblyMemory: number
}

export const defaultLimits: Limits = {
  connections: 1024,
  timeWait: 512,
  receiveWindow: 256 * 1024,
  receiveMemory: 2 * 1024 * 1024,
  sendBuffer: 128 * 1024,
  neighbours: 64,
  reassemblyMemory: 256 * 1024,
}

/** A configuration after checking, in the form the stack works with. */
export interface Addresses {
  readonly address: Ipv4
  readonly bits: number
  readonly mask: Ipv4
  readonly gateway: Ipv4 | undefined
  readonly ipv6: Ipv6Addresses | undefined
  /** As text, in the one form. */
  readonly dns: readonly string[]
  readonly routes: readonly Ipv4Network[]
  /** Infinity: the device's. */
  readonly mtu: number
}

/** A network and the next hop to it. */
export interface Ipv4Network {
  readonly network: Ipv4
  readonly bits: number
  /** undefined: on the link. */
  readonly via: Ipv4 | undefined
}

/** Of a stack without a network: nothing is for it, and nothing can be reached. */
export const noAddresses: Addresses = {
  address: ANY,
  bits: 32,
  mask: -1,
  gateway: undefined,
  ipv6: undefined,
  dns: [],
  routes: [],
  mtu: Infinity,
}

export function checkConfig(config: StackConfig): Addresses {
  const ipv6 = config.ipv6 && checkIpv6(config.ipv6)
  const dns = (config.dns ?? []).map(dnsServer)
  if (config.address === undefined) {
    const rest = (['prefix', 'netmask', 'gateway', 'routes', 'mtu'] as const).find(key => config[key] !== undefined)
    if (rest !== undefined) throw wrong(`${rest} is given, but no address`, 'give the address as well, or neither')
    if (ipv6 === undefined) throw wrong('there is no address', 'give address, ipv6, or both')
    return { ...noAddresses, ipv6, dns }
  }
  const bits = prefixBits(config)
  const mask = prefixMask(bits)
  const address = host('address', config.address)
  if (isWholeNetwork(address, mask, bits)) throw wrongOfNetwork('address', address, mask)
  const gateway = config.gateway === undefined ? undefined : host('gateway', config.gateway)
  if (gateway === address) throw wrong(`gateway is ${config.gateway}, the address itself,`, "give the router's address, or none")
  for (const [what, other] of [['gateway', gateway] as const, ...dns.map(server => ['dns', parseIpv4(server)] as const)]) {
    if (other !== undefined && ((other ^ address) & mask) === 0 && isWholeNetwork(other, mask, bits))
      throw wrongOfNetwork(what, other, mask)
  }
  const routes = (config.routes ?? []).map(each => routeOf(each, address))
  for (const { network, bits: length, via } of routes) {
    if (via !== undefined && ((via ^ address) & mask) === 0 && isWholeNetwork(via, mask, bits))
      throw wrongOfNetwork(`via of the route to ${formatIpv4(network)}/${length},`, via, mask)
  }
  for (const [i, { network, bits: length }] of routes.entries()) {
    if (routes.findIndex(other => other.network === network && other.bits === length) < i)
      throw wrong(`there are two routes to ${formatIpv4(network)}/${length}`, 'leave one of them')
  }
  return { address, bits, mask, gateway, ipv6, dns, routes, mtu: mtuOf(config.mtu) }
}

function routeOf({ to, via }: RouteConfig, address: Ipv4): Ipv4Network {
  const parts = typeof to === 'string' ? to.split('/') : []
  const network = parts.length === 2 ? parseIpv4(parts[0]) : undefined
  const bits = /^\d{1,2}$/.test(parts[1]) ? Number(parts[1]) : Number.NaN
  if (network === undefined || !(bits <= 32))
    throw wrong(`the route to ${JSON.stringify(to)} has no network`, 'write it as { to: "10.1.0.0/16", via: "10.137.0.8" }')
  const start = network & prefixMask(bits)
  if (start !== network) throw wrong(`the route to ${to} begins inside of its network`, `write ${formatIpv4(start)}/${bits}`)
  const hop = via === undefined ? undefined : host(`via of the route to ${to},`, via)
  if (hop === address) throw wrong(`the route to ${to} goes via ${via}, the address itself,`, "give the router's address")
  return { network, bits, via: hop }
}

/** What every network carries for a host of IPv4 (RFC 1122 section 3.3.3). */
const LEAST_MTU = 576

function mtuOf(mtu: number | undefined): number {
  if (mtu === undefined) return Infinity
  if (!Number.isInteger(mtu) || mtu < LEAST_MTU || mtu > 0xffff)
    throw wrong(`mtu ${mtu} is not possible`, `give bytes of a packet, ${LEAST_MTU} to 65535`)
  return mtu
}

function wrongOfNetwork(what: string, address: Ipv4, mask: Ipv4): StackConfigError {
  const kind = (address & ~mask) === 0 ? 'the address' : 'the broadcast address'
  return wrong(`${what} ${formatIpv4(address)} is ${kind} of its network`, 'give the address of a host, or another prefix')
}

function dnsServer(text: string): string {
  const wide = typeof text === 'string' ? parseIpv6(text) : undefined
  if (wide === undefined) return formatIpv4(host('dns', text))
  const usual = formatIpv6(wide)
  if (isSpecial6(wide)) throw wrong(`dns ${usual} is reserved`, 'give the address of a host')
  return usual
}

function host(what: string, text: string): Ipv4 {
  const address = parseIpv4(text)
  if (address === undefined) throw wrong(`${what} ${JSON.stringify(text)} is not an IPv4 address`, 'write it as 10.137.0.16')
  if (isSpecial(address)) throw wrong(`${what} ${formatIpv4(address)} is reserved`, 'give the address of a host')
  return address
}

function prefixBits({ prefix, netmask }: StackConfig): number {
  if (netmask !== undefined) {
    const mask = parseIpv4(netmask)
    const bits = mask === undefined ? undefined : maskBits(mask)
    if (bits === undefined) throw wrong(`netmask ${JSON.stringify(netmask)} is not a mask`, 'write it as 255.255.255.0')
    if (prefix !== undefined && prefix !== bits) throw wrong(`prefix ${prefix} contradicts netmask ${netmask}`, 'give one of them')
    return bits
  }
  if (prefix === undefined) return 32
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > 32) throw wrong(`prefix ${prefix} is not a number of bits`, 'use 0 to 32')
  return prefix
}
