/** Where a plain domain's addresses come from: the command line, or a DHCP server. */
import { type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import { checkConfig, followDhcp, type StackConfig } from '@xen-ts/stack'
import { connectStack, type Vif, type XenStack } from '../domain.ts'

export const networkArgs = {
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

type NetworkArgs = ArgValues<typeof networkArgs>

/** How long (ms) a program's start waits for its address: dnsmasq, which asks around first, has given one after nine, our own probes included. */
const LEASE_TIMEOUT = 15_000
/** The same for an address of a router, which answers at once as a rule, and is asked again after four seconds. */
const ROUTER_TIMEOUT = 6_000

/**
 * What the command line says; undefined: ask a DHCP server.
 * @throws UsageError without an address, and for both at once. What is no address is for the stack to refuse.
 */
export function networkConfig(args: NetworkArgs): StackConfig | undefined {
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
  const [address, bits = '32'] = ipv4.split('/')
  return { address, prefix: Number(bits), gateway: ipv4Gateway === '' ? undefined : ipv4Gateway, dns, ipv6 }
}

/** The addresses of IPv6 on the command line; undefined without any. @throws UsageError for a router without an address */
export function ipv6Config({ ipv6, ipv6Gateway }: NetworkArgs): StackConfig['ipv6'] {
  if (ipv6 === '') {
    if (ipv6Gateway !== '')
      throw new UsageError(`stack: ipv6-gateway=${ipv6Gateway} was given without ipv6=ADDRESS/BITS: give both, or neither`)
    return undefined
  }
  const gateway = ipv6Gateway === '' ? undefined : ipv6Gateway
  if (ipv6 === 'auto') return { auto: true, gateway }
  const [address, bits = '128'] = ipv6.split('/')
  return { address, prefix: Number(bits), gateway }
}

/** Throws a UsageError or a StackConfigError for what cannot be, of values that are known before boot; others may come then. */
export function checkNetwork(args: NetworkArgs): void {
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

/** The stack at the addresses of the command line, or at those of a DHCP server once it has given some. @param name of the program */
export async function connectNetwork(domain: Vif, args: NetworkArgs, name: string, signal: AbortSignal): Promise<XenStack> {
  const config = networkConfig(args)
  const ipv6 = ipv6Config(args)
  const stack = await connectStack(domain, config ?? (ipv6 && { ipv6 }), { signal })
  if (ipv6?.auto && config?.address === undefined && !args.dhcp) await advertised(domain, stack, signal)
  return config === undefined ? leased(domain, stack, name, ipv6, signal) : stack
}

/** Waits a while for a router to give an address, where there is no other. */
async function advertised({ machine }: Vif, stack: XenStack, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const unwatch = stack.watch(() => resolve())
  const timer = machine.timers.set(ROUTER_TIMEOUT, resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (stack.address === undefined) await promise
  timer.cancel()
  unwatch()
  if (stack.address === undefined && !signal.aborted)
    machine
      .log('stack')
      .warn(
        `no router has advertised an address after ${ROUTER_TIMEOUT / 1000} s, going on without: is there one on the bridge of the vif?`,
      )
}

async function leased({ machine }: Vif, stack: XenStack, name: string, ipv6: StackConfig['ipv6'], signal: AbortSignal): Promise<XenStack> {
  const { timers, suspension } = machine
  const log = machine.log('dhcp')
  const dhcp = followDhcp(machine, stack.device, stack, { hostName: /^[a-z\d-]{1,63}$/i.test(name) ? name : undefined, ipv6 })
  const unsubscribe = suspension.onResume(() => dhcp.reconnect())
  const dispose = stack[Symbol.asyncDispose]
  Object.assign(stack, {
    [Symbol.asyncDispose]() {
      unsubscribe()
      dhcp.close()
      return dispose()
    },
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = timers.set(LEASE_TIMEOUT, resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([dhcp.bound, promise])
  timer.cancel()
  if (!stack.addresses.some(each => each.family === 4) && !signal.aborted)
    log.warn(
      `no DHCP server has given an address after ${LEASE_TIMEOUT / 1000} s, going on without: is there one on the bridge of the vif?`,
    )
  return stack
}
