/**
 * Heads of requests without a body, by their text: a client sends the same head again and again, and to look it up costs a fraction of
 * reading it. Bounded; what one client fills it with, another only finds missing.
 */
import { BadMessage } from '../message/bad-message.ts'
import { type Local, parseHead, type RequestHead } from './head.ts'

const ENTRIES = 64
const LONGEST = 1024

export class HeadCache {
  readonly #heads = new Map<string, RequestHead>()

  /** `text` up to and with the empty line. */
  parse(text: string, socket: Local): RequestHead | BadMessage {
    const known = this.#heads.get(text)
    if (known !== undefined) return known
    const head = parseHead(text.slice(0, -4), socket)
    if (!(head instanceof BadMessage) && head.length === 0 && !head.isLocal && text.length <= LONGEST) {
      if (this.#heads.size >= ENTRIES) this.#heads.clear()
      this.#heads.set(text, head)
    }
    return head
  }
}
