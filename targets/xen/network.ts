/** Where a plain domain's addresses come from: the command line, or a DHCP server. */
import { type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import { followDhcp, type StackConfig } from '@xen-ts/stack'
import { connectStack, type Vif, type XenStack } from '../domain.ts'

export const networkArgs = {
  ip: arg.string({ default: '', doc: 'IPv4 address of the network device, with the length of its prefix: 192.168.1.20/24' }),
  gateway: arg.string({ default: '', doc: 'IPv4 address of the router' }),
  dns: arg.list({ doc: 'IPv4 addresses of name servers' }),
  dhcp: arg.boolean({ default: false, doc: 'address, router and name servers are those that a DHCP server gives' }),
}

type NetworkArgs = ArgValues<typeof networkArgs>

/** How long (ms) a program's start waits for its address: dnsmasq, which asks around first, has given one after nine, our own probes included. */
const LEASE_TIMEOUT = 15_000

/**
 * What the command line says; undefined: ask a DHCP server.
 * @throws UsageError without an address, and for both at once. What is no address is for the stack to refuse.
 */
export function networkConfig({ ip, gateway, dns, dhcp }: NetworkArgs): StackConfig | undefined {
  if (dhcp) {
    const given = [ip !== '' && `ip=${ip}`, gateway !== '' && `gateway=${gateway}`, dns.length > 0 && `dns=${dns.join(',')}`]
    const other = given.find(text => text !== false)
    if (other !== undefined)
      throw new UsageError(
        `stack: dhcp and ${other} were both given: the DHCP server gives address, router and name servers; leave one out`,
      )
    return undefined
  }
  if (ip === '') {
    const what = 'stack: no address was given for the network device'
    throw new UsageError(`${what}: start the program with ip=ADDRESS/BITS gateway=ADDRESS, or with dhcp`)
  }
  const [address, bits = '32'] = ip.split('/')
  return { address, prefix: Number(bits), gateway: gateway === '' ? undefined : gateway, dns }
}

/** The stack at the addresses of the command line, or at those of a DHCP server once it has given some. @param name of the program */
export async function connectNetwork(domain: Vif, args: NetworkArgs, name: string, signal: AbortSignal): Promise<XenStack> {
  const config = networkConfig(args)
  const stack = await connectStack(domain, config, { signal })
  return config === undefined ? leased(domain, stack, name, signal) : stack
}

async function leased({ machine }: Vif, stack: XenStack, name: string, signal: AbortSignal): Promise<XenStack> {
  const { timers, suspension } = machine
  const log = machine.log('dhcp')
  const dhcp = followDhcp(machine, stack.device, stack, { hostName: /^[a-z\d-]{1,63}$/i.test(name) ? name : undefined })
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
  if (stack.address === undefined && !signal.aborted)
    log.warn(
      `no DHCP server has given an address after ${LEASE_TIMEOUT / 1000} s, going on without: is there one on the bridge of the vif?`,
    )
  return stack
}
