/** The sections of a WebAssembly module (core specification 2.0, section 5.5), and how one is exchanged. */

export const sectionId = { export: 7, code: 10 } as const

/** What a section contains lies from `start` to `end`; it begins with the number of its entries. */
export interface Section {
  readonly start: number
  readonly end: number
}

/** @throws Error when there is none */
export function findSection(wasm: Uint8Array, name: keyof typeof sectionId): Section {
  for (let at = 8; at < wasm.length; ) {
    const [length, start] = readLeb(wasm, at + 1)
    const end = start + length
    if (wasm[at] === sectionId[name]) return { start, end }
    at = end
  }
  throw new Error(`the engine's .wasm has no ${name} section`)
}

/** The same module with other contents in a section. */
export function withSection(wasm: Uint8Array, name: keyof typeof sectionId, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const { start, end } = findSection(wasm, name)
  const before = start - leb(end - start).length
  const length = contents.reduce((sum, each) => sum + each.length, 0)
  // (Uint8Array.from would take each byte by itself.)
  return new Uint8Array(Buffer.concat([wasm.subarray(0, before), Uint8Array.from(leb(length)), ...contents, wasm.subarray(end)]))
}

/** Unsigned LEB128: the value and the place behind it. */
export function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[at++]
    value += (byte & 127) * scale
    if (byte < 128) return [value, at]
  }
}

export function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}
