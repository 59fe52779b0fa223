/** The backend's end of a ring of requests and responses (xen/include/public/io/ring.h). */
import type { NetfrontParts } from '../netfront/options.ts'
import { ForeignPages } from '../shared-pages.ts'

const REQ_PROD = 0
const REQ_EVENT = 1
const RSP_PROD = 2
const RSP_EVENT = 3
export const FIRST_SLOT = 16
export const SLOTS = 256

export class BackRing {
  readonly pages: ForeignPages
  readonly words: Uint32Array
  consumed = 0
  produced = 0
  readonly #fence: () => void

  constructor({ machine }: NetfrontParts, frontend: number, ref: number) {
    this.pages = new ForeignPages(machine, frontend, [ref], false, 'netback')
    this.words = new Uint32Array(this.pages.bytes.buffer)
    this.#fence = () => machine.abi.fence()
  }

  get requests(): number {
    return (this.words[REQ_PROD] - this.consumed) >>> 0
  }

  /** Publishes responses; true when the frontend asked for an event. */
  push(): boolean {
    const old = this.words[RSP_PROD]
    const next = this.produced >>> 0
    this.words[RSP_PROD] = next
    this.#fence()
    return (next - this.words[RSP_EVENT]) >>> 0 < (next - old) >>> 0
  }

  /** Asks for an event with the next request; true when there is one already. */
  sleep(ahead = 1): boolean {
    this.words[REQ_EVENT] = this.consumed + ahead
    this.#fence()
    return this.requests >= ahead
  }
}
