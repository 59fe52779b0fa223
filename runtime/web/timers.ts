/** setTimeout and its kin: https://html.spec.whatwg.org/#timers . A delay is milliseconds; one of Infinity never comes. */
import type { Timer, Timers } from '../machine.ts'
import { dispatchError } from './errors.ts'

export function createTimers(timers: Timers) {
  const active = new Map<number, Timer>()
  let lastId = 0

  function start(name: string, callback: (...args: any[]) => void, delay: unknown, args: unknown[], repeat: boolean): number {
    if (typeof callback !== 'function') throw new TypeError(`${name}: the first argument must be a function, not ${typeof callback}`)
    const interval = Math.max(Number(delay ?? 0) || 0, repeat ? 1 : 0)
    const id = ++lastId
    // An interval keeps its rhythm however long its function takes; the times it misses are left out.
    let due = timers.now() + interval
    const fire = (): void => {
      if (repeat) {
        const now = timers.now()
        due += interval * Math.max(1, Math.floor((now - due) / interval) + 1)
        active.set(id, timers.set(due - now, fire))
      } else {
        active.delete(id)
      }
      try {
        callback(...args)
      } catch (error) {
        // To the loop, as what a driver throws; a program that listens for errors may have dealt with it.
        if (!dispatchError(error)) throw error
      }
    }
    active.set(id, timers.set(interval, fire))
    return id
  }

  function clear(id?: unknown): void {
    active.get(Number(id))?.cancel()
    active.delete(Number(id))
  }

  return {
    setTimeout: (callback: (...args: any[]) => void, delay?: number, ...args: unknown[]) =>
      start('setTimeout', callback, delay, args, false),
    setInterval: (callback: (...args: any[]) => void, delay?: number, ...args: unknown[]) =>
      start('setInterval', callback, delay, args, true),
    clearTimeout: clear,
    clearInterval: clear,
  }
}
