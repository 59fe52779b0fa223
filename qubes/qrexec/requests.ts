/** What dom0 is asked: calls of this qube that its policy has to decide on. */
import type { Timers } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import { withDeadline } from './deadline.ts'
import { QrexecError, QrexecRefusedError } from './errors.ts'
import type { Place, Session } from './session.ts'
import { complaint, encodeTrigger } from './wire.ts'

/** How long (ms) a call waits for dom0's daemon, which starts after the domain; `qrexec_timeout` of a qube is the same. */
const DAEMON_TIMEOUT = 60_000

export class Requests {
  readonly #timers: Timers
  readonly #text: Text
  /** Calls dom0 has not decided on, by ident. */
  readonly #pending = new Map<string, PromiseWithResolvers<Place>>()
  #session: Session | undefined
  readonly #waiting = new Set<() => void>()
  #idents = 0

  constructor(timers: Timers, text: Text) {
    this.#timers = timers
    this.#text = text
  }

  /** The connection now, if there is one. */
  get session(): Session | undefined {
    return this.#session
  }

  /** There is a daemon to be asked. */
  connected(session: Session): void {
    this.#session = session
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }

  disconnected(): void {
    this.#session = undefined
    const lost = new QrexecError('the connection with dom0 was lost before it had decided: call again')
    for (const { reject } of this.#pending.values()) reject(lost)
    this.#pending.clear()
  }

  /** The connection with dom0, once there is one. @param name of the call, for errors */
  async daemon(name: string, signal: AbortSignal): Promise<Session> {
    const late = `${name} cannot be called: dom0's daemon did not connect`
    while (this.#session === undefined) {
      await withDeadline(
        this.#timers,
        [signal],
        DAEMON_TIMEOUT,
        late,
        signal =>
          new Promise<void>((resolve, reject) => {
            this.#waiting.add(resolve)
            signal.addEventListener('abort', () => {
              this.#waiting.delete(resolve)
              reject(signal.reason)
            })
          }),
      )
    }
    return this.#session
  }

  /** Asks dom0 for a call and waits for its decision, which may be the user's. */
  async ask(name: string, target: string, service: string, signal: AbortSignal): Promise<Place> {
    const session = await this.daemon(name, signal)
    signal.throwIfAborted()
    const wrong = complaint(session.version, target, service)
    if (wrong !== undefined) throw new QrexecError(`${name} cannot be called: ${wrong}`)
    const ident = `xen-ts ${++this.#idents}`
    const decision = Promise.withResolvers<Place>()
    this.#pending.set(ident, decision)
    const giveUp = (): void => {
      // At once: an answer that comes now is for nobody, and its port goes back.
      this.#pending.delete(ident)
      decision.reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp)
    session.send(encodeTrigger(this.#text, session.version, target, service, ident)).catch(decision.reject)
    try {
      return await decision.promise
    } catch (error) {
      if (!(error instanceof QrexecRefusedError)) throw error
      throw new QrexecRefusedError(`dom0 refused ${name}: look at its policy (/etc/qubes/policy.d) and whether the target exists`)
    } finally {
      this.#pending.delete(ident)
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** dom0 allowed a call. A place that nobody waits for any more goes back. */
  allowed(ident: string, place: Place): void {
    const pending = this.#take(ident)
    if (pending === undefined) place.session.giveBack(place)
    else pending.resolve(place)
  }

  refused(ident: string): void {
    // The text of the error is made where the call was.
    this.#take(ident)?.reject(new QrexecRefusedError('refused'))
  }

  #take(ident: string): PromiseWithResolvers<Place> | undefined {
    const pending = this.#pending.get(ident)
    this.#pending.delete(ident)
    return pending
  }
}
