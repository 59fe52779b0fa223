/** A target of one's own: a domain of Xen with an address that it has when nobody gives it another, whose log goes to a syslog server. */
import { connect as connectXen, target as xen } from '@xen-ts/targets/xen'
import { arg, type Connect, stack, type Target } from 'xen-ts'
import { endpoint, forward } from './syslog.ts'

export { EventSource, fetch, WebSocket } from '@xen-ts/targets/xen'

export const target = {
  ...xen,
  name: 'xen-syslog',
  args: {
    ...xen.args,
    ipv4: arg.string({ default: '10.0.0.2/24', doc: 'IPv4 address, with the length of its prefix' }),
    syslog: arg.string({ default: '10.0.0.1', doc: 'ADDRESS or ADDRESS:PORT of the syslog server' }),
  },
  adds: [...xen.adds, 'syslog'],
  // Images of programs without a network have the stack, too.
  uses: ['stack'],
  check(args: any) {
    xen.check(args)
    endpoint(args.syslog)
  },
} as const satisfies Target

export const connect: Connect<typeof target> = async context => {
  const { args, log, program, use, signal } = context
  const to = endpoint(args.syslog)
  return {
    ...(await connectXen(context)),
    // Devices can be asked for now. Lines from before are kept.
    started() {
      use(stack()).then(
        net => forward({ log, net, to, name: program.name, signal }),
        (error: Error) => log.error(`syslog: ${error.message}`),
      )
    },
  }
}
