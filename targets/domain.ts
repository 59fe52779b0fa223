/** What the targets that become a domain of Xen have in common: the drivers, obedience to the toolstack, and the stack on the first vif. */

import { connectDrivers, connectNetfront, type Drivers, type Netfront, type NetfrontOptions, serveControl } from '@xen-ts/drivers'
import type { Channels } from '@xen-ts/drivers/channel'
import { type Provider, type TargetContext, UsageError } from '@xen-ts/runtime'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { createStack, type IpStack, type StackConfig } from '@xen-ts/stack'
import { vchanChannels } from '@xen-ts/vchan'
import { tellCounters } from './counters.ts'
import { http } from './http.ts'
import type { domainKinds } from './kinds.ts'

/** The drivers of a domain, and its vchans. */
export interface Domain extends Vif {
  readonly channels: Channels
}

/** Drivers with a first vif. */
export interface Vif extends Drivers {
  /** Who has it: frames go to one receiver. */
  vifUser?: string
}

/** Connects the drivers and serves shutdown requests from now on, whatever else waits. Make one for a domain. */
export function connectDomain({ machine, lifecycle }: Pick<TargetContext<any, XenMachine>, 'machine' | 'lifecycle'>): Domain {
  const drivers = connectDrivers(machine)
  serveControl(drivers, request => {
    if (request === 'crash') lifecycle.fail(new Error('the toolstack asked for a crash'))
    else lifecycle.request(request === 'reboot' ? 'reboot' : 'poweroff')
  })
  const channels = vchanChannels(drivers)
  // Registered first, so last of all: what a program has left open ends for its peer as well.
  lifecycle.onShutdown('channels', () => channels.close())
  lifecycle.onEnd(() => channels.close())
  return { ...drivers, channels }
}

/** Provides the kinds of every domain. `stack` is the target's own: it knows where the addresses come from. */
export const domainProviders = (domain: Domain, stack: Provider): Record<keyof typeof domainKinds, Provider> => ({
  async stack(needs, options, context) {
    const connected = (await stack(needs, options, context)) as XenStack
    tellCounters({ ...domain, lifecycle: context.lifecycle }, connected)
    return connected
  },
  http,
  xenstore: () => domain.xenstore,
  vchan: () => domain.channels,
  async ethernet(_needs, options: NetfrontOptions, { signal }) {
    const device = await connectVif(domain, 'ethernet', { ...options, signal })
    return Object.assign(device, { [Symbol.asyncDispose]: () => device.close() })
  },
})

/** The domain's first vif, for one user. Waits for the backend. */
async function connectVif(domain: Vif, user: string, options: NetfrontOptions): Promise<Netfront> {
  if (domain.vifUser !== undefined)
    throw new UsageError(`${user}: the network device belongs to ${domain.vifUser} already: a program uses either stack() or ethernet()`)
  domain.vifUser = user
  return connectNetfront(domain, options)
}

const stackVif = (domain: Vif, options: NetfrontOptions): Promise<Netfront> =>
  connectVif(domain, 'stack', { ...options, blankChecksums: true, largePackets: true, ipv6: true })

/** A vif that connects before a stack can use it. */
export interface EarlyVif {
  /** For the stack, which is there in the same turn: what waits with the backend is its. */
  take(): Promise<Netfront>
}

/** Connects the stack's vif while its addresses are not known yet. */
export function beginVif(domain: Vif, signal: AbortSignal): EarlyVif {
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const device = stackVif(domain, { signal, later: true, ready })
  device.catch(() => {}) // for who takes it
  const leave = (): void => void device.then(vif => vif.close())
  signal.addEventListener('abort', leave)
  return {
    take() {
      signal.removeEventListener('abort', leave)
      resolve()
      return device
    },
  }
}

export interface XenStack extends IpStack, AsyncDisposable {
  readonly device: Netfront
}

/**
 * The stack on the domain's first vif, once the backend is connected.
 * @param config without it the stack has no address before it is given one
 * @param patience milliseconds to wait for the backend: then the vif may also come while the program runs. Default: for ever
 * @param vif one that connects already
 */
export async function connectStack(
  domain: Vif,
  config: StackConfig | undefined,
  { signal, patience, vif }: { signal: AbortSignal; patience?: number; vif?: EarlyVif },
): Promise<XenStack> {
  const { machine } = domain
  const device = await (vif?.take() ?? stackVif(domain, { signal, later: patience !== undefined }))
  if (patience !== undefined && patience > 0) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = machine.timers.set(patience, resolve)
    await Promise.race([device.connected, promise])
    timer.cancel()
    if (!device.isUp)
      machine.log('stack').warn(`the network device is not connected after ${patience / 1000} s, going on without: is the netvm running?`)
  }
  const stack = createStack(machine, device, config)
  // The clock stood still while the domain was suspended, what is known of names did not.
  const unsubscribe = machine.suspension.onResume(() => stack.names.clear())
  const disposable = {
    device,
    async [Symbol.asyncDispose]() {
      unsubscribe()
      stack.close()
      await device.close()
    },
  }
  // Not Object.assign to another object: the addresses are getters.
  return Object.assign(stack, disposable)
}
