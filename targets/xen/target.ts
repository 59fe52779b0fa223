/** Target `xen`: a plain Xen domain. */
import type { Target } from '@xen-ts/runtime'
import { addressArgs, checkNetwork } from '../address-args.ts'
import { domainGlobals, domainKinds } from '../kinds.ts'

export const target = {
  name: 'xen',
  becomes: 'image',
  args: addressArgs,
  kinds: domainKinds,
  globals: domainGlobals,
  adds: ['shutdown requests'],
  network: { net: 'direct', address: 'arguments' },
  check: checkNetwork,
} as const satisfies Target
