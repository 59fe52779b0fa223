/**
 * A sequence of choices, from which programs are written. fast-check makes and shrinks the bytes: without more bytes every choice is the first
 * one, which is the simplest, so that less and smaller bytes make a shorter program.
 */
export class Choices {
  readonly #bytes: Uint8Array
  #at = 0
  #names = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** From 0 to below `count`, which is at most 256. */
  below(count: number): number {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++] % count : 0
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** Of 256: false where no bytes are left. */
  chance(times: number): boolean {
    return this.below(256) >= 256 - times
  }

  list<T>(least: number, most: number, make: (i: number) => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, (_, i) => make(i))
  }

  /** A name that is nowhere else in the piece. */
  name(letter: string): string {
    return `${letter}${this.#names++}`
  }
}
