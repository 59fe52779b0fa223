/** AbortController and AbortSignal: https://dom.spec.whatwg.org/#aborting-ongoing-activities */
import { DOMException } from './dom-exception.ts'
import { Event, EventTarget, fire, type Listener, type ListenerOptions } from './events.ts'

const internal = Symbol('only AbortController and the static methods make signals')

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  /** Made by `any`: what this signal follows, and what follows it. */
  #sources: readonly AbortSignal[] = []
  #follows = false
  #followers: WeakRef<AbortSignal>[] = []
  /** Followers that somebody listens to: only these are kept alive, so a long-lived signal does not collect one follower a request. */
  readonly #listening = new Set<AbortSignal>()
  #sweepAt = 16
  #handler: ((event: Event) => unknown) | null = null

  constructor(key?: symbol) {
    super()
    if (key !== internal)
      throw new TypeError('AbortSignal is not constructed; use new AbortController().signal, AbortSignal.timeout() or AbortSignal.any()')
  }

  get aborted(): boolean {
    return this.#aborted
  }
  get reason(): unknown {
    return this.#reason
  }
  get onabort(): ((event: Event) => unknown) | null {
    return this.#handler
  }
  set onabort(handler: ((event: Event) => unknown) | null) {
    if (this.#handler) this.removeEventListener('abort', this.#handler)
    this.#handler = typeof handler === 'function' ? handler : null
    this.addEventListener('abort', this.#handler)
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(internal)
    AbortSignal[internal](signal, reason)
    return signal
  }

  /** Aborts with a TimeoutError after `milliseconds`. */
  static timeout(milliseconds: number): AbortSignal {
    if (!(milliseconds >= 0)) throw new TypeError(`AbortSignal.timeout: ${milliseconds} is not a number of milliseconds`)
    const signal = new AbortSignal(internal)
    setTimeout(
      () => AbortSignal[internal](signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      milliseconds,
    )
    return signal
  }

  /** Aborts as soon as one of `signals` does, with its reason. */
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(internal)
    const given = [...signals]
    const first = given.find(signal => signal.aborted)
    if (first !== undefined) {
      result.#aborted = true
      result.#reason = first.reason
    } else {
      // Those that follow others are followed by way of these: all followers of a signal are in one list, in the order they were made.
      result.#sources = [...new Set(given.flatMap(signal => (signal.#follows ? signal.#sources : [signal])))]
      result.#follows = true
      for (const source of result.#sources) source.#follow(result)
    }
    return result
  }

  override addEventListener(type: string, listener: Listener | null, options?: ListenerOptions | boolean): void {
    super.addEventListener(type, listener, options)
    if (type === 'abort' && !this.#aborted && listener !== null) for (const source of this.#sources) source.#listening.add(this)
  }

  override removeEventListener(type: string, listener: Listener | null, options?: { capture?: boolean } | boolean): void {
    super.removeEventListener(type, listener, options)
    if (!EventTarget.listens(this, 'abort')) for (const source of this.#sources) source.#listening.delete(this)
  }

  #follow(follower: AbortSignal): void {
    if (this.#followers.length >= this.#sweepAt) {
      this.#followers = this.#followers.filter(reference => reference.deref() !== undefined)
      this.#sweepAt = Math.max(16, 2 * this.#followers.length)
    }
    this.#followers.push(new WeakRef(follower))
  }

  /** Marks this signal and all that follow it, and returns those that were not aborted before. */
  #mark(reason: unknown): AbortSignal[] {
    if (this.#aborted) return []
    this.#aborted = true
    this.#reason = reason
    const followers = this.#followers
    this.#followers = []
    this.#sources = []
    return [
      this,
      ...followers.flatMap(reference => {
        const follower = reference.deref()
        return follower === undefined ? [] : follower.#mark(reason)
      }),
    ]
  }

  static [internal](signal?: AbortSignal, reason?: unknown): AbortSignal {
    if (signal === undefined) return new AbortSignal(internal)
    // All are marked before the first listener runs, so that a listener sees none of them half done.
    const marked = signal.#mark(reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason)
    for (const one of marked) fire(one, new Event('abort'))
    signal.#listening.clear()
    return signal
  }
}

export class AbortController {
  readonly signal: AbortSignal = AbortSignal[internal]()
  abort(reason?: unknown): void {
    AbortSignal[internal](this.signal, reason)
  }
}
