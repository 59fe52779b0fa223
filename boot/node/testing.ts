/** Runs bundles and test files in the guest's engine, under Node. What is run there imports @xen-ts/boot/cases. */
export { type RunOptions, runInEngine } from './run.ts'
export { engineTests, type SuiteOptions, suite } from './suite.ts'
