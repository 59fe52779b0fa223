/**
 * The grant table, version 1 (xen/include/public/grant_table.h; Qubes has no version 2): the list of our pages that other
 * domains may map or copy. An entry is 8 bytes: u16 flags, u16 domid, u32 frame. Writing and taking back an entry needs no
 * hypercall; only Xen itself writes the two in-use bits.
 */
import type { Log, Timer, XenMachine } from '@xen-ts/runtime/machine'
import { XenError } from './errno.ts'

export const PAGE_SIZE = 4096

const PERMIT_ACCESS = 1
const READONLY = 4
/** Set by Xen while the peer has the page mapped or is copying: reading 8, writing 16. */
const IN_USE = 8 | 16

/** References 0 to 7 belong to the toolstack: 0 the console ring, 1 the xenstore ring. */
const FIRST_REFERENCE = 8
const ENTRIES_PER_FRAME = 512

const FIRST_RETRY_MS = 10
const LAST_RETRY_MS = 1000

/** A grant that could not be taken back yet because the peer still holds the page. */
interface Deferred {
  refs: number[]
  readonly done: () => void
  /** Milliseconds until the next attempt: ever more, for as long as it takes. */
  delay: number
  timer: Timer | undefined
}

export class GrantTable {
  readonly #machine: XenMachine
  readonly #log: Log
  readonly #bytes: Uint8Array[] = []
  readonly #u16: Uint16Array[] = []
  readonly #u32: Uint32Array[] = []
  readonly #free: number[] = []
  readonly #owners = new Map<number, string>()
  #unused = FIRST_REFERENCE
  readonly #deferred = new Set<Deferred>()

  constructor(machine: XenMachine) {
    this.#machine = machine
    this.#log = machine.log('grants')
    machine.suspension.subscribe('grants', {
      resume: cancelled => {
        if (!cancelled) this.retry()
      },
    })
  }

  /** Changes when the domain is restored in a new world: references given before mean nothing then, and are still to be released. */
  get world(): number {
    return this.#machine.suspension.world
  }

  /** How many more pages could be granted now. */
  get available(): number {
    return this.#free.length + this.#machine.abi.grantFrames() * ENTRIES_PER_FRAME - this.#unused
  }

  /**
   * Lets domain `domid` use the page at guest frame `frame`. Returns the grant reference to tell the peer.
   * @throws XenError no_space when the table is full
   */
  grant(domid: number, frame: number, readonly: boolean, owner: string): number {
    const ref = this.#free.pop() ?? this.#newReference(owner)
    const table = ref >>> 9
    const entry = ref & (ENTRIES_PER_FRAME - 1)
    this.#u16[table][entry * 4 + 1] = domid
    this.#u32[table][entry * 2 + 1] = frame
    // Flags last: the entry is valid from this store on. x86 keeps the order of stores, and so does the engine.
    this.#u16[table][entry * 4] = readonly ? PERMIT_ACCESS | READONLY : PERMIT_ACCESS
    this.#owners.set(ref, owner)
    return ref
  }

  /** Takes the peer's access to the page back but keeps the reference. False, and nothing changed, while the peer is using the page. */
  revoke(ref: number): boolean {
    const table = ref >>> 9
    const entry = ref & (ENTRIES_PER_FRAME - 1)
    const flags = this.#u16[table][entry * 4] & ~IN_USE
    return this.#machine.abi.compareExchange16(this.#bytes[table], entry * 8, flags, 0) === flags
  }

  /**
   * Ends grants for good. `done` runs when the peer holds none of the pages any more: at once as a rule, else later from a
   * timer, for as long as it takes. Only then may the pages be used for something else.
   */
  release(refs: readonly number[], done: () => void): void {
    const held = refs.filter(ref => !this.#end(ref))
    if (held.length === 0) return done()
    this.#log.debug(`${this.#owners.get(held[0])}: the peer still holds ${held.length} of ${refs.length} pages, trying again later`)
    const deferred = { refs: held, done, delay: FIRST_RETRY_MS, timer: undefined }
    this.#deferred.add(deferred)
    this.#scheduleRetry(deferred)
  }

  /**
   * Looks now, and not only when the timer says so, what the peers have let go. In a new world that is everything: the table is there
   * again, at the same place, and empty but for the toolstack's own. References stay with their owners until they release them, and
   * mean nothing.
   */
  retry(): void {
    for (const deferred of [...this.#deferred]) this.#tryAgain(deferred)
  }

  /** One line an owner with the references it holds, for debugging. */
  list(): string[] {
    const byOwner = new Map<string, number[]>()
    for (const [ref, owner] of this.#owners) {
      const refs = byOwner.get(owner)
      if (refs === undefined) byOwner.set(owner, [ref])
      else refs.push(ref)
    }
    const waiting = new Set([...this.#deferred].flatMap(({ refs }) => refs))
    return [...byOwner].map(([owner, refs]) => {
      const held = refs.filter(ref => waiting.has(ref)).length
      return `${owner}: ${refs.length} grants (${refs.slice(0, 8).join(' ')}${refs.length > 8 ? ' ...' : ''})${held > 0 ? `, ${held} still held by the peer` : ''}`
    })
  }

  #end(ref: number): boolean {
    const unused = this.#u16[ref >>> 9][(ref & (ENTRIES_PER_FRAME - 1)) * 4] === 0 // revoked before
    if (!unused && !this.revoke(ref)) return false
    this.#owners.delete(ref)
    this.#free.push(ref)
    return true
  }

  #scheduleRetry(deferred: Deferred): void {
    deferred.timer = this.#machine.timers.set(deferred.delay, () => {
      deferred.delay = Math.min(deferred.delay * 2, LAST_RETRY_MS)
      this.#tryAgain(deferred)
    })
  }

  #tryAgain(deferred: Deferred): void {
    deferred.timer?.cancel()
    deferred.refs = deferred.refs.filter(ref => !this.#end(ref))
    if (deferred.refs.length > 0) return this.#scheduleRetry(deferred)
    this.#deferred.delete(deferred)
    deferred.done()
  }

  #newReference(owner: string): number {
    if (this.#unused >>> 9 === this.#bytes.length) {
      const buffer = this.#machine.abi.grantTable(this.#bytes.length)
      if (buffer === undefined) {
        throw new XenError(
          `${owner}: granting a page`,
          'no_space',
          `All ${this.#unused - FIRST_REFERENCE} grant references are in use: close channels, or raise max_grant_frames of the domain.`,
        )
      }
      this.#bytes.push(new Uint8Array(buffer))
      this.#u16.push(new Uint16Array(buffer))
      this.#u32.push(new Uint32Array(buffer))
    }
    return this.#unused++
  }
}
