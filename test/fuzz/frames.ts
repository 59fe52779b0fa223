/** Frames into a whole stack for a while, one world after the other: stack/hostile/siege.ts says what must hold. */
import { record, siege } from '@xen-ts/stack/testing'

/** Frames of one world. */
const EACH = 2_000

/** Throws when a rule is broken, and names the seed. */
export async function framesFor(seconds: number, from: number | undefined): Promise<void> {
  const families = [4, 6] as const
  const corpus = { 4: await record(4), 6: await record(6) }
  const end = performance.now() + seconds * 1000
  let frames = 0
  let served = 0
  let seed = from ?? Math.floor(Math.random() * 0x7fffffff)
  console.log(`seeds from ${seed} on`)
  for (; performance.now() < end; seed++) {
    try {
      const family = families[seed & 1]
      served += (await siege(family, corpus[family], seed, EACH)).served
    } catch (error) {
      throw new Error(`${(error as Error).message}\nAgain: npm run fuzz -- frames 1 --seed ${seed}`, { cause: error })
    }
    frames += EACH
  }
  console.log(`${frames} frames in ${frames / EACH} worlds; the client had ${served} answers meanwhile`)
}
