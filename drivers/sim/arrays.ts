/**
 * The typed arrays as the language made them. accesses.ts may replace the global ones by watched ones; what the simulation itself does to
 * memory is not an access of a domain, so it uses these.
 */
const { Uint8Array, Uint16Array, Uint32Array, DataView } = globalThis

export { DataView, Uint8Array, Uint16Array, Uint32Array }
