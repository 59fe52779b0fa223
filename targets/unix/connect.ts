/** Target `unix`, connected: the network is the host's, or our own stack on a device of it. (Signals: runtime/node/process.ts.) */
import type { Connect, DeviceContext, HttpServer, Platform, Stack, TargetContext } from '@xen-ts/runtime'
import { type Counters, httpServer } from '@xen-ts/stack'
import { checkArgs } from './args.ts'
import { onTap } from './direct.ts'
import { hostStack } from './network.ts'
import { portMap } from './ports.ts'
import type { target } from './target.ts'

export { target } from './target.ts'

export const connect: Connect<typeof target> = context => {
  checkArgs(context.args)
  return context.args.tap === '' ? onSockets(context) : onTap(context)
}

function onSockets({ machine, args }: TargetContext<typeof target.args>): Platform<keyof typeof target.kinds> {
  const ports = portMap(args.portMap)
  return { provide: { stack: () => hostStack(machine, ports), http } }

  /** Our server on the host's sockets, which tells where it can be reached once it can be. */
  function http({ stack }: { stack: Stack }, _options: unknown, { lifecycle, log }: DeviceContext): HttpServer {
    const { tcp, counters } = stack
    return httpServer(
      machine,
      {
        async bind(port, options, accept) {
          await tcp.bind(port, options, accept)
          const number = ports.get(port) ?? port
          if (options.signal?.aborted !== true) log.info(`listening on http://localhost${number === 80 ? '' : `:${number}`}/`)
        },
      },
      lifecycle,
      counters.http as Counters['http'], // hostStack's own
    )
  }
}
