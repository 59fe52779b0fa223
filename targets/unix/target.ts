/** Target `unix`: a process under Node. */
import type { Target } from '@xen-ts/runtime'
import { checkArgs, networkArgs } from './args.ts'

export const target = {
  name: 'unix',
  becomes: 'process',
  args: networkArgs,
  kinds: { stack: {}, http: {} },
  adds: ['signals'],
  network: { net: 'socket', address: 'the host', device: 'tap' },
  check: checkArgs,
} as const satisfies Target
