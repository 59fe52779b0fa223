/**
 * Errors that nobody caught, as events of the global object: `error` and `unhandledrejection`.
 * https://html.spec.whatwg.org/#runtime-script-errors , #unhandled-promise-rejections
 */
import { framesOf } from './error-stack.ts'
import { tellErrorsTo } from './errors.ts'
import { Event, type EventInit, EventTarget, fire, type Listener, type ListenerOptions } from './events.ts'

export interface ErrorEventInit extends EventInit {
  message?: string
  filename?: string
  lineno?: number
  colno?: number
  error?: unknown
}

export class ErrorEvent extends Event {
  readonly #message: string
  readonly #filename: string
  readonly #line: number
  readonly #column: number
  readonly #error: unknown

  constructor(type: string, init: ErrorEventInit | null = {}) {
    super(type, init)
    const { message = '', filename = '', lineno = 0, colno = 0, error } = init ?? {}
    this.#message = String(message)
    this.#filename = String(filename)
    this.#line = Number(lineno) >>> 0
    this.#column = Number(colno) >>> 0
    this.#error = error
  }

  get message(): string {
    return this.#message
  }
  get filename(): string {
    return this.#filename
  }
  get lineno(): number {
    return this.#line
  }
  get colno(): number {
    return this.#column
  }
  get error(): unknown {
    return this.#error
  }
}

export interface PromiseRejectionEventInit extends EventInit {
  promise: Promise<unknown>
  reason?: unknown
}

export class PromiseRejectionEvent extends Event {
  readonly #promise: Promise<unknown>
  readonly #reason: unknown

  constructor(type: string, init: PromiseRejectionEventInit) {
    super(type, init)
    if (typeof init?.promise !== 'object' || init.promise === null) throw new TypeError('PromiseRejectionEvent: promise must be a promise')
    this.#promise = init.promise
    this.#reason = init.reason
  }

  get promise(): Promise<unknown> {
    return this.#promise
  }
  get reason(): unknown {
    return this.#reason
  }
}

/** Listeners of the global object, which has another prototype. */
const listeners = new EventTarget()

let isTelling = false

tellErrorsTo({
  rejection(reason, promise) {
    if (!EventTarget.listens(listeners, 'unhandledrejection')) return false
    if (promise === undefined) {
      promise = Promise.reject(reason)
      promise.catch(() => {})
    }
    return !fire(listeners, new PromiseRejectionEvent('unhandledrejection', { promise, reason, cancelable: true }), globalThis)
  },
  error(error) {
    // What a listener of `error` throws is not told to listeners of `error`.
    if (isTelling || !EventTarget.listens(listeners, 'error')) return false
    isTelling = true
    try {
      return !fire(listeners, new ErrorEvent('error', { ...describe(error), error, cancelable: true }), globalThis)
    } finally {
      isTelling = false
    }
  },
})

function describe(error: unknown): ErrorEventInit {
  try {
    if (!(error instanceof Error)) return { message: `Uncaught ${String(error)}` }
    const [, filename = '', lineno = '0', colno = '0'] = /\(?([^()\s]+):(\d+):(\d+)\)?/.exec(framesOf(error.stack ?? '')) ?? []
    return { message: `Uncaught ${error.name}: ${error.message}`, filename, lineno: Number(lineno), colno: Number(colno) }
  } catch {
    return { message: 'Uncaught error that cannot be shown' }
  }
}

type Handler = ((...args: any[]) => unknown) | null

/** A handler property: `onerror = f` listens as long as it is set. */
function handlerProperty(type: string, listenerOf: (handler: (...args: any[]) => unknown) => Listener): PropertyDescriptor {
  let handler: Handler = null
  let listener: Listener | null = null
  return {
    get: () => handler,
    set(value: unknown) {
      listeners.removeEventListener(type, listener)
      handler = typeof value === 'function' ? (value as Handler) : null
      listener = handler && listenerOf(handler)
      listeners.addEventListener(type, listener)
    },
    enumerable: true,
    configurable: true,
  }
}

export const addEventListener = (type: string, listener: Listener | null, options?: ListenerOptions | boolean): void =>
  listeners.addEventListener(type, listener, options)

export const removeEventListener = (type: string, listener: Listener | null, options?: { capture?: boolean } | boolean): void =>
  listeners.removeEventListener(type, listener, options)

export function dispatchEvent(event: Event): boolean {
  if (!(event instanceof Event)) throw new TypeError('dispatchEvent: the argument must be an Event')
  return fire(listeners, event, globalThis)
}

/** https://html.spec.whatwg.org/#the-event-handler-processing-algorithm : onerror has five arguments, and true prevents the default. */
export const handlers: PropertyDescriptorMap = {
  onerror: handlerProperty('error', handler => (event: Event) => {
    const isError = event instanceof ErrorEvent
    const result = isError
      ? handler.call(globalThis, event.message, event.filename, event.lineno, event.colno, event.error)
      : handler.call(globalThis, event)
    if (isError ? result === true : result === false) event.preventDefault()
  }),
  // The kernel does not say when a rejection is handled after all, so its event never comes; programs that ask find the property.
  onrejectionhandled: handlerProperty('rejectionhandled', handler => handler),
  onunhandledrejection: handlerProperty('unhandledrejection', handler => (event: Event) => {
    if (handler.call(globalThis, event) === false) event.preventDefault()
  }),
}

/** From now on the global object has them. */
export const addGlobalHandlers = (): void => void Object.defineProperties(globalThis, handlers)
