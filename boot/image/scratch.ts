/** An allocator for memory that is thrown away: blocks in sizes of powers of two; a freed one is used again for its size. */

const smallest = 4 // log2 of 16 bytes, the alignment of malloc

export class Scratch {
  readonly #start: number
  readonly #end: number
  #next: number
  /** By log2 of the size: addresses of free blocks. */
  readonly #free: number[][] = Array.from({ length: 33 }, () => [])
  /** By place / 16: log2 of the size of the block that begins there. */
  readonly #sizes: Uint8Array
  /** Blocks in use. */
  blocks = 0

  constructor(start: number, end: number) {
    this.#start = this.#next = Math.ceil(start / 16) * 16
    this.#end = end
    this.#sizes = new Uint8Array(Math.max(0, (end - this.#start) >>> smallest))
  }

  holds(address: number): boolean {
    return address >= this.#start && address < this.#end
  }

  /** Bytes that the block at `address` has room for. */
  room(address: number): number {
    return 2 ** this.#sizes[(address - this.#start) >>> smallest]
  }

  /** Address of a block, 0 when there is no room. */
  take(size: number): number {
    const log2 = Math.max(smallest, 32 - Math.clz32(size - 1))
    let address = this.#free[log2].pop()
    if (address === undefined) {
      if (this.#next + 2 ** log2 > this.#end) return 0
      address = this.#next
      this.#next += 2 ** log2
      this.#sizes[(address - this.#start) >>> smallest] = log2
    }
    this.blocks++
    return address
  }

  give(address: number): void {
    this.blocks--
    this.#free[this.#sizes[(address - this.#start) >>> smallest]].push(address)
  }
}
