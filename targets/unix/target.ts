/** Target `unix`: a process under Node. */
import type { Target } from '@xen-ts/runtime'
import { networkArgs } from './ports.ts'

export const target = {
  name: 'unix',
  becomes: 'process',
  args: networkArgs,
  kinds: { stack: {}, http: {} },
  adds: ['signals'],
  network: { net: 'socket', address: 'the host' },
} as const satisfies Target
