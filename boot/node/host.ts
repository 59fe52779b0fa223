/** The guest's engine under Node, for the tool: a bundle's snapshot runs there, on a machine that is not there. */
export { writeSnapshot } from '../image/format.ts'
export { restoreSnapshot } from '../image/restore.ts'
export { hostAbi } from './host-abi.ts'
export { runLoop } from './loop.ts'
