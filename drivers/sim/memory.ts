/**
 * Memory of the simulated domains. JavaScript cannot alias two ArrayBuffers, so a page that one domain maps from another exists
 * twice, and the copies are made equal whenever a domain does something that orders memory: a fence, an atomic operation, a copy,
 * an event. In between each side sees its own view, as real processors may: code that forgets a fence is found out here.
 */

export const PAGE = 4096
const WORDS = PAGE / 4

/** A page frame: where its bytes are, in some allocation of its domain. */
export interface Frame {
  readonly words: Uint32Array
  readonly buffer: ArrayBuffer
  readonly page: number
}

/** What pagesAlloc or pagesReserve gave out. */
export interface Allocation {
  readonly buffer: ArrayBuffer
  readonly count: number
  /** Guest frame numbers; empty for a reservation. */
  readonly frames: readonly number[]
  /** Per page of a reservation, the mapping that is in it. */
  readonly mappings: (Mapping | undefined)[]
}

const wordsOf = (buffer: ArrayBuffer, page: number): Uint32Array => new Uint32Array(buffer, page * PAGE, WORDS)

export const frameOf = (buffer: ArrayBuffer, page: number): Frame => ({ words: wordsOf(buffer, page), buffer, page })

/** What an unmapped page of a reservation reads as; writing there would be a page fault, and is found when it changed. */
export const UNMAPPED = 0xeeeeeeee

/** One foreign page, seen by its owner and by the domain that mapped it. */
export class Mapping {
  readonly handle: number
  readonly owner: { readonly domid: number; readonly ref: number; readonly frame: Frame }
  readonly buffer: ArrayBuffer
  readonly page: number
  readonly readonly: boolean
  readonly #view: Uint32Array
  readonly #last = new Uint32Array(WORDS)

  constructor(handle: number, owner: { domid: number; ref: number; frame: Frame }, buffer: ArrayBuffer, page: number, readonly: boolean) {
    this.handle = handle
    this.owner = owner
    this.buffer = buffer
    this.page = page
    this.readonly = readonly
    this.#view = wordsOf(buffer, page)
    this.#view.set(owner.frame.words)
    this.#last.set(owner.frame.words)
  }

  /** Makes both copies equal; where both changed a word, byte by byte. */
  sync(): void {
    const view = this.#view
    const own = this.owner.frame.words
    const last = this.#last
    for (let i = 0; i < WORDS; i++) {
      const seen = last[i]
      if (view[i] === seen) {
        if (own[i] !== seen) view[i] = last[i] = own[i]
      } else {
        if (this.readonly) throw new Error(`simulated page fault: write at byte ${i * 4} of a page mapped read-only (grant ${this.owner.ref} of domain ${this.owner.domid})`)
        own[i] = view[i] = last[i] = merge(view[i], own[i], seen)
      }
    }
  }

  /** Takes the page away: what is left there is as untouchable as before. */
  unmap(): void {
    this.sync()
    this.#view.fill(UNMAPPED)
  }
}

const merge = (mine: number, theirs: number, before: number): number => {
  let result = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = mine >>> shift & 255
    result |= (byte !== (before >>> shift & 255) ? byte : theirs >>> shift & 255) << shift
  }
  return result >>> 0
}

export const isUntouched = (buffer: ArrayBuffer, page: number): boolean => wordsOf(buffer, page).every((word) => word === UNMAPPED)
