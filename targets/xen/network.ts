/** Where a plain domain's addresses come from: the command line, or a DHCP server. */
import type { AddressArgs } from '../address-args.ts'
import { connectAddresses } from '../addresses.ts'
import { connectStack, type Vif, type XenStack } from '../domain.ts'

/** The stack at the addresses of the command line, or at those of a DHCP server once it has given some. @param name of the program */
export const connectNetwork = (domain: Vif, args: AddressArgs, name: string, signal: AbortSignal): Promise<XenStack> =>
  connectAddresses(args, {
    machine: domain.machine,
    name,
    signal,
    link: 'the bridge of the vif',
    connect: config => connectStack(domain, config, { signal }),
    onResume: handler => domain.machine.suspension.onResume(handler),
  })
