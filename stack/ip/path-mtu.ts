/**
 * What routers have said of the largest packet to a peer (RFC 1191, RFC 8201), for all that is sent there: it outlives the connection that
 * heard it. Kept by the peer's address, for both families; bounded, and forgotten after a while, for paths get better too.
 */
import type { Timers } from '@xen-ts/runtime/machine'

/** Milliseconds (RFC 1191 section 6.3, RFC 8201 section 4: ten minutes), and peers; the oldest is forgotten. */
const LIFETIME = 600_000
const MOST_PEERS = 256

export class PathMtus {
  readonly #timers: Timers
  readonly #peers = new Map<string, { mtu: number; until: number }>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Of how many peers something is known. */
  get size(): number {
    return this.#peers.size
  }

  /** Infinity when nothing is known. */
  get(peer: string): number {
    const known = this.#peers.get(peer)
    if (known === undefined) return Infinity
    if (known.until > this.#timers.now()) return known.mtu
    this.#peers.delete(peer)
    return Infinity
  }

  /** Only less than what is known counts: an old message must not undo a new one, and nobody can talk us into more than the link's. */
  set(peer: string, mtu: number): void {
    if (mtu >= this.get(peer)) return
    this.#peers.delete(peer) // it is the newest now
    if (this.#peers.size >= MOST_PEERS) this.#peers.delete(this.#peers.keys().next().value!)
    this.#peers.set(peer, { mtu, until: this.#timers.now() + LIFETIME })
  }

  /** Forgets the peers of a family. */
  clear(family: 4 | 6): void {
    for (const peer of this.#peers.keys()) if (peer.includes(':') === (family === 6)) this.#peers.delete(peer)
  }
}
