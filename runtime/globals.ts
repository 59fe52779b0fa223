/**
 * Puts the small, always needed web globals in place. The others (URL, Request, streams, console) are linked in where they are used:
 * web/inject.ts, web/makers.ts, web/names.ts.
 */
import type { LogWriter } from './log.ts'
import type { Machine } from './machine.ts'
import { AbortController, AbortSignal } from './web/abort.ts'
import { Crypto } from './web/crypto.ts'
import { DOMException } from './web/dom-exception.ts'
import { createEncoding } from './web/encoding.ts'
import { reportError, reportException } from './web/errors.ts'
import { Event, EventTarget } from './web/events.ts'
import { expose } from './web/expose.ts'
import { makers } from './web/makers.ts'
import { createPerformance } from './web/performance.ts'
import { createTimers } from './web/timers.ts'

export function installGlobals(scope: object, machine: Machine, logs: LogWriter, name: string): void {
  const { abi, timers } = machine
  expose(scope, {
    self: scope,
    ...createTimers(timers),
    ...createEncoding(abi),
    ...createPerformance(abi),
    crypto: new Crypto(abi),
    queueMicrotask,
    AbortController,
    AbortSignal,
    Event,
    EventTarget,
    DOMException,
    reportError,
  })
  const making = { abi, timers, log: logs.log(name) }
  for (const make of makers) expose(scope, make(making))
}

function queueMicrotask(callback: () => void): void {
  if (typeof callback !== 'function') throw new TypeError(`queueMicrotask: the argument must be a function, not ${typeof callback}`)
  void Promise.resolve().then(() => {
    try {
      callback()
    } catch (error) {
      reportException(error)
    }
  })
}

/** Globals that are made when they are looked at first. One that cannot be made is tried again the next time. */
export function installLazily(scope: object, globals: Readonly<Record<string, () => unknown>>): void {
  for (const [key, make] of Object.entries(globals)) {
    const set = (value: unknown): void => {
      Object.defineProperty(scope, key, { value, writable: true, configurable: true, enumerable: false })
    }
    const get = (): unknown => {
      const value = make()
      set(value)
      return value
    }
    Object.defineProperty(scope, key, { get, set, configurable: true, enumerable: false })
  }
}
