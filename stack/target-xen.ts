/**
 * Target `xen`: a plain Xen domain. Address and gateway are arguments of the program; without an address there is no network device.
 * control/shutdown is served; nothing else is added.
 */
import type { Target } from '@xen-ts/runtime/target.ts'

export const target: Target = { name: 'xen', provide: {} }
