/**
 * Target `xen`: a plain Xen domain. The address is an argument, there is no DHCP client yet; control/shutdown is obeyed, nothing else
 * is added.
 */
import { arg } from '@xen-ts/runtime/args.ts'
import type { Target } from '@xen-ts/runtime/target.ts'
import { UsageError } from '@xen-ts/runtime/usage-error.ts'
import { connectDomain, connectStack, type Domain, driverKinds, http } from './domain.ts'

let domain: Domain

const args = {
  ip: arg.string({ default: '', doc: 'IPv4 address of the network device, with the length of its prefix: 192.168.1.20/24' }),
  gateway: arg.string({ default: '', doc: 'IPv4 address of the router' }),
  dns: arg.list({ doc: 'IPv4 addresses of name servers' }),
}

export const target: Target<typeof args> = {
  name: 'xen',
  args,
  before(context) {
    domain = connectDomain(context)
  },
  provide: {
    stack: {
      connect(_needs, _options, { args: { ip, gateway, dns }, signal }) {
        if (ip === '')
          throw new UsageError('stack: no address was given for the network device: start the program with ip=ADDRESS/BITS gateway=ADDRESS')
        const [address, bits = '32'] = ip.split('/')
        return connectStack(domain, { address, prefix: Number(bits), gateway: gateway === '' ? undefined : gateway, dns }, { signal })
      },
    },
    http,
    ...driverKinds(() => domain),
  },
}
