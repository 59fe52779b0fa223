/** The input of a call that came in: read from its frames, until the caller ends it, or this qube ends and nothing comes. */
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Log, Timer, Timers } from '@xen-ts/runtime/machine'
import { ProtocolError } from '../supervise.ts'
import type { Pull } from './byte-reader.ts'
import type { DataChannel } from './data.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDIN, DATA_STDOUT } from './wire.ts'

/** How long (ms) a service that reads waits for input when this qube shuts down: a silent caller must not keep it. */
const SILENCE = 1_000

export class CallInput implements Pull {
  readonly #data: DataChannel
  readonly #log: Log
  readonly #timers: Timers
  /** The read that waits for the caller. */
  #reading: PromiseWithResolvers<Uint8Array | undefined> | undefined
  #pulling: Promise<Uint8Array | undefined> | undefined
  /** Ends a wait for what might be read. */
  #waiting: (() => void) | undefined
  #silence: Timer | undefined
  #silenced = false
  /** The caller has gone, or this qube ends: all that has to do with time is in `next`. */
  #isEnding = false
  /** This qube ends. */
  #isHushed = false
  #warned = false

  constructor(data: DataChannel, log: Log, timers: Timers) {
    this.#data = data
    this.#log = log
    this.#timers = timers
  }

  /** Whether a read was given up: what comes of it later is for the next one. */
  get isSilenced(): boolean {
    return this.#silenced
  }

  /** One at a time. */
  next(): Promise<Uint8Array | undefined> {
    const reading = (this.#reading = Promise.withResolvers<Uint8Array | undefined>())
    this.#pulling ??= this.#next().finally(() => {
      this.#reading = this.#pulling = undefined
    })
    this.#pulling.then(reading.resolve, reading.reject)
    if (this.#isHushed) this.#hush()
    return reading.promise
  }

  take(): Uint8Array | null | undefined {
    return this.#pulling === undefined ? this.#data.take(DATA_STDIN) : undefined
  }

  wait(callback: () => void): boolean {
    if (this.#pulling !== undefined || this.#isEnding || this.#data.isOther) return true
    this.#waiting = callback
    return this.#data.channel.whenReadable(callback)
  }

  /** The caller has gone, or this qube ends. */
  end(): void {
    this.#isEnding = true
    this.#waiting?.()
  }

  /** This qube ends: from now on a read that brings nothing for a while is over. */
  hush(): void {
    this.#isHushed = true
    this.#hush()
  }

  dispose(): void {
    this.#silence?.cancel()
  }

  #hush(): void {
    const reading = this.#reading
    this.#silence?.cancel()
    if (reading === undefined) return
    this.#silence = this.#timers.set(SILENCE, () => {
      if (this.#reading !== reading) return
      this.#silenced = true
      reading.reject(new ChannelClosedError('this qube shuts down, and no input came'))
    })
  }

  async #next(): Promise<Uint8Array | undefined> {
    const data = this.#data
    for (;;) {
      const more = await data.body()
      if (more !== undefined) return more
      const header = await data.next()
      // No end of input was sent: a service must not take half an input for a whole one.
      if (header === undefined) throw new ChannelClosedError('the caller closed the connection in the middle of its input')
      switch (header.type) {
        case DATA_STDIN:
        case DATA_STDOUT:
          // The Linux agent is as lenient: the direction decides, not the number.
          if (header.type === DATA_STDOUT) this.#warn('the caller sent its input as output')
          if (header.length === 0) return undefined
          break
        case DATA_STDERR:
        case DATA_EXIT_CODE:
          this.#warn(`the caller sent a message only a service sends: 0x${header.type.toString(16)}`)
          while ((await data.body()) !== undefined);
          break
        default:
          data.channel.close()
          throw new ProtocolError(`the caller sent a message of unknown type 0x${header.type.toString(16)}`)
      }
    }
  }

  #warn(text: string): void {
    if (!this.#warned) this.#log.warn(text)
    this.#warned = true
  }
}
