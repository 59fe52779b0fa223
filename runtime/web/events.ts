/**
 * Event and EventTarget (https://dom.spec.whatwg.org/#events), without a tree: an event has one target, so there is no capture and
 * no bubbling.
 */

export class Event {
  readonly type: string
  readonly cancelable: boolean
  readonly bubbles: boolean
  readonly composed = false
  readonly timeStamp: number = performance.now()
  target: EventTarget | null = null
  currentTarget: EventTarget | null = null
  #prevented = false
  /** Set by stopImmediatePropagation; read by EventTarget. */
  stopped = false

  constructor(type: string, { cancelable = false, bubbles = false }: { cancelable?: boolean; bubbles?: boolean } = {}) {
    this.type = String(type)
    this.cancelable = cancelable
    this.bubbles = bubbles
  }

  get defaultPrevented(): boolean {
    return this.#prevented
  }
  preventDefault(): void {
    if (this.cancelable) this.#prevented = true
  }
  stopPropagation(): void {
    /* there is nowhere to propagate to */
  }
  stopImmediatePropagation(): void {
    this.stopped = true
  }
}

export class CustomEvent<T = unknown> extends Event {
  readonly detail: T | null
  constructor(type: string, options: { cancelable?: boolean; bubbles?: boolean; detail?: T } = {}) {
    super(type, options)
    this.detail = options.detail ?? null
  }
}

export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown }
export interface ListenerOptions {
  once?: boolean
  signal?: EventTarget & { readonly aborted: boolean }
  capture?: boolean
  passive?: boolean
}
interface Registration {
  readonly listener: Listener
  readonly once: boolean
  removed: boolean
}

export class EventTarget {
  readonly #listeners = new Map<string, Registration[]>()

  addEventListener(type: string, listener: Listener | null, options?: ListenerOptions | boolean): void {
    if (listener === null) return
    const { once = false, signal } = typeof options === 'object' ? options : {}
    if (signal?.aborted) return
    const list = this.#listeners.get(type) ?? []
    if (list.some(registration => registration.listener === listener)) return
    // A new array each time: a dispatch under way keeps the list it began with.
    this.#listeners.set(type, [...list, { listener, once, removed: false }])
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true })
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const list = this.#listeners.get(type)
    const registration = list?.find(entry => entry.listener === listener)
    if (list === undefined || registration === undefined) return
    registration.removed = true
    if (list.length === 1) this.#listeners.delete(type)
    else
      this.#listeners.set(
        type,
        list.filter(entry => entry !== registration),
      )
  }

  /** Whether anybody listens for `type`. */
  protected listens(type: string): boolean {
    return this.#listeners.has(type)
  }

  /**
   * Returns false when a listener called preventDefault. What a listener throws is reported as an uncaught error and stops no other
   * listener.
   */
  dispatchEvent(event: Event): boolean {
    event.target = event.currentTarget = this
    for (const registration of this.#listeners.get(event.type) ?? []) {
      if (registration.removed) continue
      const { listener, once } = registration
      if (once) this.removeEventListener(event.type, listener)
      try {
        if (typeof listener === 'function') listener.call(this, event)
        else listener.handleEvent(event)
      } catch (error) {
        reportError(error)
      }
      if (event.stopped) break
    }
    event.currentTarget = null
    return !event.defaultPrevented
  }
}

/** An uncaught error, the way this runtime has one: a rejection that nobody handles. */
export function reportError(error: unknown): void {
  void Promise.reject(error)
}
