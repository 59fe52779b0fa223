/** Target `xen`, connected: control/shutdown is obeyed, nothing else is added. */
import type { Connect } from '@xen-ts/runtime'
import { connectDomain, domainProviders } from '../domain.ts'
import { connectNetwork } from './network.ts'
import type { target } from './target.ts'

export { EventSource } from '../event-source.ts'
export { fetch } from '../fetch.ts'
export { WebSocket } from '../web-socket.ts'
export { target } from './target.ts'

export const connect: Connect<typeof target> = context => {
  const domain = connectDomain(context)
  const { args, program } = context
  return { provide: domainProviders(domain, (_needs, _options, { signal }) => connectNetwork(domain, args, program.name, signal)) }
}
