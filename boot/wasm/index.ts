/** WebAssembly modules of a program, compiled to native code: for the tool, which builds images with them. */
export { compileModule } from './compile.ts'
export { describeModule, type GlobalShape, type LimitsShape, type ModuleShape } from './describe.ts'
export { WasmError } from './error.ts'
export { hashOf, linkWasm, type NamedModule } from './link.ts'
export { readModule, type WasmModule } from './module.ts'
