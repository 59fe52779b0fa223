/** What the network of a process stands on: the host's sockets or, with --tap, our own stack on a device of the host. */
import { type ArgTable, type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import { addressArgs, checkNetwork } from '../address-args.ts'
import { portMap } from './ports.ts'

export const networkArgs = {
  portMap: arg.list({ doc: 'ports to listen on in the place of those that the program names, such as 80:8080' }),
  net: arg.choice(['socket', 'direct'], { doc: "what the network stands on: the host's sockets, or our own stack on the device of --tap" }),
  tap: arg.string({ default: '', doc: 'a tap device of the host, such as tap0, for our own stack; its addresses are those that follow' }),
  ...addressArgs,
} satisfies ArgTable

export type NetworkArgs = ArgValues<typeof networkArgs>

/** As they are written. */
const words: Readonly<Record<keyof typeof addressArgs, string>> = {
  ipv4: '--ipv4',
  ipv4Gateway: '--ipv4-gateway',
  ipv6: '--ipv6',
  ipv6Gateway: '--ipv6-gateway',
  dns: '--dns',
  dhcp: '--dhcp',
}

const isGiven = (value: string | boolean | readonly string[]): boolean => (typeof value === 'boolean' ? value : value.length > 0)

/** Throws a UsageError or a StackConfigError for what cannot be. */
export function checkArgs(args: NetworkArgs): void {
  const { net, tap } = args
  portMap(args.portMap)
  if (tap === '') {
    const given = (Object.keys(words) as (keyof typeof words)[]).find(key => isGiven(args[key]))
    if (net === 'direct')
      throw new UsageError('--net direct: our own stack needs a device of the host on target unix: give --tap tap0 as well')
    if (given !== undefined) throw new UsageError(`${words[given]}: not on target unix without --tap: addresses come from the host there`)
    return
  }
  if (net === 'socket')
    throw new UsageError(`--net socket and --tap ${tap} were both given: sockets of the host need no device; leave one out`)
  if (args.portMap.length > 0)
    throw new UsageError(`--port-map and --tap ${tap} were both given: on a device of its own every port is free; leave one out`)
  checkNetwork(args)
}
