/** Target `qubes`: a qube. */
import type { Target } from '@xen-ts/runtime'
import { domainKinds } from '../kinds.ts'

export const target = {
  name: 'qubes',
  becomes: 'image',
  kinds: { ...domainKinds, qubesdb: {}, qrexec: {}, screen: {} },
} as const satisfies Target
