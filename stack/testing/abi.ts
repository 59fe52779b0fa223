/** What the stack uses of the kernel, on a clock of the test's. Randomness is seeded, so that a failing test fails again. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { hostFunctions } from '@xen-ts/runtime/node'

export function testAbi(seed: number, now: () => number): HostFunctions {
  const next = seededRandom(seed)
  const random = (into: Uint8Array): void => {
    for (let i = 0; i < into.length; i++) into[i] = next() * 256
  }
  return hostFunctions({ now, wall: () => 1_795_000_000_000 + now(), random })
}

/** Numbers from 0 to below 1, always the same for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
