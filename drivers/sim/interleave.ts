/**
 * A scheduler that lets other domains run at any single access of one to shared memory, and a peer that changes what is about to be
 * read. All by a seed: the same seed is the same run.
 *
 * A handler of another domain runs as a whole, in the middle of the first one's, as if that had been interrupted there; the first may
 * interrupt nobody who interrupted it. Whether what was stored meanwhile is seen at once, or only after the next fence, the seed says:
 * both may happen on a real machine.
 */
import type { MemoryAccess } from './accesses.ts'
import { Uint8Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import { isWritableByPeer, writeAsPeer } from './sharing.ts'
import type { SimulatedXen } from './xen.ts'

export interface InterleaveOptions {
  readonly seed: number
  /** One in so many accesses is interrupted. */
  readonly every?: number
  /** The domain whose peers change what it is about to read; nobody's by default. */
  readonly victim?: SimulatedDomain
  /** Whose memory they change: pages shared with other domains by default, or the ring of xenstore. */
  readonly attacker?: 'peers' | 'xenstored'
  /** One in so many reads of the victim finds something else than was there. */
  readonly mutateEvery?: number
}

export interface Interleaving {
  /** Accesses seen, handlers that ran in the middle of another, reads that were changed. */
  readonly counts: { accesses: number; interruptions: number; mutations: number }
}

/** To be called before the domains do anything; needs watchMemory(). */
export function interleave(
  xen: SimulatedXen,
  { seed, every = 4, victim, attacker = 'peers', mutateEvery = 20 }: InterleaveOptions,
): Interleaving {
  const random = generator(seed)
  const busy = new Set<SimulatedDomain>()
  const counts = { accesses: 0, interruptions: 0, mutations: 0 }
  xen.watchers.push(access => {
    const { domain, kind, operation } = access
    if (operation === 'event' || operation === 'timer' || operation === 'rest') return
    counts.accesses++
    if (!busy.has(domain) && random(every) === 0) {
      busy.add(domain)
      for (let most = 1 + random(3); most > 0 && runBeside(xen, busy); most--) counts.interruptions++
      busy.delete(domain)
    }
    if (
      domain === victim &&
      (kind === 'read' || kind === 'update') &&
      (access.buffer === domain.xenstore?.page) === (attacker === 'xenstored') &&
      random(mutateEvery) === 0 &&
      mutate(access, random)
    )
      counts.mutations++
    if (random(2) === 0) domain.synchronize()
  })
  return { counts }
}

/** What another domain throws is not the fault of the one it interrupted. */
function runBeside(xen: SimulatedXen, busy: ReadonlySet<SimulatedDomain>): boolean {
  try {
    return xen.runBeside(busy)
  } catch (error) {
    xen.enqueue(() => {
      throw error
    })
    return true
  }
}

/** Changes some of what is about to be read, if a peer can. */
function mutate({ domain, buffer, offset, length }: MemoryAccess, random: (limit: number) => number): boolean {
  const at = (offset + random(length)) & ~3
  if (!isWritableByPeer(domain, buffer, at)) return false
  domain.synchronize()
  const bytes = new Uint8Array(4)
  const words = new Uint8Array(buffer, at, 4)
  const old = (words[0] | (words[1] << 8) | (words[2] << 16) | (words[3] << 24)) >>> 0
  const values = [
    old + 1,
    old - 1,
    old + 4096,
    old - 4096,
    old ^ (1 << random(32)),
    old << 16,
    0,
    0xffffffff,
    random(0x100000000),
    random(300),
  ]
  const value = values[random(values.length)]
  for (let i = 0; i < 4; i++) bytes[i] = value >>> (i * 8)
  writeAsPeer(domain, buffer, at, bytes)
  return true
}

/** Numbers from 0 to below a limit (splitmix32). */
export function generator(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x9e3779b9) >>> 0
    let x = state
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return ((x ^ (x >>> 15)) >>> 0) % limit
  }
}
