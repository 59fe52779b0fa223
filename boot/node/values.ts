/**
 * QuickJS values as they lie in linear memory: 64 bits, NaN-boxed. The upper 32 bits are a tag (quickjs.h, JS_TAG_*); a tag outside
 * of the named range is part of a double, moved by an addend.
 */
import type { EngineLayout } from '../engine/layout.ts'
import type { LinearMemory } from './memory.ts'

/** quickjs.h, release 2025-09-13. */
export const tag = { first: -9, string: -7, rope: -6, object: -1, int: 0, bool: 1, null: 2, undefined: 3, exception: 6, float: 8 } as const

const float = new Float64Array(1)
const floatWords = new Uint32Array(float.buffer)

export class Values {
  readonly #memory: LinearMemory
  readonly #layout: EngineLayout
  /** The addend's upper word; its lower word is 0. */
  readonly #addend: number

  constructor(memory: LinearMemory, layout: EngineLayout) {
    this.#memory = memory
    this.#layout = layout
    this.#addend = Number(layout.float64Addend >> 32n)
  }

  /** The tag of the value at `address`; tag.float for every double. */
  tag(address: number): number {
    const high = this.#memory.u32[(address >>> 2) + 1] | 0
    return high >= tag.first && high < tag.float ? high : tag.float
  }

  isObject(address: number): boolean {
    return this.tag(address) === tag.object
  }

  isString(address: number): boolean {
    const kind = this.tag(address)
    return kind === tag.string || kind === tag.rope
  }

  /** The number at `address`, or undefined when the value is not a number. */
  number(address: number): number | undefined {
    const words = this.#memory.u32,
      index = address >>> 2
    const kind = this.tag(address)
    if (kind === tag.int) return words[index] | 0
    if (kind !== tag.float) return undefined
    floatWords[0] = words[index]
    floatWords[1] = words[index + 1] + this.#addend
    return float[0]
  }

  /** Writes a number as QuickJS itself would: as an int where it is one, with the one NaN. */
  setNumber(address: number, value: number): void {
    const words = this.#memory.u32,
      index = address >>> 2
    if (Object.is(value | 0, value)) {
      words[index] = value
      words[index + 1] = tag.int
      return
    }
    float[0] = value
    words[index] = Number.isNaN(value) ? 0 : floatWords[0]
    words[index + 1] = (Number.isNaN(value) ? 0x7ff80000 : floatWords[1]) - this.#addend
  }

  /** A view of the Uint8Array at `address`, or undefined when the value is not one. Valid until memory grows. */
  bytes(address: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.tag(address) !== tag.object) return undefined
    const { layout, words, object } = { layout: this.#layout, words: this.#memory.u32, object: this.#memory.u32[address >>> 2] }
    const classId = this.#memory.u8[object + layout.classId] | (this.#memory.u8[object + layout.classId + 1] << 8)
    if (classId !== layout.uint8ArrayClass) return undefined
    const start = words[(object + layout.arrayData) >>> 2],
      length = words[(object + layout.arrayLength) >>> 2]
    return this.#memory.u8.subarray(start, start + length)
  }
}
