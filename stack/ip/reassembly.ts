/**
 * Puts fragments together again (RFC 791, RFC 815; RFC 8200 section 4.5), of either family. Whoever can send packets can send fragments
 * that never become whole, and fragments that contradict each other so that a firewall on the way reads one thing and we another. So all of
 * it is bounded, the oldest goes first, and a datagram with fragments that overlap is given up whole (RFC 5722, here for IPv4 too).
 */
import type { Frame, HostFunctions, Timer, Timers } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { newFrame } from './frame.ts'

/** One fragment, its headers checked by its family. */
export interface Fragment {
  /** Source, destination, identification and what else tells the datagrams of a family apart. */
  readonly key: string
  /** The sender, for its share of the memory. */
  readonly source: string
  readonly frame: Frame
  /** Byte of the frame where its piece begins, an even number. What is before it in the first fragment becomes the head of the datagram. */
  readonly at: number
  readonly length: number
  /** Where its piece belongs, in bytes. */
  readonly offset: number
  readonly more: boolean
  /** Bytes of the transport's header: the first fragment must have them all (RFC 1858, RFC 7112). */
  readonly least: number
}

/** A datagram that is whole: a frame with the head of the first fragment as it came, and all `length` bytes from `at` on. */
export interface Datagram {
  readonly frame: Frame
  readonly at: number
  readonly length: number
}

/** What is kept of one piece, beside its bytes: about what its objects take. */
const COST = 128
/** The most bytes that one datagram can have, and the most pieces: as many as the least MTU of IPv4 (576) makes of it, with some to spare. */
const MOST_BYTES = 0xffff
const MOST_PIECES = 128

interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

class Partial {
  readonly key: string
  readonly source: string
  readonly deadline: number
  /** By offset, without overlap. */
  readonly pieces: Piece[] = []
  /** What was before the first piece; undefined until it comes. */
  head: Uint8Array | undefined = undefined
  /** Bytes so far, and in all when the last fragment was there. */
  bytes = 0
  total = -1
  cost = COST
  /** Contradicted itself: what still comes of it is dropped until its time is over (RFC 5722). */
  isDead = false

  constructor({ key, source }: Fragment, deadline: number) {
    this.key = key
    this.source = source
    this.deadline = deadline
  }
}

export class Reassembly {
  readonly #abi: HostFunctions
  readonly #timers: Timers
  readonly #counters: Counters
  readonly #lifetime: number
  readonly #memory: number
  readonly #expired: (first: Datagram) => void
  /** The oldest first. */
  readonly #partials = new Map<string, Partial>()
  readonly #shares = new Map<string, number>()
  #used = 0
  #timer: Timer | undefined = undefined

  /**
   * @param lifetime milliseconds from the first fragment that came to the last
   * @param memory bytes of all fragments that wait; one sender has half of it at most
   * @param expired called with the first fragment of a datagram whose time is over
   */
  constructor(parts: {
    abi: HostFunctions
    timers: Timers
    counters: Counters
    lifetime: number
    memory: number
    expired(first: Datagram): void
  }) {
    this.#abi = parts.abi
    this.#timers = parts.timers
    this.#counters = parts.counters
    this.#lifetime = parts.lifetime
    this.#memory = parts.memory
    this.#expired = parts.expired
  }

  /** Bytes that are held. */
  get used(): number {
    return this.#used
  }

  /** Takes a fragment, of which nothing is kept but a copy. Gives the datagram when it is whole, and forgets it. */
  add(fragment: Fragment): Datagram | undefined {
    const { key, offset, length, more } = fragment
    const known = this.#partials.get(key)
    if (known?.isDead === true) {
      this.#counters.fragments++
      return undefined
    }
    const partial = known ?? new Partial(fragment, this.#timers.now() + this.#lifetime)
    const place = isPossible(fragment) ? placeOf(partial, fragment) : CONTRADICTION
    if (place === DUPLICATE) {
      this.#counters.fragments++
      return undefined
    }
    if (known === undefined) this.#begin(partial)
    if (place === CONTRADICTION) {
      this.#counters.fragments++
      this.#kill(partial)
      return undefined
    }
    const { u8 } = fragment.frame
    const bytes = new Uint8Array(length)
    this.#abi.copy(bytes, 0, u8, fragment.at, length)
    partial.pieces.splice(place, 0, { offset, bytes })
    partial.bytes += length
    if (offset === 0) partial.head = u8.slice(0, fragment.at)
    if (!more) partial.total = offset + length
    this.#charge(partial, length + COST)
    if (partial.bytes !== partial.total || partial.head === undefined) {
      this.#makeRoom(partial)
      return undefined
    }
    this.#forget(partial)
    this.#counters.reassembled++
    return this.#join(partial.head, partial.pieces, partial.total)
  }

  /** Forgets everything: the addresses have changed, or the stack is closed. */
  clear(): void {
    this.#partials.clear()
    this.#shares.clear()
    this.#used = 0
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #begin(partial: Partial): void {
    this.#partials.set(partial.key, partial)
    this.#account(partial, COST)
    this.#timer ??= this.#wait(partial)
  }

  #join(head: Uint8Array, pieces: readonly Piece[], length: number): Datagram {
    const at = head.length
    const frame = newFrame(at + length)
    this.#abi.copy(frame.u8, 0, head, 0, at)
    for (const { offset, bytes } of pieces) this.#abi.copy(frame.u8, at + offset, bytes, 0, bytes.length)
    return { frame, at, length }
  }

