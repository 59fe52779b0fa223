/**
 * How a program ends. `start` resolved: poweroff. `start` rejected, or an error nobody caught: the error with its stack, then crash. A
 * shutdown request: `signal` aborts, `start` gets some seconds to return, everything is closed in reverse order, poweroff. None of
 * it can hang: what does not end in time is left behind, with a line that says so.
 *
 * A promise that is rejected without a handler ends a program that works for itself. One that serves others goes on, with the error on
 * the console, since it is one caller's work that failed: which one, nobody can tell, because the engine does not know on whose
 * behalf a promise was made. `--strict` ends such a program too.
 */
import type { Abi } from '@xen-ts/boot/abi'
import { describeError } from './format.ts'
import type { Log } from './log.ts'
import type { Timers } from './machine.ts'
import { UsageError } from './usage-error.ts'

export type Stop = 'poweroff' | 'reboot' | 'crash'

/** SHUTDOWN_* of xen/include/public/sched.h. */
const reasons: Record<Stop, number> = { poweroff: 0, reboot: 1, crash: 3 }

/** Milliseconds `start` has to return after a shutdown request. Qubes kills the domain after 60 s. */
const GRACE = 5_000
/** Milliseconds that each clean-up function has. */
const CLEANUP = 1_000

/** The reason `signal` aborts with. */
export class ShutdownError extends Error {
  override name = 'ShutdownError'
}

export class Lifecycle {
  readonly #abi: Pick<Abi, 'shutdown'>
  readonly #timers: Timers
  readonly #log: Log
  readonly #controller = new AbortController()
  readonly #cleanups: { readonly name: string; readonly run: () => unknown }[] = []
  readonly #lasts: (() => void)[] = []
  /** What `start` may be waiting for, asked when it does not end. */
  readonly #waits = new Map<object, () => string | undefined>()
  #requested: Stop = 'poweroff'
  #serving = false
  #failed = false
  #ended = false
  #misused = false

  /** Set by --strict: a rejection that nobody handles is the end, also of a program that serves. */
  strict = false
  /** Asked first: whether the program's own listeners have dealt with a rejection (`unhandledrejection`, preventDefault). */
  onRejection: (reason: unknown, promise: Promise<unknown> | undefined) => boolean = () => false

  constructor(abi: Pick<Abi, 'shutdown'>, timers: Timers, log: Log) {
    this.#abi = abi
    this.#timers = timers
    this.#log = log
  }

  /** Aborts when the domain is asked to shut down. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** It ended by a UsageError: the program, or how it was called, is wrong. */
  get misused(): boolean {
    return this.#misused
  }

  /** True after the hypervisor was told to end the domain. */
  get ended(): boolean {
    return this.#ended
  }

  /** Asks the program to end: control/shutdown, a signal under Node. Later requests change nothing. */
  request(stop: 'poweroff' | 'reboot'): void {
    if (this.signal.aborted) return
    this.#log.info(`shutdown requested: ${stop}`)
    this.#requested = stop
    this.#controller.abort(new ShutdownError(`shutdown requested: ${stop}`))
  }

  /**
   * Registers a clean-up function: called once, before the domain ends in good order, in reverse order of registration. `name` stands in
   * log lines.
   */
  onShutdown(name: string, run: () => unknown): void {
    this.#cleanups.push({ name, run })
  }

  /**
   * Registers what is done at the very end, also of a domain that crashes: at once, without waiting for anything. Peers learn of an end that
   * they are told, and only after seconds of one that they have to find.
   */
  onEnd(run: () => void): void {
    this.#lasts.push(run)
  }

  /** The program answers others from now on, until the domain ends: http.serve, qrexec.service. */
  serves(): void {
    this.#serving = true
  }

