/** What the tests of interleavings share. */
import type { ExecutionContext } from 'ava'
import type { DoubleFetch } from '../sim/index.ts'

/** Runs `work` for seeds from 1 on; what fails names its seed. Logs the sum of what each run counted. */
export async function forSeeds(
  t: ExecutionContext,
  count: number,
  work: (seed: number) => Promise<Readonly<Record<string, number>>>,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (let seed = 1; seed <= count; seed++) {
    try {
      for (const [name, number] of Object.entries(await work(seed))) sums[name] = (sums[name] ?? 0) + number
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
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
