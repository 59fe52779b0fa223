/** Clock and randomness, passed in like everything else so that a test can pass its own. */
import { device } from '../device.ts'
import type { Machine } from '../machine.ts'

export interface Clock {
  /** Milliseconds since boot, with fractions; never goes back. */
  now(): number
  /** Milliseconds since 1970-01-01 UTC, with fractions. */
  wall(): number
  /** Resolves after `milliseconds`; rejects with the signal's reason when that aborts first. */
  sleep(milliseconds: number, options?: { signal?: AbortSignal }): Promise<void>
}

export interface Random {
  /** `count` random bytes fit for keys. */
  bytes(count: number): Uint8Array<ArrayBuffer>
}

export function clockOf({ abi, timers }: Machine): Clock {
  return {
    now: () => abi.clockMonotonic(),
    wall: () => abi.clockWall(),
    sleep: (milliseconds, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const abort = () => {
          timer.cancel()
          reject(signal?.reason)
        }
        const timer = timers.set(milliseconds, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      }),
  }
}

export function randomOf({ abi }: Machine): Random {
  return {
    bytes: count => {
      const bytes = new Uint8Array(count)
      abi.random(bytes)
      return bytes
    },
  }
}

/** Device descriptions, for devices that need them. */
export const clock = device({ name: 'clock', connect: (_, { machine }) => clockOf(machine) })
export const random = device({ name: 'random', connect: (_, { machine }) => randomOf(machine) })
