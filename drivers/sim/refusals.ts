/** Running out of things half way: the n-th allocation of a kind fails, for every n. */
import type { GrantTable } from '../grant-table.ts'
import type { SimulatedDomain } from './domain.ts'

/** What a domain asks hypervisor, kernel or store for, and may not get. */
export type Resource = 'pages' | 'ports' | 'mappings' | 'store'

/**
 * Calls `work` once for each allocation of that kind that it makes, which fails, and once more when none does.
 * @param work makes a domain, calls `arm` with it from when on allocations count, and `relieve` when nothing is to fail any more
 * @returns how many allocations there were
 */
export async function refuseEach(
  what: Resource,
  work: (refusal: { arm(domain: SimulatedDomain): void; relieve(): void; readonly name: string }) => Promise<void>,
): Promise<number> {
  for (let n = 1; ; n++) {
    let count = 0
    let isOver = false
    await work({
      arm(domain) {
        domain.refuses = resource => !isOver && resource === what && ++count === n
      },
      relieve() {
        isOver = true
      },
      name: `${what} ${n}`,
    })
    if (count < n) return count
  }
}

/** Leaves a domain so many grant references. Gives the function that gives the others back. */
export function leaveGrants(domain: SimulatedDomain, grants: GrantTable, left: number): () => void {
  const page = domain.machine.abi.pagesAlloc(1)!
  const bytes = new Uint8Array(page)
  const refs: number[] = []
  const frames = domain.maxGrantFrames
  domain.maxGrantFrames = 1
  while (grants.available > left) refs.push(grants.grant(0x7fef, domain.machine.abi.pageFrame(bytes, 0), true, 'filler'))
  return () => {
    domain.maxGrantFrames = frames
    grants.release(refs, () => domain.machine.abi.pagesFree(bytes))
  }
}
