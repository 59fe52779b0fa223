/** Choices from one source of chance, so that the same seed makes the same ones. */
import { seededRandom } from '../testing/abi.ts'

export class Dice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#random() * count)
  }
  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]
  }
  /** One time out of `times`. */
  chance(times: number): boolean {
    return this.below(times) === 0
  }
  bytes(most: number): Uint8Array {
    return Uint8Array.from({ length: this.below(most + 1) }, () => this.below(256))
  }
}
