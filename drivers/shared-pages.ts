/** Memory shared with another domain: pages of ours that it may use, and pages of its that we map. */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { dispose } from './dispose.ts'
import { grantStatusName, XenError } from './errno.ts'
import type { GrantTable } from './grant-table.ts'
import { PAGE_SIZE } from './grant-table.ts'

/** Pages of ours, contiguous, each granted to one domain. Zeroed before they are shared, and after. */
export class SharedPages implements Disposable {
  readonly bytes: Uint8Array
  /** Grant reference of each page. */
  readonly refs: readonly number[]
  readonly #machine: XenMachine
  readonly #grants: GrantTable
  #released = false
  #freed = false

  /** @throws XenError when there is no memory or no grant reference left */
  constructor(machine: XenMachine, grants: GrantTable, count: number, domid: number, readonly: boolean, owner: string) {
    const buffer = machine.abi.pagesAlloc(count)
    if (buffer === undefined) {
      throw new XenError(
        `${owner}: allocating ${count} pages to share`,
        'ENOMEM',
        'Give the domain more memory, or ask for smaller buffers.',
      )
    }
    this.#machine = machine
    this.#grants = grants
    this.bytes = new Uint8Array(buffer) // pagesAlloc gives zeroed pages
    const refs: number[] = []
    this.refs = refs
    try {
      for (let i = 0; i < count; i++) refs.push(grants.grant(domid, machine.abi.pageFrame(this.bytes, i), readonly, owner))
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Whether they were released and the peer has not let go yet, as far as `GrantTable.retry` knows. */
  get isHeld(): boolean {
    return this.#released && !this.#freed
  }

  /** Takes the pages back. They are freed when the peer holds none of them any more; our views must not be used from now on. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#grants.release(this.refs, () => {
      this.#freed = true
      this.bytes.fill(0)
      this.#machine.abi.pagesFree(this.bytes)
    })
  }

  [dispose](): void {
    this.release()
  }
}

/** Pages of another domain, mapped next to each other in the order of `refs`. What is in them may change at any moment. */
export class ForeignPages implements Disposable {
  readonly bytes: Uint8Array
  readonly #machine: XenMachine
  readonly #owner: string
  /** u32 each; the references, until they are mapped. */
  readonly #handles: Uint8Array
  /** Where the handles mean something. */
  readonly #world: number
  #released = false

  /** @throws XenError when a reference is not valid for us, or there is no room */
  constructor(machine: XenMachine, domid: number, refs: readonly number[] | Uint32Array, readonly: boolean, owner: string) {
    const buffer = machine.abi.pagesReserve(refs.length)
    if (buffer === undefined) {
      throw new XenError(
        `${owner}: reserving addresses for ${refs.length} pages`,
        'ENOMEM',
        'Too many foreign pages are mapped: close channels.',
      )
    }
    this.#machine = machine
    this.#owner = owner
    this.#world = machine.suspension.world
    this.bytes = new Uint8Array(buffer)
    // A copy: handles come to stand in it.
    this.#handles = new Uint8Array((refs instanceof Uint32Array ? refs.slice() : Uint32Array.from(refs)).buffer)
    const status = machine.abi.grantMap(this.bytes, domid, this.#handles, readonly ? 1 : 0)
    if (status < 0) {
      machine.abi.pagesFree(this.bytes)
      throw new XenError(
        `${owner}: mapping grants ${refs.join(' ')} of domain ${domid}`,
        grantStatusName(status),
        'The peer published a reference that is not meant for this domain, or has taken it back: connect again.',
      )
    }
  }

  /** Unmaps everything. No view of the pages may be used from now on. */
  release(): void {
    if (this.#released) return
    this.#released = true
    // After a resume in a new world the pages are gone by themselves, and must not be touched even before this call.
    const isMapped = this.#world === this.#machine.suspension.world
    const stuck = isMapped ? this.#machine.abi.grantUnmap(this.bytes, this.#handles) : 0
    // A page that Xen would not unmap stays reserved for ever: giving its address to someone else would share it.
    if (stuck < 0)
      this.#machine
        .log('grants')
        .error(`${this.#owner}: unmapping a page failed: ${grantStatusName(stuck)}. Its address is not used again.`)
    else this.#machine.abi.pagesFree(this.bytes)
  }

  [dispose](): void {
    this.release()
  }
}

export const pagesFor = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE)
