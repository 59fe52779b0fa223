/** The tool's parts, for those who build images without the command line. */
export { type BuildOptions, type BuildReport, buildProgram } from './build/build.ts'
export { bundleProgram } from './build/image-bundle.ts'
export { findProject } from './build/project.ts'
export { kib } from './build/report.ts'
export { findTarget } from './build/targets.ts'
export { hotList, isListed } from './native/hot.ts'
export { keysOf } from './native/keys.ts'
export { positionRewriter, type Rewrite } from './run/positions.ts'
