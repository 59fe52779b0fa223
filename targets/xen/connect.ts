/** Target `xen`, connected: control/shutdown is obeyed, nothing else is added. */
import type { Connect } from '@xen-ts/runtime'
import { connectDomain, connectStack, domainProviders } from '../domain.ts'
import { networkConfig } from './network.ts'
import type { target } from './target.ts'

export { target } from './target.ts'

export const connect: Connect<typeof target> = context => {
  const domain = connectDomain(context)
  return {
    provide: domainProviders(domain, (_needs, _options, { signal }) => connectStack(domain, networkConfig(context.args), { signal })),
  }
}
