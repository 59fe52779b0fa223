/**
 * What ends a call beside its service: the caller goes, or this qube shuts down. Either way the service is told at once, and given up a
 * while later; a caller that is there still gets an exit code.
 */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import type { Pull } from './byte-reader.ts'
import { EXIT_PROBLEM } from './wire.ts'

/** How long (ms) a service may go on after its caller has gone, before its port is freed. */
const GRACE = 10_000
/** How long (ms) a service that reads waits for input when this qube shuts down: a silent caller must not keep it. */
const SILENCE = 1_000
/** How long (ms) the ends of the streams and the exit code may take to get into the ring of a caller that reads nothing. */
const LAST_WORDS = 600

/** When this qube ends: for all calls of services together. */
export interface Ending {
  /** Services are told: they have a grace. */
  readonly begun: AbortSignal
  /** The grace is over. */
  readonly over: AbortSignal
}

export class Desertion {
  /** Gives an exit code when the grace for this qube's end is over; rejects when the service had its time after the caller's end. */
  readonly final: Promise<number>
  /** Resolves when the caller has had its time to take what `final` led to. */
  readonly closed: Promise<void>
  /** Called when the caller has gone: what is piped to it ends at once. */
  onLeave: (error: ChannelClosedError) => void = () => {}
  readonly #abort = new AbortController()
  readonly #timers: Timers
  readonly #ending: Ending
  readonly #final = Promise.withResolvers<number>()
  readonly #closed = Promise.withResolvers<void>()
  #timer: Timer | undefined
  #silence: Timer | undefined
  #disposed = false
  /** The read that waits for the caller. */
  #reading: PromiseWithResolvers<Uint8Array | undefined> | undefined
  #pulling: Promise<Uint8Array | undefined> | undefined
  #silenced = false
  /** Ends a wait for what might be read. */
  #stopWaiting = (): void => {}

  constructor(channel: ByteChannel, ending: Ending, timers: Timers) {
    this.#timers = timers
    this.#ending = ending
    this.final = this.#final.promise
    this.closed = this.#closed.promise
    this.final.catch(() => {})
    ending.begun.addEventListener('abort', this.#end)
    ending.over.addEventListener('abort', this.#cut)
    if (ending.begun.aborted) this.#end()
    if (ending.over.aborted) this.#cut()
    void channel.closed.then(() => this.#leave(new ChannelClosedError('the caller has gone')))
  }

  /** Aborts when the caller has gone, or this qube shuts down. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Whether a read was given up: what comes of it later is for the next one. */
  get isSilenced(): boolean {
    return this.#silenced
  }

  /** Reads from the caller by `pull`, until this qube ends and nothing comes. One read at a time. */
  readonly input = (pull: Pull): Pull => {
    const next = (): Promise<Uint8Array | undefined> => {
      const reading = (this.#reading = Promise.withResolvers())
      const done = (): void => {
        this.#reading = this.#pulling = undefined
      }
      this.#pulling ??= pull().finally(done)
      this.#pulling.then(reading.resolve, reading.reject)
      if (this.#abort.signal.aborted) this.#hush()
      return reading.promise
    }
    return Object.assign(next, {
      take: () => (this.#pulling === undefined ? pull.take?.() : undefined),
      ready: () => {
        // When this qube ends it is a matter of time, and all that has to do with time is in `next`.
        const ready = this.#pulling === undefined && !this.#abort.signal.aborted ? pull.ready?.() : undefined
        if (ready === undefined) return undefined
        const waiting = Promise.withResolvers<void>()
        this.#stopWaiting = waiting.resolve
        ready.then(waiting.resolve, waiting.reject)
        return waiting.promise
      },
    })
  }

  dispose(): void {
    this.#disposed = true
    this.#timer?.cancel()
    this.#silence?.cancel()
    this.#ending.begun.removeEventListener('abort', this.#end)
    this.#ending.over.removeEventListener('abort', this.#cut)
  }

  #leave(error: ChannelClosedError): void {
    if (this.#disposed) return
    this.onLeave(error)
    if (this.#timer !== undefined) return
    this.#timer = this.#timers.set(GRACE, () => this.#final.reject(error))
    this.#abort.abort(error)
    this.#stopWaiting()
  }

  readonly #end = (): void => {
    this.#abort.abort(this.#ending.begun.reason)
    this.#stopWaiting()
    this.#hush()
  }

  readonly #cut = (): void => {
    this.#timer?.cancel()
    this.#final.resolve(EXIT_PROBLEM)
    this.#timer = this.#timers.set(LAST_WORDS, () => this.#closed.resolve())
  }

  /** From now on a read that brings nothing for a while is over. */
  #hush(): void {
    const reading = this.#reading
    this.#silence?.cancel()
    if (reading === undefined || !this.#ending.begun.aborted) return
    this.#silence = this.#timers.set(SILENCE, () => {
      if (this.#reading !== reading) return
      this.#silenced = true
      reading.reject(new ChannelClosedError('this qube shuts down, and no input came'))
    })
  }
}
