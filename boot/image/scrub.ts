/** Clears what a snapshot does not need: garbage, and the remains in freed memory. */
import type { Engine } from '../node/engine.ts'

/** JSRuntime.malloc_gc_threshold of a new runtime, and how far to look for it. */
const firstThreshold = 256 << 10
const runtimeBytes = 512

/** Finds the field of the cycle collector's threshold in a JSRuntime that nothing has run in yet. */
export function findGcThreshold(engine: Engine): number {
  const start = engine.runtime >>> 2
  const fields = engine.memory.u32.subarray(start, start + runtimeBytes / 4)
  // The size of the stack may be the same number.
  const places = [...fields.keys()].filter(index => fields[index] === firstThreshold && 4 * index !== engine.layout.stackSize)
  if (places.length !== 1) throw new Error("the engine's malloc_gc_threshold was not found in its JSRuntime")
  return engine.runtime + 4 * places[0]
}

/**
 * Runs QuickJS's cycle collector. No export does: it runs when an object is made while the heap is above the threshold, and sets
 * the threshold to 1.5 times what is left then.
 */
export function collect(engine: Engine, gcThreshold: number): void {
  engine.memory.u32[gcThreshold >>> 2] = 0
  engine.free(engine.exports.QTS_NewObject(engine.context))
  if (engine.memory.u32[gcThreshold >>> 2] === 0) throw new Error("the engine's cycle collector did not run")
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
