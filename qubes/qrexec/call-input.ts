/** The input of a call that came in: read from its frames, until the caller ends it, or this qube ends and nothing comes. */
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Log, Timer, Timers } from '@xen-ts/runtime/machine'
import { ProtocolError } from '../supervise.ts'
import type { Pull } from './byte-reader.ts'
import type { DataChannel } from './data.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDIN, DATA_STDOUT } from './wire.ts'

/** How long (ms) a service that reads waits for input when this qube shuts down: a silent caller must not keep it. */
const SILENCE = 1_000

class State {
  /** The read that waits for the caller. */
  reading: PromiseWithResolvers<Uint8Array | undefined> | undefined
  pulling: Promise<Uint8Array | undefined> | undefined
  silence: Timer | undefined
  isSilenced = false
  /** The caller has gone, or this qube ends: all that has to do with time is in `next`. */
  isEnding = false
  /** This qube ends. */
  isHushed = false
  hasWarned = false
}

export class CallInput implements Pull {
  readonly #data: DataChannel
  readonly #log: Log
  readonly #timers: Timers
  /** Which says how a read is under way, or what is not as usual; few calls have one, and a field costs as much as a piece of work. */
  #state: State | undefined
  /** Ends a wait for what might be read. */
  #waiting: (() => void) | undefined

  constructor(data: DataChannel, log: Log, timers: Timers) {
    this.#data = data
    this.#log = log
    this.#timers = timers
  }

  /** Whether a read was given up: what comes of it later is for the next one. */
  get isSilenced(): boolean {
    return this.#state?.isSilenced === true
  }

  /** One at a time. */
  next(): Promise<Uint8Array | undefined> {
    const state = this.#changed()
    const reading = (state.reading = Promise.withResolvers<Uint8Array | undefined>())
    state.pulling ??= this.#next().finally(() => {
      state.reading = state.pulling = undefined
    })
    state.pulling.then(reading.resolve, reading.reject)
    if (state.isHushed) this.#hush(state)
    return reading.promise
  }

  take(): Uint8Array | null | undefined {
    return this.#state?.pulling === undefined ? this.#data.take(DATA_STDIN) : undefined
  }

  wait(callback: () => void): boolean {
    if (this.#state?.pulling !== undefined || this.#state?.isEnding || this.#data.isOther) return true
    this.#waiting = callback
    return this.#data.channel.whenReadable(callback)
  }

  /** The caller has gone, or this qube ends. */
  end(): void {
    this.#changed().isEnding = true
    this.#waiting?.()
  }

  /** This qube ends: from now on a read that brings nothing for a while is over. */
  hush(): void {
    const state = this.#changed()
    state.isHushed = true
    this.#hush(state)
  }

  dispose(): void {
    this.#state?.silence?.cancel()
  }

  #changed(): State {
    return (this.#state ??= new State())
  }

  #hush(state: State): void {
    const { reading } = state
    state.silence?.cancel()
    if (reading === undefined) return
    state.silence = this.#timers.set(SILENCE, () => {
      if (state.reading !== reading) return
      state.isSilenced = true
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
    const state = this.#changed()
    if (!state.hasWarned) this.#log.warn(text)
    state.hasWarned = true
  }
}
