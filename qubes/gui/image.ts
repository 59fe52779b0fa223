/** The pixels of a window: pages that the GUI domain may read, and no other domain. */
import { type GrantTable, PAGE_SIZE, pagesFor, XenError } from '@xen-ts/drivers'
import type { XenMachine } from '@xen-ts/runtime/machine'

export interface ImageMemory {
  readonly abi: Pick<XenMachine['abi'], 'pagesAlloc' | 'pagesFree' | 'pageFrame' | 'copyRows'>
  readonly grants: Pick<GrantTable, 'grant' | 'release' | 'world' | 'available'>
}

/**
 * Unlike SharedPages it exists before anybody may read it, and outlives its reader: a window is drawn whether there is a GUI daemon or
 * not, and the GUI domain may change.
 */
export class Image {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
  readonly #memory: ImageMemory
  readonly #owner: string
  #domid: number | undefined
  /** Where the references mean something. */
  #world = 0
  #refs: number[] = []
  /** Sets of grants that were ended and may still be in use. */
  #ending = 0
  #released = false

  /** @throws XenError when there is no memory for it */
  constructor(memory: ImageMemory, width: number, height: number, owner: string) {
    const count = pagesFor(width * height * 4)
    const buffer = memory.abi.pagesAlloc(count)
    if (buffer === undefined) {
      throw new XenError(
        `${owner}: allocating ${count} pages for ${width}x${height} pixels`,
        'ENOMEM',
        'Give the domain more memory, or open smaller windows.',
      )
    }
    this.#memory = memory
    this.#owner = owner
    this.width = width
    this.height = height
    this.bytes = new Uint8Array(buffer)
  }

  /** Lets a domain read it, and the one before no more. Gives the references of the pages. @throws XenError when there are not enough */
  share(domid: number): readonly number[] {
    const { world } = this.#memory.grants
    if (this.#domid === domid && this.#world === world) return this.#refs
    this.#unshare()
    const count = this.bytes.length / PAGE_SIZE
    const { available } = this.#memory.grants
    // Looked at before: tens of thousands of grants given and taken back for nothing would take long.
    if (count > available) {
      throw new XenError(
        `${this.#owner}: granting ${count} pages for ${this.width}x${this.height} pixels`,
        'no_space',
        `Only ${available} grant references are left: close windows, or raise max_grant_frames of the domain.`,
      )
    }
    const refs: number[] = []
    try {
      for (let page = 0; page < count; page++) {
        refs.push(this.#memory.grants.grant(domid, this.#memory.abi.pageFrame(this.bytes, page), true, this.#owner))
      }
    } catch (error) {
      this.#memory.grants.release(refs, () => {})
      throw error
    }
    this.#domid = domid
    this.#world = world
    this.#refs = refs
    return refs
  }

  /** Takes what fits of another image, from the upper left corner. */
  copyFrom({ width, height, bytes }: Image): void {
    const [columns, rows] = [Math.min(width, this.width), Math.min(height, this.height)]
    this.#memory.abi.copyRows(this.bytes, 0, 4 * this.width, bytes, 0, 4 * width, 4 * columns, rows)
  }

  /** The pages are freed when nobody holds them any more; no view may be used from now on. */
  release(): void {
    if (this.#released) return
    this.#released = true
    // The last grant that ends frees the pages; without one nobody else would.
    if (this.#domid === undefined) this.#free()
    else this.#unshare()
  }

  #unshare(): void {
    if (this.#domid === undefined) return
    this.#domid = undefined
    this.#ending++
    this.#memory.grants.release(this.#refs, () => {
      this.#ending--
      this.#free()
    })
    this.#refs = []
  }

  #free(): void {
    if (!this.#released || this.#ending > 0) return
    this.bytes.fill(0)
    this.#memory.abi.pagesFree(this.bytes)
  }
}
