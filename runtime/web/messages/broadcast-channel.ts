/** BroadcastChannel, whose listeners are all in this program: https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts */
import { DOMException } from '../dom-exception.ts'
import { EventTarget, fire } from '../events.ts'
import { addHandlers, type Handler } from '../handlers.ts'
import { cloneAndMove } from '../structured-clone.ts'
import { MessageEvent } from './message-event.ts'

/** Open ones by name, in the order of their making. */
const channels = new Map<string, Set<BroadcastChannel>>()

export class BroadcastChannel extends EventTarget {
  readonly #name: string
  #isClosed = false
  declare onmessage: Handler<MessageEvent>
  declare onmessageerror: Handler<MessageEvent>

  constructor(name: string) {
    super()
    if (arguments.length === 0) throw new TypeError('BroadcastChannel: the name is missing')
    this.#name = String(name)
    const ofName = channels.get(this.#name)
    if (ofName === undefined) channels.set(this.#name, new Set([this]))
    else ofName.add(this)
  }

  get name(): string {
    return this.#name
  }

  /** @throws DOMException InvalidStateError when it is closed, DataCloneError for what cannot be cloned */
  postMessage(message: unknown): void {
    if (arguments.length === 0) throw new TypeError('postMessage: the message is missing')
    if (this.#isClosed) throw new DOMException('BroadcastChannel: it is closed', 'InvalidStateError')
    const { value } = cloneAndMove(message, [])
    for (const channel of channels.get(this.#name)!) {
      if (channel === this) continue
      const { value: data } = cloneAndMove(value, [])
      setTimeout(() => {
        if (!channel.#isClosed) fire(channel, new MessageEvent('message', { data }))
      }, 0)
    }
  }

  close(): void {
    this.#isClosed = true
    const ofName = channels.get(this.#name)
    if (ofName?.delete(this) && ofName.size === 0) channels.delete(this.#name)
  }
}
addHandlers(BroadcastChannel, 'message', 'messageerror')