  /**
   * Something that `start` may wait for when it is to end: `describe` says what is not over, for the line that tells so. Returns the function
   * that takes it back.
   */
  waitsFor(name: string, describe: () => string | undefined): () => void {
    const key = {}
    this.#waits.set(key, () => {
      const what = describe()
      return what === undefined ? undefined : `${name}: ${what}`
    })
    return () => this.#waits.delete(key)
  }

  /** A task that nobody awaits: when it fails, the domain ends with the error on the console. */
  own(task: Promise<unknown>): void {
    task.catch(error => this.fail(error))
  }

  /** An error that nobody handled: says so and crashes the domain at once. Never throws. */
  fail(reason: unknown): void {
    if (this.#ended) return
    if (!this.#failed) {
      this.#failed = true
      this.#log.error(`uncaught ${describeError(reason)}`)
    }
    this.#end('crash')
  }

  /** A promise was rejected, and nobody handled it: the end, unless the program serves. Never throws. */
  rejected(reason: unknown, promise?: Promise<unknown>): void {
    if (this.#ended || this.onRejection(reason, promise)) return
    if (this.#serving && !this.strict) this.#log.error(`uncaught in a promise: ${describeError(reason)}`)
    else this.fail(reason)
  }

  /** Runs `connect`, then `start`, then ends the domain, whatever happens in them. */
  async run<T>(connect: () => Promise<T>, start: (connected: T) => unknown): Promise<void> {
    let stop: Stop = 'crash'
    try {
      // Nothing of the program runs yet: a request while a device still waits for its other end needs no grace.
      const connected = await Promise.race([connect(), this.#aborted(0)])
      if (connected !== late) await this.#withGrace(Promise.resolve(start(connected)))
      stop = this.#requested
    } catch (error) {
      if (this.signal.aborted && isAbort(error, this.signal.reason)) stop = this.#requested
      else {
        this.#misused = error instanceof UsageError
        this.#log.error(error instanceof UsageError ? error.message : describeError(error))
      }
    }
    await this.#cleanUp()
    this.#end(stop)
  }

  async #withGrace(work: Promise<unknown>): Promise<void> {
    if ((await Promise.race([work, this.#aborted(GRACE)])) === late) {
      const waits = [...this.#waits.values()].map(describe => describe()).filter(text => text !== undefined)
      const why = waits.length > 0 ? waits.join(', ') : "let it watch 'signal'"
      this.#log.warn(`start() did not end within ${GRACE / 1000} s of the shutdown request, so it is left behind; ${why}`)
    }
  }

  /** Resolves with `late` this many milliseconds after the shutdown request. */
  #aborted(delay: number): Promise<typeof late> {
    return new Promise(resolve => {
      const begin = () => this.#timers.set(delay, () => resolve(late))
      if (this.signal.aborted) begin()
      else this.signal.addEventListener('abort', begin, { once: true })
    })
  }

  async #cleanUp(): Promise<void> {
    for (let cleanup = this.#cleanups.pop(); cleanup !== undefined; cleanup = this.#cleanups.pop()) {
      const { name, run } = cleanup
      const timeout = Promise.withResolvers<typeof late>()
      const timer = this.#timers.set(CLEANUP, () => timeout.resolve(late))
      try {
        if ((await Promise.race([run(), timeout.promise])) === late) this.#log.warn(`${name} did not close within ${CLEANUP / 1000} s`)
      } catch (error) {
        this.#log.warn(`${name} did not close cleanly: ${describeError(error)}`)
      }
      timer.cancel()
    }
  }

  #end(stop: Stop): void {
    if (this.#ended) return
    this.#ended = true
    for (const run of this.#lasts) {
      try {
        run()
      } catch (error) {
        this.#log.warn(`at the end: ${describeError(error)}`)
      }
    }
    this.#abi.shutdown(reasons[stop])
  }
}

const late = Symbol('late')

/** Whether `error` only says that the shutdown request was obeyed. */
function isAbort(error: unknown, reason: unknown): boolean {
  return error === reason || (error instanceof Error && (error.name === 'AbortError' || error.cause === reason))
}
