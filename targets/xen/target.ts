/** Target `xen`: a plain Xen domain. */
import type { Target } from '@xen-ts/runtime'
import { domainGlobals, domainKinds } from '../kinds.ts'
import { checkNetwork, networkArgs } from './network.ts'

export const target = {
  name: 'xen',
  becomes: 'image',
  args: networkArgs,
  kinds: domainKinds,
  globals: domainGlobals,
  adds: ['shutdown requests'],
  network: { net: 'direct', address: 'arguments' },
  check: checkNetwork,
} as const satisfies Target
