/**
 * Event and EventTarget (https://dom.spec.whatwg.org/#events), without a tree: an event has one target, so there is no capture and
 * no bubbling.
 */
import { DOMException } from './dom-exception.ts'
import { reportException } from './errors.ts'

export interface EventInit {
  bubbles?: boolean
  cancelable?: boolean
  composed?: boolean
}

/** What a dispatch does to an event: for EventTarget in this file, set by Event's static block. */
let dispatching: {
  /** @throws DOMException when the event is being dispatched already */
  begin(event: Event, target: object, isTrusted: boolean): void
  listener(event: Event, isPassive: boolean): void
  isStopped(event: Event): boolean
  end(event: Event): void
}

export class Event {
  static readonly NONE = 0
  static readonly CAPTURING_PHASE = 1
  static readonly AT_TARGET = 2
  static readonly BUBBLING_PHASE = 3
  #type: string
  #bubbles: boolean
  #cancelable: boolean
  readonly #composed: boolean
  readonly #timeStamp: number = performance.now()
  #target: object | null = null
  #isDispatched = false
  #isTrusted = false
  #isPassive = false
  #prevented = false
  #stopped = false
  #stoppedAtOnce = false
  /** Own property of each event: [LegacyUnforgeable]. */
  static readonly #trust: PropertyDescriptor = {
    get(this: Event): boolean {
      return this.#isTrusted
    },
    enumerable: true,
  }
  declare readonly isTrusted: boolean

  static {
    dispatching = {
      begin(event, target, isTrusted) {
        if (event.#isDispatched) throw new DOMException('dispatchEvent: the event is being dispatched already', 'InvalidStateError')
        event.#isDispatched = true
        event.#isTrusted = isTrusted
        event.#target = target
      },
      listener(event, isPassive) {
        event.#isPassive = isPassive
      },
      isStopped: event => event.#stoppedAtOnce,
      end(event) {
        event.#isDispatched = event.#isPassive = event.#stopped = event.#stoppedAtOnce = false
      },
    }
  }

  constructor(type: string, init: EventInit | null = {}) {
    if (arguments.length === 0) throw new TypeError('Event: the type is missing; give it as text')
    this.#type = String(type)
    const { bubbles, cancelable, composed } = init ?? {}
    this.#bubbles = Boolean(bubbles)
    this.#cancelable = Boolean(cancelable)
    this.#composed = Boolean(composed)
    Object.defineProperty(this, 'isTrusted', Event.#trust)
  }

  get type(): string {
    return this.#type
  }
  get target(): EventTarget | null {
    return this.#target as EventTarget | null
  }
  get srcElement(): EventTarget | null {
    return this.target
  }
  get currentTarget(): EventTarget | null {
    return this.#isDispatched ? this.target : null
  }
  get eventPhase(): number {
    return this.#isDispatched ? Event.AT_TARGET : Event.NONE
  }
  get bubbles(): boolean {
    return this.#bubbles
  }
  get cancelable(): boolean {
    return this.#cancelable
  }
  get composed(): boolean {
    return this.#composed
  }
  get timeStamp(): number {
    return this.#timeStamp
  }
  get defaultPrevented(): boolean {
    return this.#prevented
  }
  get returnValue(): boolean {
    return !this.#prevented
  }
  set returnValue(value: boolean) {
    if (!value) this.preventDefault()
  }
  get cancelBubble(): boolean {
    return this.#stopped
  }
  set cancelBubble(value: boolean) {
    if (value) this.#stopped = true
  }

  composedPath(): EventTarget[] {
    return this.#isDispatched ? [this.target as EventTarget] : []
  }
  /** Of old programs: what the constructor says now. */
  initEvent(type: string, bubbles = false, cancelable = false): void {
    if (arguments.length === 0) throw new TypeError('initEvent: the type is missing')
    if (this.#isDispatched) return
    this.#type = String(type)
    this.#bubbles = Boolean(bubbles)
    this.#cancelable = Boolean(cancelable)
    this.#isTrusted = this.#prevented = this.#stopped = this.#stoppedAtOnce = false
    this.#target = null
  }
  preventDefault(): void {
    if (this.#cancelable && !this.#isPassive) this.#prevented = true
  }
  /** There is nowhere to propagate to. */
  stopPropagation(): void {
    this.#stopped = true
  }
  stopImmediatePropagation(): void {
    this.#stopped = this.#stoppedAtOnce = true
  }
}

export type Listener = ((event: any) => unknown) | { handleEvent(event: any): unknown }
export interface ListenerOptions {
  once?: boolean
  signal?: EventTarget & { readonly aborted: boolean }
  capture?: boolean
  passive?: boolean
}
interface Registration {
  readonly listener: Listener
  readonly capture: boolean
  readonly once: boolean
  readonly passive: boolean
  removed: boolean
  /** Its signal listens no more. */
  release?: () => void
}

/** Set by EventTarget's static block; for who dispatches for another object (the global one). */
let fireAt: (listeners: EventTarget, event: Event, target: object, isTrusted: boolean) => boolean

export class EventTarget {
  readonly #listeners = new Map<string, Registration[]>()
  static {
    fireAt = (listeners, event, target, isTrusted) => listeners.#fire(event, target, isTrusted)
  }

  addEventListener(type: string, listener: Listener | null, options?: ListenerOptions | boolean): void {
    const { once, signal, capture, passive } = flatten(options)
    if (signal !== undefined && !(typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
      throw new TypeError('addEventListener: signal must be an AbortSignal')
    }
    if (listener === null || listener === undefined || signal?.aborted) return
    if (typeof listener !== 'function' && typeof listener !== 'object') {
      throw new TypeError(`addEventListener: the listener must be a function or an object, not ${typeof listener}`)
    }
    const name = String(type)
    const list = this.#listeners.get(name) ?? []
    if (find(list, listener, capture) !== undefined) return
    const registration: Registration = { listener, capture, once, passive, removed: false }
    // A new array each time: a dispatch under way keeps the list it began with.
    this.#listeners.set(name, [...list, registration])
    if (signal === undefined) return
    const abort = (): void => this.removeEventListener(name, listener, { capture })
    signal.addEventListener('abort', abort, { once: true })
    registration.release = () => signal.removeEventListener('abort', abort)
  }

  removeEventListener(type: string, listener: Listener | null, options?: { capture?: boolean } | boolean): void {
    const capture = Boolean(typeof options === 'object' ? options?.capture : options)
    const name = String(type)
    const list = this.#listeners.get(name)
    const registration = list && find(list, listener, capture)
    if (list === undefined || registration === undefined) return
    registration.removed = true
    registration.release?.()
    if (list.length === 1) this.#listeners.delete(name)
    else
      this.#listeners.set(
        name,
        list.filter(entry => entry !== registration),
      )
  }

  /** Whether anybody listens for `type`. */
  static listens(target: EventTarget, type: string): boolean {
    return target.#listeners.has(type)
  }

  /**
   * Returns false when a listener called preventDefault. What a listener throws is reported as an uncaught error and stops no other
   * listener.
   */
  dispatchEvent(event: Event): boolean {
    if (!(event instanceof Event)) throw new TypeError('dispatchEvent: the argument must be an Event')
    return this.#fire(event, this, false)
  }

  #fire(event: Event, target: object, isTrusted: boolean): boolean {
    dispatching.begin(event, target, isTrusted)
    for (const registration of this.#listeners.get(event.type) ?? []) {
      if (registration.removed) continue
      const { listener, capture, once, passive } = registration
      if (once) this.removeEventListener(event.type, listener, capture)
      dispatching.listener(event, passive)
      try {
        if (typeof listener === 'function') listener.call(target, event)
        else listener.handleEvent(event)
      } catch (error) {
        reportException(error)
      }
      if (dispatching.isStopped(event)) break
    }
    dispatching.end(event)
    return !event.defaultPrevented
  }
}

const find = (list: readonly Registration[], listener: Listener | null, capture: boolean): Registration | undefined =>
  list.find(registration => registration.listener === listener && registration.capture === capture)

function flatten(options: ListenerOptions | boolean | null | undefined) {
  if (typeof options !== 'object' || options === null) return { capture: Boolean(options), once: false, passive: false, signal: undefined }
  return { capture: Boolean(options.capture), once: Boolean(options.once), passive: Boolean(options.passive), signal: options.signal }
}

/** An event of the runtime's own: isTrusted. `target` is what listeners see. Returns false when one called preventDefault. */
export const fire = (listeners: EventTarget, event: Event, target: object = listeners): boolean => fireAt(listeners, event, target, true)
