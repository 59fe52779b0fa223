/**
 * Puts the small, always needed web globals in place. The large ones (URL, Request, streams) are linked in where they are used:
 * web/inject.ts.
 */
import type { LogWriter } from './log.ts'
import type { Machine } from './machine.ts'
import { AbortController, AbortSignal } from './web/abort.ts'
import { createConsole } from './web/console.ts'
import { createCrypto } from './web/crypto.ts'
import { DOMException } from './web/dom-exception.ts'
import { createEncoding } from './web/encoding.ts'
import { CustomEvent, Event, EventTarget, reportError } from './web/events.ts'
import { createTimers } from './web/timers.ts'

export function installGlobals(scope: object, machine: Machine, logs: LogWriter, name: string): void {
  const { abi, timers } = machine
  const performance = {
    now: () => abi.clockMonotonic(),
    /** Computed when asked: a snapshot has no clock, and a suspended domain wakes up later. */
    get timeOrigin() {
      return abi.clockWall() - abi.clockMonotonic()
    },
    toJSON() {
      return { timeOrigin: this.timeOrigin }
    },
  }
  const globals = {
    ...createTimers(timers),
    ...createEncoding(abi),
    crypto: createCrypto(abi),
    queueMicrotask: (callback: () => void) => {
      if (typeof callback !== 'function') throw new TypeError(`queueMicrotask: the argument must be a function, not ${typeof callback}`)
      void Promise.resolve().then(() => callback())
    },
    console: createConsole(logs.log(name), () => timers.now()),
    performance,
    AbortController,
    AbortSignal,
    Event,
    EventTarget,
    CustomEvent,
    DOMException,
    reportError,
  }
  for (const [key, value] of Object.entries(globals)) {
    Object.defineProperty(scope, key, { value, writable: true, configurable: true, enumerable: false })
  }
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
