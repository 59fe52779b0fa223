/** An outgoing call on its way to its connection: dom0 is asked, then this qube serves the data channel and the executor comes. */
import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import type { Timers } from '@xen-ts/runtime/machine'
import { DataChannel, greet } from './data.ts'
import { withDeadline } from './deadline.ts'
import { QrexecError } from './errors.ts'
import type { Requests } from './requests.ts'
import type { Place } from './session.ts'
import type { Turnstile } from './turnstile.ts'
import { DATA_TIMEOUT, RING_BYTES } from './wire.ts'

/** What all outgoing calls share. */
export interface OpeningParts {
  readonly channels: Channels
  readonly timers: Timers
  readonly requests: Requests
  readonly turnstile: Turnstile
  /** Gives all of them up. */
  readonly signal: AbortSignal
}

export class Opening {
  /** The greeted channel. Rejects when the call was refused, given up or lost: nothing is left of it then. */
  readonly data: Promise<DataChannel>
  readonly #parts: OpeningParts
  readonly #name: string
  readonly #abort = new AbortController()
  readonly #giveUp = (): void => this.#abort.abort(new QrexecError(`${this.#name} was given up`))
  /** Set when no key of ours leads to the port any more: dom0 may give it to the next call as soon as it has it back. */
  #served: Place | undefined
  #channel: ByteChannel | undefined

  /** @param name for errors, such as `qubes.GetDate in @default` */
  constructor(parts: OpeningParts, name: string, target: string, service: string) {
    this.#parts = parts
    this.#name = name
    if (parts.signal.aborted) this.#giveUp()
    parts.signal.addEventListener('abort', this.#giveUp)
    this.data = this.#open(target, service)
    this.data.catch(() => this.release())
  }

  /** The call is over, or given up: closes the channel and frees its port. */
  release(): void {
    this.#giveUp()
    this.#parts.signal.removeEventListener('abort', this.#giveUp)
    this.#channel?.close()
    this.#served?.session.giveBack(this.#served)
    this.#served = undefined
  }

  async #open(target: string, service: string): Promise<DataChannel> {
    const { requests, turnstile } = this.#parts
    const { signal } = this.#abort
    await requests.daemon(this.#name, signal)
    const channel = await turnstile.pass(
      signal,
      () => requests.ask(this.#name, target, service, signal),
      place => this.#serve(place),
    )
    return new DataChannel(channel, await greet(channel))
  }

  /** Waits for the executor on a place that dom0 has given. */
  async #serve(place: Place): Promise<ByteChannel> {
    const { channels, timers } = this.#parts
    const { signal } = this.#abort
    const { over } = place.session
    // A new daemon may give the port to another call.
    const lost = (): void =>
      this.#abort.abort(new QrexecError(`the connection with dom0 was lost before ${this.#name} had begun: call again`))
    if (over.aborted) lost()
    over.addEventListener('abort', lost)
    const channel = await withDeadline(timers, [signal], DATA_TIMEOUT, `${this.#name}: the other qube did not connect`, signal =>
      channels.serve(place.domain, place.port, { readSize: RING_BYTES, writeSize: RING_BYTES, signal }),
    ).finally(() => {
      over.removeEventListener('abort', lost)
      this.#served = place
    })
    // Given up at this very moment: nobody else knows of the channel.
    if (signal.aborted) channel.close()
    signal.throwIfAborted()
    this.#channel = channel
    signal.addEventListener('abort', () => channel.close())
    return channel
  }
}
