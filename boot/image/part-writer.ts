/** A part of an image's code (code.ts) while it is laid out. */
import type { Reference } from '../engine/stencils/object.ts'
import type { Relocation } from './code.ts'
import { ImageError } from './error.ts'

/** Bytes that grow, and what they refer to. */
export class PartWriter {
  #bytes = new Uint8Array(1 << 16)
  view = new DataView(this.#bytes.buffer)
  length = 0
  readonly relocations: Relocation[] = []

  reserve(length: number, align: number): number {
    const start = Math.ceil(this.length / align) * align
    this.length = start + length
    while (this.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
      this.view = new DataView(larger.buffer)
    }
    return start
  }

  add(bytes: Uint8Array, align: number): number {
    const start = this.reserve(bytes.length, align)
    this.put(start, bytes)
    return start
  }

  put(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at)
  }

  /** @param to a place in the part */
  relative(at: number, to: number, addend: number): void {
    this.view.setInt32(at, to + addend - at, true)
  }

  /** A symbol of the kernel. */
  outside(offset: number, kind: Reference['kind'], target: string, addend: number): void {
    if (kind === 'abs32') throw new ImageError(`machine code has the lower half of the address of ${target}`)
    this.relocations.push({ offset, kind: kind === 'abs32s' ? 'abs32' : kind, target, addend })
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }
}
