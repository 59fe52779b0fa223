/**
 * Errors that nobody caught. Programs that listen for them (error-events.ts, in an image only where one names something of it) are told
 * first. https://html.spec.whatwg.org/#runtime-script-errors , #unhandled-promise-rejections
 */

/** Both return true when a listener called preventDefault. */
interface Telling {
  rejection(reason: unknown, promise: Promise<unknown> | undefined): boolean
  error(error: unknown): boolean
}
let telling: Telling | undefined

/** Called by error-events.ts when it is in the image. */
export const tellErrorsTo = (listeners: Telling): void => {
  telling = listeners
}

/** Errors that were told as `error` already, and come back as rejections. */
const told = new Set<unknown>()

/**
 * Tells the program of a rejection that nobody handled.
 * @param promise the rejected promise, where it is known
 * @param mayTell false: listeners have had their share for now
 * @returns true when a listener called preventDefault: the error is dealt with, and there is nothing to log and nothing to end
 */
export function dispatchUnhandledRejection(reason: unknown, promise?: Promise<unknown>, mayTell = true): boolean {
  if (telling === undefined || told.delete(reason) || !mayTell) return false
  return telling.rejection(reason, promise)
}

/**
 * Tells the program of an error that was thrown where nobody could catch it (a timer, a listener, a microtask). When it returns false, the
 * error is the caller's to pass on: thrown again it ends the domain; reportException makes it a rejection.
 * @returns true when a listener called preventDefault: the error is dealt with
 */
export function dispatchError(error: unknown): boolean {
  return telling?.error(error) ?? false
}

/** An error that nobody can catch: told as `error`; then, unless prevented, it ends where a rejection ends that nobody handles. */
export function reportException(error: unknown): void {
  if (dispatchError(error)) return
  if (telling !== undefined) told.add(error)
  void Promise.reject(error)
}

/** https://html.spec.whatwg.org/#dom-reporterror */
export function reportError(error: unknown): void {
  if (arguments.length === 0) throw new TypeError('reportError: the error is missing')
  reportException(error)
}
