/** The engine as a native object: for the kernel's build, and for benchmarks. */
export { buildEngine, engineFolder } from './build.ts'
export { engineLayout } from './layout.ts'
export { runNative } from './native.ts'
