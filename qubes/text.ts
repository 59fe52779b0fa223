/** Strings to bytes and back, through the kernel: the engine has no TextEncoder, and a loop in JavaScript would be slow. */
import type { HostFunctions } from '@xen-ts/runtime/machine'

export type TextAbi = Pick<HostFunctions, 'utf8Encode' | 'utf8Decode'>

export class Text {
  readonly #abi: TextAbi

  constructor(abi: TextAbi) {
    this.#abi = abi
  }

  /** UTF-8, without a NUL at the end. */
  encode(text: string): Uint8Array {
    // A UTF-16 unit becomes 3 bytes at most.
    const space = new Uint8Array(text.length * 3)
    return space.slice(0, this.#abi.utf8Encode(text, space, 0))
  }

  /** The same, where there is room for it. */
  encodeInto(text: string, into: Uint8Array, offset: number): void {
    if (this.#abi.utf8Encode(text, into, offset) < 0) throw new RangeError(`a text of ${text.length} characters does not fit`)
  }

  /** Text from UTF-8; what is not UTF-8 becomes U+FFFD. */
  decode(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
    const end = offset + length
    let text = ''
    // The kernel's decoder stops at a NUL.
    for (let nul; (nul = bytes.indexOf(0, offset)) >= 0 && nul < end; offset = nul + 1) {
      text += this.#abi.utf8Decode(bytes, offset, nul - offset) + '\0'
    }
    return offset === end ? text : text + this.#abi.utf8Decode(bytes, offset, end - offset)
  }

  /**
   * A fixed field of C's `char name[length]`: the text before its NUL.
   * @returns undefined when there is no NUL: a peer that sent such a field must not be believed.
   */
  decodeField(bytes: Uint8Array, offset: number, length: number): string | undefined {
    const end = bytes.indexOf(0, offset)
    return end < 0 || end >= offset + length ? undefined : this.decode(bytes, offset, end - offset)
  }
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

/** Puts arrays one after another into a new one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
