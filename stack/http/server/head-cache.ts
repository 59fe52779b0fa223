/**
 * Heads of requests without a body, by their text: a client sends the same head again and again, and to look it up costs a fraction of
 * reading it. Bounded; what one client fills it with, another only finds missing.
 */
import { BadMessage } from '../message/bad-message.ts'
import { type Local, parseHead, type RequestHead } from './head.ts'

const ENTRIES = 64
const LONGEST = 1024

/** A head and its bytes, up to and with the empty line: what begins with these is the same request. */
export interface KnownHead {
  /** None until it came for the second time: many come but once. */
  bytes: Uint8Array
  readonly head: RequestHead
}

const NOTHING = new Uint8Array(0)

export class HeadCache {
  /** The last that came again: clients are often of one kind. */
  recent: KnownHead | undefined = undefined
  readonly #heads = new Map<string, KnownHead>()

  /** The head with this text, up to and with the empty line, which stands in `bytes` from `at` on, if it was kept. */
  find(text: string, bytes: Uint8Array, at: number): KnownHead | undefined {
    const known = this.#heads.get(text)
    if (known === undefined) return undefined
    if (known.bytes.length === 0) known.bytes = bytes.slice(at, at + text.length)
    this.recent = known
    return known
  }

  /** Reads a head, and keeps it when it may be asked for again: without a body, and not of one connection only. */
  parse(text: string, socket: Local): RequestHead | BadMessage {
    const head = parseHead(text.slice(0, -4), socket)
    if (!(head instanceof BadMessage) && head.length === 0 && !head.isLocal && text.length <= LONGEST) {
      if (this.#heads.size >= ENTRIES) this.#heads.clear()
      this.#heads.set(text, { bytes: NOTHING, head })
    }
    return head
  }
}
