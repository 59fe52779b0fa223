/** `--tap tap0`: the stack of the guest, in a process, on a device of the host. */
import type { DeviceContext, Platform, TargetContext } from '@xen-ts/runtime'
import { createStack, describeCounters } from '@xen-ts/stack'
import { connectAddresses, type DeviceStack } from '../addresses.ts'
import { fetch } from '../fetch.ts'
import { http } from '../http.ts'
import { openTap } from './tap.ts'
import type { target } from './target.ts'

/** The global `fetch` goes by the same stack as everything else. */
export function onTap(context: TargetContext<typeof target.args>): Platform<keyof typeof target.kinds> {
  return { provide: { stack: (_needs, _options, device) => connectTap(context, device), http }, globals: { fetch: () => fetch(context) } }
}

function connectTap(
  { machine, args, program, lifecycle }: TargetContext<typeof target.args>,
  { signal }: Pick<DeviceContext, 'signal'>,
): Promise<DeviceStack> {
  const log = machine.log('tap')
  return connectAddresses(args, {
    machine,
    name: program.name,
    signal,
    link: `the network of ${args.tap}`,
    async connect(config) {
      const device = await openTap(args.tap, { onLost: error => lifecycle.fail(error), onWarning: text => log.warn(text) })
      const stack = createStack(machine, device, config)
      const counted = machine.log('counters')
      lifecycle.onEnd(() => counted.debug(describeCounters(stack.counters)))
      const disposable = {
        device,
        async [Symbol.asyncDispose]() {
          stack.close()
          await device.close()
        },
      }
      // Not Object.assign to another object: the addresses are getters.
      return Object.assign(stack, disposable)
    },
  })
}
