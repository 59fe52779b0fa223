/**
 * What holds whatever a peer does, for all suites of this folder: the driver writes nowhere but where its protocol lets it, reads
 * nothing twice, comes to an end, and gives everything back. Needs watchMemory().
 */

import type { Allowed, MemoryAccess, Sharing, SimulatedDomain, SimulatedXen } from '../sim/index.ts'
import { findDoubleFetches, sharing } from '../sim/index.ts'

/** Whether a driver may write there: how the memory is shared, and what is written. Not asked for memory that nobody shares. */
export type WriteRule = (how: Exclude<Sharing, undefined>, access: MemoryAccess) => boolean

/** Offsets of a page that a frontend may write in a ring with slots (io/ring.h): its indices, both event indices at the start, slots. */
export const inFrontRing = (offset: number): boolean => offset < 8 || (offset >= 12 && offset < 16) || offset >= 64
/** And in the ring of xenstore (io/xs_wire.h): requests and two indices. */
export const inStoreRing = (offset: number): boolean => offset < 1024 || (offset >= 2052 && offset < 2060)

/** Accesses in one turn of a domain that no work here needs; a loop that does not end does. */
const MOST_ACCESSES = 100_000
const GUARD = 0xa5

export interface Supervision {
  /** Log lines of level warn or error. */
  warnings(): string[]
  /** Lets deferred releases finish. @throws Error when one of the rules was broken */
  verdict(): Promise<void>
}

/** @param storesTell see findDoubleFetches */
export function supervise(
  xen: SimulatedXen,
  domain: SimulatedDomain,
  mayWrite: WriteRule,
  allowed: readonly Allowed[] = [],
  storesTell = false,
): Supervision {
  const broken: string[] = []
  const fetchedTwice = findDoubleFetches(xen, domain, allowed, storesTell)
  let accesses = 0
  xen.watchers.push(access => {
    if (access.domain !== domain) return
    const { kind, operation, buffer, offset, length } = access
    if (operation === 'event' || operation === 'timer' || operation === 'rest') accesses = 0
    else if (++accesses > MOST_ACCESSES) throw new Error(`a turn of ${accesses} accesses: ${operation} at ${offset}`)
    if (kind !== 'write' && kind !== 'update') return
    for (const at of [offset, offset + length - 1]) {
      const how = sharing(domain, buffer, at)
      if (how !== undefined && !mayWrite(how, access))
        broken.push(`${operation} of ${length} bytes at ${offset} of ${how} memory, which is not ours to write\n${new Error().stack}`)
    }
  })
  // Memory of the domain that has nothing to do with the driver.
  const guard = new Uint8Array(domain.abi.pagesAlloc(2) as ArrayBuffer).fill(GUARD)
  return {
    warnings: () => domain.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text),
    async verdict() {
      await xen.advance(3000)
      if (broken.length > 0) throw new Error(`${broken.length} wrong writes: ${broken[0]}`)
      if (fetchedTwice.length > 0)
        throw new Error(
          `${fetchedTwice.length} double fetches: ${fetchedTwice[0].operation} at ${fetchedTwice[0].offset} of a page\n${fetchedTwice[0].stack}`,
        )
      if (!guard.every(byte => byte === GUARD)) throw new Error('a page that has nothing to do with the driver was written')
      domain.abi.pagesFree(guard)
      xen.assertNoLeaks()
    },
  }
}
