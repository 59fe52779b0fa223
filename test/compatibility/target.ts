/** A target that connects to nothing: there is no Xen here. */
import type { Connect, Target } from '@xen-ts/runtime'

export const target = { name: 'test', becomes: 'image', kinds: {} } as const satisfies Target
export const connect: Connect<typeof target> = () => ({ provide: {} })
