/** Received bytes that wait: the begin of a head, or requests behind one that is not answered yet. */
import type { HostFunctions } from '@xen-ts/runtime/machine'

export class PendingBytes {
  /** They stand in `bytes`, from `start` on. */
  bytes: Uint8Array = EMPTY
  start = 0
  length = 0
  readonly #abi: HostFunctions

  constructor(abi: HostFunctions) {
    this.#abi = abi
  }

  append(from: Uint8Array, offset: number, length: number): void {
    const total = this.length + length
    if (this.start + total > this.bytes.length) {
      const target = total <= this.bytes.length / 2 ? this.bytes : new Uint8Array(Math.max(1024, 2 * total))
      this.#abi.copy(target, 0, this.bytes, this.start, this.length)
      this.bytes = target
      this.start = 0
    }
    this.#abi.copy(this.bytes, this.start + this.length, from, offset, length)
    this.length = total
  }

  drop(length: number): void {
    this.length -= length
    this.start += length
    if (this.length === 0) {
      this.bytes = EMPTY // most connections need none most of the time
      this.start = 0
    }
  }
}

const EMPTY = new Uint8Array(0)

/** Of connections that have had none yet, as most: nothing is ever added to it. */
export const NONE = new PendingBytes({} as HostFunctions)
