/** What the command line says of addresses. The tool knows it without the stack: addresses.ts connects what it says. */
import { type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import { checkConfig, type StackConfig } from '@xen-ts/stack/config'

export const addressArgs = {
  ipv4: arg.string({
    default: '',
    doc: 'IPv4 address of the network device, with the length of its prefix: 192.168.1.20/24',
    also: ['ip'],
  }),
  ipv4Gateway: arg.string({ default: '', doc: 'IPv4 address of the router', also: ['gateway'] }),
  ipv6: arg.string({
    default: '',
    doc: 'IPv6 address, with the length of its prefix: fd00::20/64; or auto: what routers advertise',
    also: ['ip6'],
  }),
  ipv6Gateway: arg.string({ default: '', doc: 'IPv6 address of the router', also: ['gateway6'] }),
  dns: arg.list({ doc: 'addresses of name servers' }),
  dhcp: arg.boolean({
    default: false,
    doc: 'address, router and name servers are those that a DHCP server gives',
    instead: ['ipv4', 'ipv4Gateway', 'dns'],
  }),
}

export type AddressArgs = ArgValues<typeof addressArgs>

/**
 * What the command line says; undefined: ask a DHCP server.
 * @throws UsageError without an address, and for both at once. What is no address is for the stack to refuse.
 */
export function networkConfig(args: AddressArgs): StackConfig | undefined {
  const { ipv4, ipv4Gateway, dns, dhcp } = args
  if (dhcp) {
    const given = [
      ipv4 !== '' && `ipv4=${ipv4}`,
      ipv4Gateway !== '' && `ipv4-gateway=${ipv4Gateway}`,
      dns.length > 0 && `dns=${dns.join(',')}`,
    ]
    const other = given.find(text => text !== false)
    if (other !== undefined)
      throw new UsageError(
        `stack: dhcp and ${other} were both given: the DHCP server gives address, router and name servers; leave one out`,
      )
    return undefined
  }
  const ipv6 = ipv6Config(args)
  if (ipv4 === '' && ipv4Gateway !== '')
    throw new UsageError(`stack: ipv4-gateway=${ipv4Gateway} was given without ipv4=ADDRESS/BITS: give both, or neither`)
  if (ipv4 === '' && ipv6 !== undefined) return { ipv6, dns }
  if (ipv4 === '') {
    const what = 'stack: no address was given for the network device'
    throw new UsageError(`${what}: start the program with ipv4=ADDRESS/BITS ipv4-gateway=ADDRESS, or with dhcp`)
  }
  return { ...withPrefix('ipv4', ipv4, 32), gateway: ipv4Gateway === '' ? undefined : ipv4Gateway, dns, ipv6 }
}

/** The addresses of IPv6 on the command line; undefined without any. @throws UsageError for a router without an address */
export function ipv6Config({ ipv6, ipv6Gateway }: AddressArgs): StackConfig['ipv6'] {
  if (ipv6 === '') {
    if (ipv6Gateway !== '')
      throw new UsageError(`stack: ipv6-gateway=${ipv6Gateway} was given without ipv6=ADDRESS/BITS: give both, or neither`)
    return undefined
  }
  const gateway = ipv6Gateway === '' ? undefined : ipv6Gateway
  if (ipv6 === 'auto') return { auto: true, gateway }
  return { ...withPrefix('ipv6', ipv6, 128), gateway }
}

/** @param most the length that an address alone has: it has no neighbours. Whether the rest is an address is for the stack to say. */
function withPrefix(name: string, text: string, most: number): { address: string; prefix: number } {
  const parts = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text)
  if (parts === null)
    throw new UsageError(`stack: ${name}=${text} is not an address with the length of its prefix: write ${name}=ADDRESS/BITS`)
  const [, address, bits = most] = parts
  return { address, prefix: Number(bits) }
}

/** Throws a UsageError or a StackConfigError for what cannot be, of values that are known before boot; others may come then. */
export function checkNetwork(args: AddressArgs): void {
  const { ipv4, ipv4Gateway, ipv6, dhcp, dns } = args
  if (dhcp || ipv4 !== '' || ipv4Gateway !== '' || ipv6 !== '') {
    const config = networkConfig(args)
    const other = ipv6Config(args)
    if (config !== undefined) checkConfig(config)
    else if (other !== undefined) checkConfig({ ipv6: other })
  } else {
    ipv6Config(args)
    // The servers alone, beside any address.
    if (dns.length > 0) checkConfig({ address: '192.0.2.1', dns })
  }
}
