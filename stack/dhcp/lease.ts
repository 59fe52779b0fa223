/** What a server offers, judged: an offer that cannot be used is refused with the reason, an option that cannot be true is left out. */

import type { StackConfig } from '../config.ts'
import { type DhcpMessage, get32, options, readAddress } from '../wire/dhcp.ts'
import { formatIpv4, type Ipv4, isSpecial, isWholeNetwork, maskBits, prefixMask } from '../wire/ipv4-address.ts'

export interface Route {
  readonly network: Ipv4
  /** Length of the prefix. */
  readonly bits: number
  /** 0.0.0.0: on the link. */
  readonly router: Ipv4
}

export interface Lease {
  readonly address: Ipv4
  /** Length of the prefix; 32 when the server did not tell. */
  readonly bits: number
  readonly gateway: Ipv4 | undefined
  /** Without the default route, which is `gateway`. */
  readonly routes: readonly Route[]
  readonly dns: readonly Ipv4[]
  readonly domain: string | undefined
  /** Largest packet in bytes; undefined: the device's. */
  readonly mtu: number | undefined
  readonly server: Ipv4
  /** Seconds; Infinity: for ever. */
  readonly duration: number
  readonly renewAfter: number
  readonly rebindAfter: number
}

/** A lease that is shorter would have us ask all the time. */
const SHORTEST = 10
const FOR_EVER = 0xffffffff
/** What every network carries for a host of IPv4 (RFC 1122 section 3.3.3): less is an attack. */
const LEAST_MTU = 576
const MOST_SERVERS = 4
const MOST_ROUTES = 32

/** The lease, or why it is none. @param mtu of the device */
export function readLease({ yourAddress: address, options: given }: DhcpMessage, mtu: number): Lease | string {
  const server = one(given.get(options.server))
  if (server === undefined || isSpecial(server)) return 'it does not say which server it is from'
  if (isSpecial(address)) return `its address ${formatIpv4(address)} is not that of a host`
  const bits = readMask(given.get(options.mask))
  const mask = prefixMask(bits)
  if (isWholeNetwork(address, mask, bits))
    return `its address ${formatIpv4(address)} is the whole network of ${formatIpv4(mask)}, or its broadcast`
  /** Whether it can be a host of this network, or of another one. */
  const isHost = (other: Ipv4): boolean => !isSpecial(other) && (((other ^ address) & mask) !== 0 || !isWholeNetwork(other, mask, bits))
  const duration = seconds(given.get(options.leaseTime))
  if (duration === undefined) return 'it does not say for how long'
  if (duration < SHORTEST) return `it is for ${duration} s: ${SHORTEST} are the least`
  const routed = readRoutes(given.get(options.routes), address)
  const router = one(given.get(options.routers)?.subarray(0, 4))
  // RFC 3442: who gives routes means them, and not the option for the router.
  const gateway = routed === undefined ? router : routed.find(route => route.bits === 0)?.router
  return {
    address,
    bits,
    gateway: gateway === undefined || gateway === address || !isHost(gateway) ? undefined : gateway,
    routes: usable(routed ?? [], isHost),
    dns: readServers(given.get(options.nameServers), isHost),
    domain: readDomain(given.get(options.domain)),
    mtu: readMtu(given.get(options.mtu), mtu),
    server,
    duration,
    ...readTimes(duration, seconds(given.get(options.renewTime)), seconds(given.get(options.rebindTime))),
  }
}

/** For `stack.configure`. */
export function leaseConfig({ address, bits, gateway, routes, mtu, dns }: Lease): StackConfig {
  return {
    address: formatIpv4(address),
    prefix: bits,
    gateway: gateway === undefined ? undefined : formatIpv4(gateway),
    routes: routes.map(({ network, bits, router }) => ({
      to: `${formatIpv4(network)}/${bits}`,
      via: router === 0 ? undefined : formatIpv4(router), // RFC 3442: 0.0.0.0 is the link itself
    })),
    mtu,
    dns: dns.map(formatIpv4),
  }
}

/** RFC 2131 section 4.4.5: T1 before T2 before the end; when they are not so, what the section has for servers that give none. */
function readTimes(duration: number, t1: number | undefined, t2: number | undefined): Pick<Lease, 'renewAfter' | 'rebindAfter'> {
  const rebindAfter = t2 !== undefined && t2 > 0 && t2 < duration ? t2 : duration * 0.875
  const renewAfter = t1 !== undefined && t1 > 0 && t1 < rebindAfter ? t1 : Math.min(duration * 0.5, rebindAfter)
  return { renewAfter, rebindAfter }
}

/** Without the default route; of two to one network the first; and none by what is the whole network or its broadcast. */
function usable(routes: readonly Route[], isHost: (address: Ipv4) => boolean): Route[] {
  const isFirst = ({ network, bits }: Route, i: number): boolean =>
    routes.findIndex(other => other.network === network && other.bits === bits) === i
  return routes.filter((route, i) => route.bits > 0 && isFirst(route, i) && (route.router === 0 || isHost(route.router)))
}

const one = (bytes: Uint8Array | undefined): Ipv4 | undefined => (bytes?.length === 4 ? readAddress(bytes, 0) : undefined)

function seconds(bytes: Uint8Array | undefined): number | undefined {
  if (bytes?.length !== 4) return undefined
  const value = get32(bytes, 0)
  return value === FOR_EVER ? Infinity : value
}

function readMask(bytes: Uint8Array | undefined): number {
  const mask = one(bytes)
  return (mask === undefined ? undefined : maskBits(mask)) || 32
}

function readServers(bytes: Uint8Array | undefined, isHost: (address: Ipv4) => boolean): Ipv4[] {
  if (bytes === undefined || bytes.length % 4 !== 0) return []
  const servers = new Set<Ipv4>()
  for (let at = 0; at < bytes.length && servers.size < MOST_SERVERS; at += 4) {
    const server = readAddress(bytes, at)
    if (isHost(server)) servers.add(server)
  }
  return [...servers]
}

/** Letters, digits, hyphens and dots. Some servers count a NUL at the end. */
function readDomain(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length > 255) return undefined
  const text = String.fromCharCode(...bytes).replace(/\0$/, '')
  return /^[a-z\d-]{1,63}(\.[a-z\d-]{1,63})*$/i.test(text) ? text.toLowerCase() : undefined
}

function readMtu(bytes: Uint8Array | undefined, most: number): number | undefined {
  if (bytes?.length !== 2) return undefined
  const mtu = (bytes[0] << 8) | bytes[1]
  return mtu >= LEAST_MTU && mtu < most ? mtu : undefined
}

/** RFC 3442: the significant bytes of a network behind the length of its prefix, then the router. All of it, or undefined. */
function readRoutes(bytes: Uint8Array | undefined, own: Ipv4): Route[] | undefined {
  if (bytes === undefined) return undefined
  const routes: Route[] = []
  for (let at = 0; at < bytes.length; ) {
    const bits = bytes[at]
    const significant = Math.ceil(bits / 8)
    const next = at + 1 + significant + 4
    if (bits > 32 || next > bytes.length || routes.length === MOST_ROUTES) return undefined
    const network = new Uint8Array(4)
    network.set(bytes.subarray(at + 1, at + 1 + significant))
    const router = readAddress(bytes, next - 4)
    if (router === 0 || (!isSpecial(router) && router !== own))
      routes.push({ network: readAddress(network, 0) & prefixMask(bits), bits, router })
    at = next
  }
  return routes
}
