/**
 * The targets there are, by name: what each provides and becomes. The tool finds them here; the other half of target `xen` is the module
 * @xen-ts/targets/xen. A program may bring a target of its own: a module with these two exports, `target` and `connect`.
 */
export { target as qubes } from './qubes/target.ts'
export { target as unix } from './unix/target.ts'
export { target as xen } from './xen/target.ts'
