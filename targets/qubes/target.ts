/** Target `qubes`: a qube. */
import type { Target } from '@xen-ts/runtime'
import { domainGlobals, domainKinds } from '../kinds.ts'

export const target = {
  name: 'qubes',
  becomes: 'image',
  kinds: { ...domainKinds, qubesdb: {}, qrexec: {}, screen: {} },
  globals: domainGlobals,
  adds: ['shutdown requests', 'QubesDB', 'qrexec agent', 'GUI agent'],
  network: { net: 'direct', address: 'QubesDB' },
} as const satisfies Target