  #kill(partial: Partial): void {
    partial.isDead = true
    partial.pieces.length = 0
    partial.head = undefined
    this.#charge(partial, COST - partial.cost)
    this.#makeRoom(partial)
  }

  #charge(partial: Partial, bytes: number): void {
    partial.cost += bytes
    this.#account(partial, bytes)
  }

  #account({ source }: Partial, bytes: number): void {
    this.#used += bytes
    const share = (this.#shares.get(source) ?? 0) + bytes
    if (share === 0) this.#shares.delete(source)
    else this.#shares.set(source, share)
  }

  /** The oldest of a sender that has more than its share go, and then the oldest of all; the newest fragment's datagram stays. */
  #makeRoom(newest: Partial): void {
    const { source } = newest
    if (this.#shares.get(source)! > this.#memory / 2) {
      for (const partial of this.#partials.values()) {
        if (partial.source !== source || partial === newest) continue
        this.#evict(partial)
        if (this.#shares.get(source)! <= this.#memory / 2) break
      }
    }
    if (this.#used <= this.#memory) return
    for (const partial of this.#partials.values()) {
      if (partial === newest) continue
      this.#evict(partial)
      if (this.#used <= this.#memory) break
    }
  }

  #evict(partial: Partial): void {
    this.#counters.reassemblyEvicted++
    this.#forget(partial)
  }

  #forget(partial: Partial): void {
    this.#partials.delete(partial.key)
    this.#account(partial, -partial.cost)
    if (this.#partials.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** All wait equally long: the oldest is the next whose time is over. */
  #wait({ deadline }: Partial): Timer {
    return this.#timers.set(deadline - this.#timers.now(), () => this.#sweep())
  }

  #sweep(): void {
    this.#timer = undefined
    const now = this.#timers.now()
    for (const partial of this.#partials.values()) {
      if (partial.deadline > now) {
        this.#timer = this.#wait(partial)
        return
      }
      const { head, pieces, isDead } = partial
      this.#forget(partial)
      if (!isDead) this.#counters.reassemblyTimeouts++
      if (head !== undefined) this.#expired(this.#join(head, pieces.slice(0, 1), pieces[0].bytes.length))
    }
  }
}

/** Pieces of 8 bytes but for the last, none empty, none beyond what a packet can hold; the first with the transport's header. */
function isPossible({ offset, length, more, least }: Fragment): boolean {
  if (length === 0 || (offset & 7) !== 0 || (more && (length & 7) !== 0) || offset + length > MOST_BYTES) return false
  return offset > 0 || length >= least
}

const DUPLICATE = -1
const CONTRADICTION = -2

/** Where among the pieces this one goes, or that it was there already (RFC 8200: no overlap, the network doubles packets), or cannot be. */
function placeOf({ pieces, total }: Partial, { offset, length, more }: Fragment): number {
  const end = offset + length
  let i = pieces.length
  while (i > 0 && pieces[i - 1].offset >= end) i--
  if (i > 0) {
    const before = pieces[i - 1]
    const size = before.bytes.length
    if (before.offset === offset && size === length) return more === (total !== end) ? DUPLICATE : CONTRADICTION
    if (before.offset + size > offset) return CONTRADICTION
  }
  if (total >= 0 && (!more || end > total)) return CONTRADICTION
  if (!more && i < pieces.length) return CONTRADICTION
  return pieces.length === MOST_PIECES ? CONTRADICTION : i
}
