/** What the targets `xen` and `qubes` have in common: the drivers, obedience to the toolstack, the network device and what stands on it. */
import { connectDrivers, connectNetfront, type Drivers, type Netfront, type NetfrontOptions, serveControl } from '@xen-ts/drivers'
import type { Channels } from '@xen-ts/drivers/channel.ts'
import type { DeviceContext } from '@xen-ts/runtime/device.ts'
import type { HttpHandler } from '@xen-ts/runtime/devices/http.ts'
import type { Provider } from '@xen-ts/runtime/target.ts'
import { UsageError } from '@xen-ts/runtime/usage-error.ts'
import type { StackConfig } from '@xen-ts/stack/config.ts'
import { httpServer, type ServeOptions } from '@xen-ts/stack/http/server/server.ts'
import { createStack, type Stack } from '@xen-ts/stack/stack.ts'
import { vchanChannels } from '@xen-ts/vchan'

/** The drivers of a domain, and its vchans. */
export interface Domain extends Drivers {
  readonly channels: Channels
}

/** Connects the drivers and serves shutdown requests from now on, whatever else waits. Make one for a domain. */
export function connectDomain({ machine, lifecycle }: Pick<DeviceContext, 'machine' | 'lifecycle'>): Domain {
  const drivers = connectDrivers(machine)
  serveControl(drivers, request => {
    if (request === 'crash') lifecycle.fail(new Error('the toolstack asked for a crash'))
    else lifecycle.request(request === 'reboot' ? 'reboot' : 'poweroff')
  })
  const channels = vchanChannels(drivers)
  // Registered first, so last of all: what a program has left open ends for its peer as well.
  lifecycle.onShutdown('channels', () => channels.close())
  return { ...drivers, channels }
}

/** The drivers by themselves, as device kinds of either target. `domain` is called when one is asked for. */
export const driverKinds = (domain: () => Domain): Record<'xenstore' | 'vchan' | 'ethernet', Provider> => ({
  xenstore: { connect: () => domain().xenstore },
  vchan: { connect: () => domain().channels },
  ethernet: {
    async connect(_needs, options: NetfrontOptions, { signal }) {
      const device = await connectVif(domain(), 'ethernet', { ...options, signal })
      return Object.assign(device, { [Symbol.asyncDispose]: () => device.close() })
    },
  },
})

/** Who has the first vif: frames go to one receiver. */
const vifUsers = new WeakMap<Drivers, string>()

/** The domain's first vif, for one user. Waits for the backend. */
async function connectVif(drivers: Drivers, user: string, options: NetfrontOptions): Promise<Netfront> {
  const other = vifUsers.get(drivers)
  if (other !== undefined)
    throw new UsageError(`${user}: the network device belongs to ${other} already: a program uses either stack() or ethernet()`)
  vifUsers.set(drivers, user)
  return connectNetfront(drivers, options)
}

export interface XenStack extends Stack, AsyncDisposable {
  readonly device: Netfront
}

/**
 * The stack on the domain's first vif, once the backend is connected.
 * @param config without it the stack has no address before it is given one
 * @param patience milliseconds to wait for the backend: then the vif may also come while the program runs. Default: for ever
 */
export async function connectStack(
  drivers: Drivers,
  config: StackConfig | undefined,
  { signal, patience }: { signal: AbortSignal; patience?: number },
): Promise<XenStack> {
  const { machine } = drivers
  const device = await connectVif(drivers, 'stack', { signal, later: patience !== undefined, blankChecksums: true, largePackets: true })
  if (patience !== undefined && patience > 0) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = machine.timers.set(patience, resolve)
    await Promise.race([device.connected, promise])
    timer.cancel()
    if (!device.isUp)
      machine.log('stack').warn(`the network device is not connected after ${patience / 1000} s, going on without: is the netvm running?`)
  }
  const stack = createStack(machine, device, config)
  const disposable = {
    device,
    async [Symbol.asyncDispose]() {
      stack.close()
      await device.close()
    },
  }
  // Not Object.assign to another object: the addresses are getters.
  return Object.assign(stack, disposable)
}

/** Device kind `http` on the stack of either target. */
export const http: Provider = {
  connect({ stack }: { stack: Stack }, _options: unknown, { machine, log }: DeviceContext) {
    const server = httpServer(machine, stack.tcp)
    return {
      serve(options: ServeOptions, handler: HttpHandler) {
        const tell = (address = stack.address): void => {
          const port = options.port === 80 ? '' : `:${options.port}`
          log.info(
            address === undefined
              ? `listening on port ${options.port}, but there is no network yet`
              : `listening on http://${address}${port}/`,
          )
        }
        tell()
        return server.serve(options, handler).finally(stack.watch(tell))
      },
    }
  },
}
