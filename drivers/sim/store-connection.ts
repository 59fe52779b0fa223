/** A domain's connection to the simulated xenstore daemon: its ring page, and the messages on it. */
import { Uint8Array, Uint32Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import { allocService, raise } from './event-channels.ts'
import type { Transaction } from './store.ts'

const HEADER = 16
export const MAX_PAYLOAD = 4096
const RING = 1024
// Indices of the ring page's words.
const REQ_CONS = 2048 / 4
const REQ_PROD = 2052 / 4
const RSP_CONS = 2056 / 4
const RSP_PROD = 2060 / 4

export interface StoreWatch {
  readonly path: string
  readonly given: string
  readonly token: string
}

export interface Reply {
  type: number
  requestId: number
  transactionId: number
  payload: Uint8Array
}

/** One domain's connection. */
export class StoreConnection {
  readonly domain: SimulatedDomain
  readonly port: number
  readonly watches: StoreWatch[] = []
  readonly transactions = new Map<number, Transaction>()
  /** For hostile tests: what is sent instead of a message; an empty list sends nothing. */
  tamper: ((reply: Reply) => Reply[]) | undefined
  /** For tests of a daemon that hangs. */
  stopped = false
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array
  #input: number[] = []
  readonly #output: number[] = []
  readonly #handle: (connection: StoreConnection, message: Reply) => void
  #scheduled = false
  #consumed = 0
  #produced = 0

  constructor(domain: SimulatedDomain, page: ArrayBuffer, handle: (connection: StoreConnection, message: Reply) => void) {
    this.domain = domain
    this.#bytes = new Uint8Array(page)
    this.#words = new Uint32Array(page)
    this.#handle = handle
    this.port = allocService(domain, () => this.wake())
  }

  /** Has the daemon look at the ring. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.domain.xen.enqueue(() => {
      this.#scheduled = false
      if (this.domain.alive && !this.stopped) this.#serve(this.#handle)
    })
  }

  send(reply: Reply): void {
    for (const { type, requestId, transactionId, payload } of this.tamper?.(reply) ?? [reply]) {
      this.#output.push(...new Uint8Array(Uint32Array.of(type, requestId, transactionId, payload.length).buffer), ...payload)
    }
  }

  /** Moves what is waiting into the ring and tells the domain. */
  flush(moved = false): void {
    const words = this.#words
    const room = RING - ((this.#produced - words[RSP_CONS]) >>> 0)
    if (this.#output.length > 0 && room > 0) {
      for (const byte of this.#output.splice(0, room)) this.#bytes[1024 + (this.#produced++ & (RING - 1))] = byte
      words[RSP_PROD] = this.#produced
      moved = true
    }
    if (moved) raise(this.domain, this.port)
  }

  #serve(handle: (connection: StoreConnection, message: Reply) => void): void {
    const words = this.#words
    let moved = false
    for (; this.#consumed !== words[REQ_PROD]; moved = true) {
      this.#input.push(this.#bytes[this.#consumed & (RING - 1)])
      this.#consumed = (this.#consumed + 1) >>> 0
    }
    words[REQ_CONS] = this.#consumed
    while (this.#input.length >= HEADER) {
      const [type, requestId, transactionId, length] = new Uint32Array(Uint8Array.from(this.#input.slice(0, HEADER)).buffer)
      if (length > MAX_PAYLOAD) throw new Error(`domain ${this.domain.domid} sent a xenstore request of ${length} bytes`)
      if (this.#input.length < HEADER + length) break
      const payload = Uint8Array.from(this.#input.slice(HEADER, HEADER + length))
      this.#input = this.#input.slice(HEADER + length)
      handle(this, { type, requestId, transactionId, payload })
    }
    this.flush(moved)
  }
}
