/**
 * The event channels of a connection: one for both rings, or one each when the backend offers that (feature-split-event-channels), which
 * spares it to look at the ring that nothing happened on.
 */
import type { EventChannel, EventChannels } from '../event-channel.ts'

export class RingChannels {
  readonly #tx: EventChannel
  readonly #rx: EventChannel

  /**
   * @param onTx the backend has answered packets of ours; only called with `split`
   * @param onRx it has delivered packets, or either of both
   * @throws XenError when no port is left
   */
  constructor(events: EventChannels, backend: number, split: boolean, owner: string, onTx: () => void, onRx: () => void) {
    this.#rx = events.allocUnbound(backend, owner, onRx)
    try {
      this.#tx = split ? events.allocUnbound(backend, owner, onTx) : this.#rx
    } catch (error) {
      this.#rx.close()
      throw error
    }
  }

  /** Their keys in xenstore. */
  get keys(): readonly (readonly [name: string, value: number])[] {
    return this.#tx === this.#rx
      ? [['event-channel', this.#rx.port]]
      : [
          ['event-channel-tx', this.#tx.port],
          ['event-channel-rx', this.#rx.port],
        ]
  }

  /** Tells the backend of packets to send, of buffers to fill, or of both. */
  notify(tx: boolean, rx: boolean): void {
    if (tx) this.#tx.notify()
    if (rx && !(tx && this.#tx === this.#rx)) this.#rx.notify()
  }

  close(): void {
    this.#tx.close()
    this.#rx.close()
  }
}
