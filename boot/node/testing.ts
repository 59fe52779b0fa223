/**
 * Runs bundles, test files and images in the guest's engine, under Node. What is run there imports @xen-ts/boot/cases.
 */

export { bodiesIn } from '../image/bodies-in.ts'
export { makeImage } from '../image/fixture/make.ts'
export { writeSnapshot } from '../image/format.ts'
export { restoreSnapshot } from '../image/restore.ts'
export { bindAbi } from './abi.ts'
export { type CountedFunction, countInEngine } from './count-run.ts'
export { createEngine } from './create.ts'
export type { Engine } from './engine.ts'
export { guestStackBytes } from './guest-stack.ts'
export { hostAbi } from './host-abi.ts'
export { runLoop, takeHooks } from './loop.ts'
export { type RunOptions, runInEngine } from './run.ts'
export { builtData, engineTests, type SuiteOptions, suite } from './suite.ts'
