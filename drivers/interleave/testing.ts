/** What the tests of interleavings share. */
import { firstSeed, inputs, repeat } from '@xen-ts/boot/fuzz'
import type { ExecutionContext } from 'ava'
import type { DoubleFetch } from '../sim/index.ts'

/** Runs `work` for so many seeds from 1 on, or what npm run fuzz wants; what fails names its seed. Logs the sum of what each run counted. */
export async function forSeeds(
  t: ExecutionContext,
  count: number,
  work: (seed: number) => Promise<Readonly<Record<string, number>>>,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  const again = repeat(new Error().stack)
  const begin = firstSeed({ seed: 1 })
  const end = begin + inputs({ few: count, cost: 100 })
  for (let seed = begin; seed < end; seed++) {
    try {
      for (const [name, number] of Object.entries(await work(seed))) sums[name] = (sums[name] ?? 0) + number
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${again(seed)}`, { cause: error })
    }
  }
  t.log(
    Object.entries(sums)
      .map(([name, number]) => `${number} ${name}`)
      .join(', '),
  )
  return sums
}

/** @throws Error with the first of them */
export function assertNone(found: readonly DoubleFetch[]): void {
  if (found.length > 0)
    throw new Error(
      `${found.length} double fetches, first by domain ${found[0].domain}, offset ${found[0].offset} of a page, ${found[0].operation}\n${found[0].stack}`,
    )
}
