/** Reads the bytes of a WebAssembly module (WebAssembly core specification 2.0, chapter 5, binary format). */
import { WasmError } from './error.ts'

export const another = 'build the module again, for WebAssembly 2.0 without later proposals'

export class Reader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    if (this.done) throw new WasmError('the module is cut off', another)
    return this.bytes[this.at++]
  }

  /** LEB128, unsigned; the specification allows five bytes. */
  u32(): number {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const byte = this.byte()
      value += (byte & 127) * 2 ** (7 * i)
      if (byte < 128) return value
    }
    throw new WasmError('the module has a number that is too long', another)
  }

  /** LEB128 of any kind. */
  skipNumber(): void {
    for (let i = 0; i < 10; i++) if (this.byte() < 128) return
    throw new WasmError('the module has a number that is too long', another)
  }

  take(length: number): Uint8Array {
    const start = this.at
    this.at += length
    if (this.at > this.bytes.length) throw new WasmError('the module is cut off', another)
    return this.bytes.subarray(start, this.at)
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()))
  }

  vector<T>(item: () => T): T[] {
    const count = this.u32()
    if (count > this.bytes.length) throw new WasmError('the module has a list that is longer than itself', another)
    return Array.from({ length: count }, item)
  }
}

export function u32(value: number): number[] {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
  return [...bytes, value]
}
