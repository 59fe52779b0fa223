/** More of the WebAssembly JavaScript API than boot/engine/webassembly.d.ts declares: what hosting the engine needs. */
declare namespace WebAssembly {
  class Table {
    readonly length: number
    /** Adds slots; returns the old length. */
    grow(slots: number): number
    get(slot: number): unknown
    set(slot: number, value: unknown): void
  }
}
