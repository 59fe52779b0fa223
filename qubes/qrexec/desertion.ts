/**
 * What ends a call beside its service: the caller goes, or this qube shuts down. Either way the service is told at once, and given up a
 * while later; a caller that is there still gets an exit code.
 */
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import type { CallInput } from './call-input.ts'
import { EXIT_PROBLEM } from './wire.ts'

/** How long (ms) a service may go on after its caller has gone, before its port is freed. */
const GRACE = 10_000
/** How long (ms) the ends of the streams and the exit code may take to get into the ring of a caller that reads nothing. */
const LAST_WORDS = 600

/** When this qube ends: for all calls of services together. */
export interface Ending {
  /** Services are told, by this: they have a grace. */
  readonly begun: AbortSignal
  /** The grace is over. */
  readonly isOver: boolean
}

/** What becomes of the call. */
export interface Deserted {
  /** The caller has gone: what is piped to it ends at once. */
  left(error: ChannelClosedError): void
  /** The grace for this qube's end is over: the caller is told this exit code, if it is not told one already. */
  final(code: number): void
  /** It is over: with the error, when the service had its time after the caller's end; without, when the caller had its time to take the exit code. */
  over(error?: ChannelClosedError): void
}

export class Desertion {
  readonly #timers: Timers
  readonly #ending: Ending
  readonly #input: CallInput
  readonly #call: Deserted
  /** Made for who asks. */
  #abort: AbortController | undefined
  #isAborted = false
  #reason: unknown
  #timer: Timer | undefined

  constructor(ending: Ending, timers: Timers, input: CallInput, call: Deserted) {
    this.#timers = timers
    this.#ending = ending
    this.#input = input
    this.#call = call
  }

  /** Aborts when the caller has gone, or this qube shuts down. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#isAborted) this.#abort.abort(this.#reason)
    }
    return this.#abort.signal
  }

  get isAborted(): boolean {
    return this.#isAborted
  }

  /** This qube ends. */
  end(): void {
    this.#tell(this.#ending.begun.reason)
    this.#input.hush()
  }

  /** The grace is over. */
  cut(): void {
    this.#timer?.cancel()
    this.#timer = this.#timers.set(LAST_WORDS, () => this.#call.over())
    this.#call.final(EXIT_PROBLEM)
  }

  dispose(): void {
    this.#timer?.cancel()
  }

  /** The caller has gone. */
  leave(): void {
    const error = new ChannelClosedError('the caller has gone')
    this.#call.left(error)
    if (this.#timer !== undefined) return
    this.#timer = this.#timers.set(GRACE, () => this.#call.over(error))
    this.#tell(error)
  }

  #tell(reason: unknown): void {
    if (!this.#isAborted) {
      this.#isAborted = true
      this.#reason = reason
      this.#abort?.abort(reason)
    }
    this.#input.end()
  }
}
