/**
 * Memory of the simulated domains. JavaScript cannot alias two ArrayBuffers, so a page that one domain maps from another exists
 * twice, and the copies are made equal when a domain does something that orders memory (a fence, an atomic operation, a copy, an
 * event) and another domain did so before it. In between each side sees its own view, as real processors may: code that forgets
 * to order its accesses is found out here.
 *
 * Pages of a reservation of several pages are taken to be bulk data, which drivers touch by the ABI's copy and checksum only:
 * they are made equal page by page when that happens. A mapped ring or control page is a reservation of its own.
 */
import { Uint32Array } from './arrays.ts'

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
  owner: { readonly domid: number; readonly ref: number; readonly frame: Frame }
  readonly buffer: ArrayBuffer
  readonly page: number
  readonly readonly: boolean
  readonly bulk: boolean
  readonly #view: Uint32Array
  readonly #last = new Uint32Array(WORDS)

  constructor(
    handle: number,
    owner: { domid: number; ref: number; frame: Frame },
    { buffer, count }: Allocation,
    page: number,
    readonly: boolean,
  ) {
    this.handle = handle
    this.owner = owner
    this.buffer = buffer
    this.page = page
    this.readonly = readonly
    this.bulk = count > 1
    this.#view = wordsOf(buffer, page)
    this.#view.set(owner.frame.words)
    this.#last.set(owner.frame.words)
  }

  /** Makes both copies equal; where both changed a word, byte by byte. */
  sync(): void {
    const fault = copies.equalise(this.#view, this.owner.frame.words, this.#last, this.readonly)
    if (fault >= 0)
      throw new Error(
        `simulated page fault: write at byte ${fault * 4} of a page mapped read-only (grant ${this.owner.ref} of domain ${this.owner.domid})`,
      )
  }

  /** The owner goes on elsewhere with its memory: the user keeps the page as it is now, alone. */
  detach(): void {
    this.sync()
    const frame = frameOf(new ArrayBuffer(PAGE), 0)
    frame.words.set(this.owner.frame.words)
    this.owner = { ...this.owner, frame }
  }

  /** Takes the page away: what is left there is as untouchable as before. */
  unmap(): void {
    this.sync()
    this.#view.fill(UNMAPPED)
  }
}

/** The work on both copies of a page, in one place: a benchmark has a faster way. */
export const copies = {
  /** Makes `view` and `own` equal; `last` is what they were. Returns -1, or the index of a word that was written in a read-only view. */
  equalise(view: Uint32Array, own: Uint32Array, last: Uint32Array, isReadonly: boolean): number {
    for (let i = 0; i < WORDS; i++) {
      const seen = last[i]
      if (view[i] === seen) {
        if (own[i] !== seen) view[i] = last[i] = own[i]
      } else {
        if (isReadonly) return i
        own[i] = view[i] = last[i] = merge(view[i], own[i], seen)
      }
    }
    return -1
  },
}

const merge = (mine: number, theirs: number, before: number): number => {
  let result = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (mine >>> shift) & 255
    result |= (byte !== ((before >>> shift) & 255) ? byte : (theirs >>> shift) & 255) << shift
  }
  return result >>> 0
}

export const isUntouched = (buffer: ArrayBuffer, page: number): boolean => wordsOf(buffer, page).every(word => word === UNMAPPED)

/** Bulk mappings by where they can be touched: the user's page and the owner's. */
export class BulkMappings {
  readonly #pages = new Map<ArrayBuffer, Map<number, Set<Mapping>>>()

  add(mapping: Mapping): void {
    for (const [buffer, page] of places(mapping)) {
      let pages = this.#pages.get(buffer)
      if (pages === undefined) this.#pages.set(buffer, (pages = new Map()))
      let mappings = pages.get(page)
      if (mappings === undefined) pages.set(page, (mappings = new Set()))
      mappings.add(mapping)
    }
  }

  remove(mapping: Mapping): void {
    for (const [buffer, page] of places(mapping)) {
      const pages = this.#pages.get(buffer)
      pages?.get(page)?.delete(mapping)
      if (pages?.get(page)?.size === 0) pages.delete(page)
      if (pages?.size === 0) this.#pages.delete(buffer)
    }
  }

  /** Makes the pages that a range of bytes touches equal. */
  sync(bytes: Uint8Array, offset: number, length: number): void {
    const pages = this.#pages.get(bytes.buffer as ArrayBuffer)
    if (pages === undefined || length === 0) return
    const start = bytes.byteOffset + offset
    for (let page = Math.floor(start / PAGE); page * PAGE < start + length; page++) {
      for (const mapping of pages.get(page) ?? []) mapping.sync()
    }
  }
}

const places = ({ buffer, page, owner: { frame } }: Mapping): [ArrayBuffer, number][] => [
  [buffer, page],
  [frame.buffer, frame.page],
]
