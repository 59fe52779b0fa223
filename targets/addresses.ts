/** Where addresses come from that the command line says: itself, a DHCP server, or routers. For whatever device the stack stands on. */
import { type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import type { EthernetDevice, Machine } from '@xen-ts/runtime/machine'
import { checkConfig, followDhcp, type IpStack, type StackConfig } from '@xen-ts/stack'

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

/** How long (ms) a program's start waits for its address: dnsmasq, which asks around first, has given one after nine, our own probes included. */
const LEASE_TIMEOUT = 15_000
/** The same for an address of a router, which answers at once as a rule, and is asked again after four seconds. */
const ROUTER_TIMEOUT = 6_000

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
  const [address, bits = '32'] = ipv4.split('/')
  return { address, prefix: Number(bits), gateway: ipv4Gateway === '' ? undefined : ipv4Gateway, dns, ipv6 }
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
  const [address, bits = '128'] = ipv6.split('/')
  return { address, prefix: Number(bits), gateway }
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

/** A stack with what it stands on. */
export interface DeviceStack extends IpStack, AsyncDisposable {
  readonly device: EthernetDevice
}

export interface AddressContext<S extends DeviceStack = DeviceStack> {
  readonly machine: Machine
  /** Of the program. */
  readonly name: string
  readonly signal: AbortSignal
  /** Where servers and routers would be, for messages. */
  readonly link: string
  /** Connects the stack. @param config without it, it has no address so far */
  connect(config: StackConfig | undefined): Promise<S>
  /** Calls `handler` after the world may have become another. Returns the function that ends it. */
  onResume?(handler: () => void): () => void
}

/** The stack at the addresses of the command line, or at those of a DHCP server once it has given some. */
export async function connectAddresses<S extends DeviceStack>(args: AddressArgs, context: AddressContext<S>): Promise<S> {
  const config = networkConfig(args)
  const ipv6 = ipv6Config(args)
  const stack = await context.connect(config ?? (ipv6 && { ipv6 }))
  if (ipv6?.auto && config?.address === undefined && !args.dhcp) await advertised(stack, context)
  if (config === undefined) await leased(stack, ipv6, context)
  return stack
}

/** Waits a while for a router to give an address, where there is no other. */
async function advertised(stack: DeviceStack, { machine, signal, link }: AddressContext): Promise<void> {
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
      .warn(`no router has advertised an address after ${ROUTER_TIMEOUT / 1000} s, going on without: is there one on ${link}?`)
}

async function leased(
  stack: DeviceStack,
  ipv6: StackConfig['ipv6'],
  { machine, name, signal, link, onResume }: AddressContext,
): Promise<void> {
  const log = machine.log('dhcp')
  const dhcp = followDhcp(machine, stack.device, stack, { hostName: /^[a-z\d-]{1,63}$/i.test(name) ? name : undefined, ipv6 })
  const unsubscribe = onResume?.(() => dhcp.reconnect())
  const dispose = stack[Symbol.asyncDispose]
  Object.assign(stack, {
    [Symbol.asyncDispose]() {
      unsubscribe?.()
      dhcp.close()
      return dispose()
    },
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = machine.timers.set(LEASE_TIMEOUT, resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([dhcp.bound, promise])
  timer.cancel()
  if (!stack.addresses.some(each => each.family === 4) && !signal.aborted)
    log.warn(`no DHCP server has given an address after ${LEASE_TIMEOUT / 1000} s, going on without: is there one on ${link}?`)
}
