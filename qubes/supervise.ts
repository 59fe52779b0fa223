/** Keeps an agent connected: the daemons in dom0 restart, and a qube must outlive them. */
import { describeBriefly, type Log, type Timers } from '@xen-ts/runtime/machine'

/** A connection that lasted this long (ms) was a good one: the next attempt follows at once. */
const GOOD = 10_000
const SHORTEST_PAUSE = 100
const LONGEST_PAUSE = 10_000

/** A peer broke the protocol. The connection is closed and made anew; nothing else suffers. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
}

export interface Supervised {
  readonly timers: Timers
  readonly log: Log
  readonly signal: AbortSignal
  /** Connects and serves until the connection is over. A rejection is logged; both lead to a new call, after a pause. */
  run(): Promise<void>
}

/** Resolves when `signal` aborts, never rejects. */
export async function supervise({ timers, log, signal, run }: Supervised): Promise<void> {
  let pause = SHORTEST_PAUSE
  while (!signal.aborted) {
    const started = timers.now()
    try {
      await run()
    } catch (error) {
      if (!signal.aborted) log.warn(`connection lost: ${describeBriefly(error)}; connecting again`)
    }
    if (timers.now() - started >= GOOD) pause = SHORTEST_PAUSE
    await sleep(timers, pause, signal)
    pause = Math.min(pause * 2, LONGEST_PAUSE)
  }
}

/** Resolves after `milliseconds`, or when the signal aborts. */
export function sleep(timers: Timers, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const done = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.set(milliseconds, done)
    signal.addEventListener('abort', done)
  })
}
