/** Clears what a snapshot does not need: garbage, and the remains in freed memory. */
import type { Engine } from '../node/engine.ts'

/**
 * Runs QuickJS's cycle collector. No export does: it runs when an object is made while the heap is above the threshold, and sets
 * the threshold to 1.5 times what is left then.
 */
export function collect(engine: Engine): void {
  const threshold = (engine.runtime + engine.layout.gcThreshold) >>> 2
  engine.memory.u32[threshold] = 0
  engine.free(engine.exports.QTS_NewObject(engine.context))
  if (engine.memory.u32[threshold] === 0) throw new Error("the engine's cycle collector did not run")
}

/**
 * Tells the engine what it has from the allocator: the engine in the kernel counts bytes, and this one does not (boot/engine/account.ts).
 * Rather too much than too little, since what is freed later is taken off again.
 * @param heapStart where the heap begins
 * @param others bytes in it that are not in the account
 */
export function account(engine: Engine, heapStart: number, others: number): void {
  const { memory, runtime, layout } = engine
  const bytes = usedTop(memory.u8) - heapStart - others
  memory.u32[(runtime + layout.heapSize) >>> 2] = bytes
  memory.u32[(runtime + layout.gcThreshold) >>> 2] = bytes + (bytes >>> 1)
}

const smallest = 16
const small = 4096

/**
 * Zeroes free memory: takes every free chunk below the heap's top from the allocator, zeroes it, and gives all back. This knows
 * nothing of the allocator's structures; what stays are its own few words in each free chunk. A big chunk is taken in one piece, since the
 * words between pieces would stay too, and with them a whole page of the image each.
 */
export function scrub(engine: Engine): void {
  const { memory } = engine
  const top = usedTop(memory.u8)
  /** A chunk of `size` bytes below the top, or 0. */
  const take = (size: number): number => {
    const address = engine.exports.malloc(size)
    if (address !== 0 && address + size <= top) return address
    engine.exports.free(address)
    return 0
  }
  const taken: number[] = []
  const clear = (address: number, size: number) => {
    memory.u8.fill(0, address, address + size)
    taken.push(address)
  }
  memory.fixed = true
  try {
    for (;;) {
      const size = largest(take, engine.exports.free, small, top)
      if (size === 0) break
      clear(take(size), size)
    }
    for (let size = small; size >= smallest; size = size > 64 ? size >> 1 : size - 16)
      for (let address = take(size); address !== 0; address = take(size)) clear(address, size)
    for (const address of taken.reverse()) engine.exports.free(address)
    // Sizes that did not fit have left words of the allocator behind the old top. All is free there; the very last is its end mark.
    const newTop = usedTop(memory.u8)
    if (newTop > top) memory.u8.fill(0, top, newTop - 4)
  } finally {
    memory.fixed = false
  }
}

/** The largest multiple of 16 from `low` to `high` that can be taken; 0 when there is none. */
function largest(take: (size: number) => number, free: (address: number) => void, low: number, high: number): number {
  const fits = (size: number) => {
    const address = take(size)
    if (address !== 0) free(address)
    return address !== 0
  }
  if (!fits(low)) return 0
  while (high - low > 16) {
    const middle = ((low + high) / 2) & ~15
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/** The end of the last word that is not zero. */
function usedTop(memory: Uint8Array): number {
  const words = new Uint32Array(memory.buffer)
  let index = words.length
  while (index > 0 && words[index - 1] === 0) index--
  return index * 4
}
