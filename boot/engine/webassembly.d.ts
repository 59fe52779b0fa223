/** The part of the WebAssembly JavaScript API that is used here. TypeScript has it in its DOM library only. */
declare namespace WebAssembly {
  type ImportValue = Memory | ((...args: never[]) => unknown)
  type Imports = Record<string, Record<string, ImportValue>>

  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: Imports)
    readonly exports: Record<string, unknown>
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number })
    readonly buffer: ArrayBuffer
    /** Grows by `pages` of 64 KiB; returns the old size in pages; throws a RangeError when it cannot. */
    grow(pages: number): number
  }
  class RuntimeError extends Error {}
}
