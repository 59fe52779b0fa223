/** The engine as a native object: for the kernel's build, and for benchmarks. */

export { bodiesInputs, type Compilable, compileBodies } from './ahead/compile.ts'
export { writeBodiesFile } from './ahead/file.ts'
export { functionsOf } from './ahead/functions.ts'
export { buildEngine, engineFolder } from './build.ts'
export { engineLayout } from './layout.ts'
export { compileScripts, type NativeOptions, runNative } from './native.ts'
