/** The simulated Xen that tests of drivers, agents and stack run on. Not part of any image. */
export { SimulatedXen } from './xen.ts'
export type { SimulationOptions } from './xen.ts'
export { SimulatedDomain } from './domain.ts'
export type { LogLine } from './domain.ts'
export { grantCopy } from './grants.ts'
export { Access } from './store.ts'
export type { Permission } from './store.ts'
export type { Reply, StoreConnection } from './xenstored.ts'
