/** Target `xen`: a plain Xen domain. */
import type { Target } from '@xen-ts/runtime'
import { domainGlobals, domainKinds } from '../kinds.ts'
import { networkArgs } from './network.ts'

export const target = {
  name: 'xen',
  becomes: 'image',
  args: networkArgs,
  kinds: domainKinds,
  globals: domainGlobals,
} as const satisfies Target
