/**
 * Finds double fetches: a driver that reads the same bytes twice in one turn checks one value and uses another, if a hostile peer is
 * quick enough. Reading again is right only after the peer was told something (our index moved, an event was asked for) and a barrier:
 * then it is another question.
 */
import type { MemoryAccess } from './accesses.ts'
import { Uint32Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import { PAGE } from './memory.ts'
import { isWritableByPeer } from './sharing.ts'
import type { SimulatedXen } from './xen.ts'

/** Single loads (not copies) that may be repeated all the same. */
export interface Allowed {
  /** Which bytes: an offset in a page. */
  readonly offset: number
  readonly length: number
  /** What makes it right. */
  readonly why: string
}

export interface DoubleFetch {
  readonly domain: number
  readonly operation: string
  /** Offset in its page. */
  readonly offset: number
  readonly stack: string
}

const ends = new Set(['event', 'timer', 'rest'])
/** What all that a domain did before it is visible after. */
const barriers = new Set(['fence', 'or8', 'and8', 'exchange32', 'compareExchange16', 'evtchnSend'])

/**
 * Double fetches of `domain` from now on; needs watchMemory().
 * @param storesTell its stores alone tell the peer, as those of an index of a ring do on x86: what it reads again then, the peer may have changed
 */
export function findDoubleFetches(
  xen: SimulatedXen,
  domain: SimulatedDomain,
  allowed: readonly Allowed[] = [],
  storesTell = false,
): DoubleFetch[] {
  const found: DoubleFetch[] = []
  /** Per byte, when it was read the last time. */
  const reads = new WeakMap<ArrayBuffer, Uint32Array>()
  let now = 1
  let told = false
  const isAllowed = (offset: number): boolean => allowed.some(range => offset >= range.offset && offset < range.offset + range.length)
  const onRead = ({ buffer, offset, length, operation }: MemoryAccess): void => {
    let times = reads.get(buffer)
    if (times === undefined) reads.set(buffer, (times = new Uint32Array(buffer.byteLength)))
    let twice = -1
    for (let i = offset; i < offset + length; i++) {
      if (times[i] === now) twice = i
      times[i] = now
    }
    if (twice < 0 || (operation === 'load' && isAllowed(twice % PAGE))) return
    found.push({ domain: domain.domid, operation, offset: twice % PAGE, stack: new Error().stack ?? '' })
  }
  xen.watchers.push(access => {
    if (access.domain !== domain) return
    const { kind, operation } = access
    if (ends.has(operation)) now++
    else if (kind !== 'order' && !isWritableByPeer(domain, access.buffer, access.offset)) return
    else if (kind === 'read') onRead(access)
    else if (kind === 'write' || kind === 'update') told = true
    if (told && (storesTell || barriers.has(operation))) {
      now++
      told = false
    }
  })
  return found
}
