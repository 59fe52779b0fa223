/** Where addresses come from that the command line says: itself, a DHCP server, or routers. For whatever device the stack stands on. */
import type { EthernetDevice, Machine } from '@xen-ts/runtime/machine'
import { followDhcp, type IpStack, type StackConfig } from '@xen-ts/stack'
import { type AddressArgs, ipv6Config, networkConfig } from './address-args.ts'

/** How long (ms) a program's start waits for its address: dnsmasq, which asks around first, has given one after nine, our own probes included. */
const LEASE_TIMEOUT = 15_000
/** The same for an address of a router, which answers at once as a rule, and is asked again after four seconds. */
const ROUTER_TIMEOUT = 6_000

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
