/** Target `unix`: a process under Node. */
import type { Target } from '@xen-ts/runtime'

export const target = {
  name: 'unix',
  becomes: 'process',
  kinds: { stack: {}, http: {} },
} as const satisfies Target
