/** Where a plain domain's addresses come from: the command line. There is no DHCP client yet. */
import { type ArgValues, arg, UsageError } from '@xen-ts/runtime'
import type { StackConfig } from '@xen-ts/stack'

export const networkArgs = {
  ip: arg.string({ default: '', doc: 'IPv4 address of the network device, with the length of its prefix: 192.168.1.20/24' }),
  gateway: arg.string({ default: '', doc: 'IPv4 address of the router' }),
  dns: arg.list({ doc: 'IPv4 addresses of name servers' }),
}

/** @throws UsageError without an address. What is no address is for the stack to refuse. */
export function networkConfig({ ip, gateway, dns }: ArgValues<typeof networkArgs>): StackConfig {
  if (ip === '')
    throw new UsageError('stack: no address was given for the network device: start the program with ip=ADDRESS/BITS gateway=ADDRESS')
  const [address, bits = '32'] = ip.split('/')
  return { address, prefix: Number(bits), gateway: gateway === '' ? undefined : gateway, dns }
}
