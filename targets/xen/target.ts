/** Target `xen`: a plain Xen domain. */
import type { Target } from '@xen-ts/runtime'
import { domainKinds } from '../kinds.ts'
import { networkArgs } from './network.ts'

export const target = { name: 'xen', becomes: 'image', args: networkArgs, kinds: domainKinds } as const satisfies Target
