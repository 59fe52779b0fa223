/**
 * The part of Web Crypto that is about randomness: https://w3c.github.io/webcrypto/#Crypto-interface . What it has as `subtle` is large, and in
 * an image only where the program uses it (subtle/link.ts).
 */
import type { Abi } from '@xen-ts/boot/abi'
import { DOMException } from './dom-exception.ts'

const MAX_BYTES = 65536

export class Crypto {
  readonly #abi: Pick<Abi, 'random'>

  /** With a default, so that its length is 0. */
  constructor(abi: Pick<Abi, 'random'> | undefined = undefined) {
    if (abi === undefined) throw new TypeError('Crypto: there is one, crypto; no other can be made')
    this.#abi = abi
  }

  getRandomValues<T extends ArrayBufferView>(array: T): T {
    const abi = this.#abi
    if (!ArrayBuffer.isView(array)) throw new TypeError('crypto.getRandomValues: the argument must be an integer typed array')
    if (/^(Float|DataView)/.test(array[Symbol.toStringTag as keyof T] as string)) {
      throw new DOMException('crypto.getRandomValues: the argument must be an integer typed array', 'TypeMismatchError')
    }
    if (array.byteLength > MAX_BYTES) {
      throw new DOMException(
        `crypto.getRandomValues: ${array.byteLength} bytes are asked for; at most ${MAX_BYTES} at a time`,
        'QuotaExceededError',
      )
    }
    abi.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return array
  }

  /** Version 4, RFC 9562 section 5.4. */
  randomUUID(): string {
    const bytes = this.getRandomValues(new Uint8Array(16))
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}
