/** More of the WebAssembly JavaScript API than boot/engine/webassembly.d.ts declares: what hosting the engine needs. */
declare namespace WebAssembly {
  class Table {
    readonly length: number
    grow(slots: number): number
    set(slot: number, value: unknown): void
  }
}
