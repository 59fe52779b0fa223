/** The vchans of a whole machine in memory: every domain gets a `Channels`, and a test can see what was left open. */
import type { ByteChannel, Cancel, Channels } from '@xen-ts/drivers/channel'
import { pipe } from './pipe.ts'

interface Offer {
  readonly readSize: number
  readonly writeSize: number
  accept(channel: ByteChannel): void
}

export class Hub {
  readonly #offers = new Map<string, Offer>()
  #changed: (() => void)[] = []
  readonly #open: string[] = []
  /** Sizes the servers asked for, as `server>client:port read/write`, in order. */
  readonly served: string[] = []

  /** What is offered or connected now, as `server>client:port`. */
  get open(): string[] {
    return [...this.#offers.keys(), ...this.#open].sort()
  }

  /** The channels as domain `local` has them. */
  channels(local: number): Channels {
    return {
      serve: (domid, port, { readSize, writeSize, signal }) => this.#serve(`${local}>${domid}:${port}`, readSize, writeSize, signal),
      connect: (domid, port, { signal, cancel } = {}) => this.#connect(`${domid}>${local}:${port}`, signal, cancel),
    }
  }

  #serve(name: string, readSize: number, writeSize: number, signal?: AbortSignal): Promise<ByteChannel> {
    if (this.#offers.has(name)) return Promise.reject(new Error(`vchan ${name} is served already`))
    signal?.throwIfAborted()
    this.served.push(`${name} ${readSize}/${writeSize}`)
    return new Promise((resolve, reject) => {
      this.#offers.set(name, { readSize, writeSize, accept: resolve })
      for (const wake of this.#changed.splice(0)) wake()
      signal?.addEventListener('abort', () => {
        this.#offers.delete(name)
        reject(signal.reason)
      })
    })
  }

  async #connect(name: string, signal?: AbortSignal, cancel?: Cancel): Promise<ByteChannel> {
    let offer
    while ((offer = this.#offers.get(name)) === undefined) {
      signal?.throwIfAborted()
      if (cancel?.reason !== undefined) throw cancel.reason
      await new Promise<void>(resolve => {
        this.#changed.push(resolve)
        signal?.addEventListener('abort', () => resolve())
        if (cancel !== undefined) cancel.waiting = { wake: resolve }
      })
    }
    this.#offers.delete(name)
    const [server, client] = pipe(offer.readSize, offer.writeSize)
    this.#open.push(name)
    void server.closed.then(() => this.#open.splice(this.#open.indexOf(name), 1))
    offer.accept(server)
    return client
  }
}
