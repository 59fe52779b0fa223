/** Keeps an agent connected: the daemons in dom0 restart, and a qube must outlive them. */
import { describeBriefly, type Log, type Timers } from '@xen-ts/runtime/machine'

/** A connection that lasted this long (ms) was a good one. */
const GOOD = 10_000
/** Pauses (ms) between attempts that did not come to a connection: each is twice as long as the one before. */
const SHORTEST_PAUSE = 100
const LONGEST_PAUSE = 10_000
/** So many short connections in a row are followed by the next attempt at once: who died is started again soon, and finds us. */
const AT_ONCE = 10
/** So many are told in the log, and then one in so many milliseconds. */
const TOLD = 3
const QUIET = 10_000

/** A peer broke the protocol. The connection is closed and made anew; nothing else suffers. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
}

/** One try to connect and serve. */
export interface Attempt {
  /** To be called when the peer has come. */
  connected(): void
  /** For what a connection begins and ends with: of peers that come and go all the time, most is at level debug. */
  readonly log: Pick<Log, 'info' | 'warn'>
}

export interface Supervised {
  readonly timers: Timers
  readonly log: Log
  readonly signal: AbortSignal
  /** Connects and serves until the connection is over. A rejection is logged; both lead to a new call. */
  run(attempt: Attempt): Promise<void>
}

/** Resolves when `signal` aborts, never rejects. */
export async function supervise({ timers, log, signal, run }: Supervised): Promise<void> {
  let pause = SHORTEST_PAUSE
  /** Short connections in a row. */
  let short = 0
  let told = -Infinity
  let untold = 0
  while (!signal.aborted) {
    const started = timers.now()
    const isTold = short < TOLD || started - told >= QUIET
    if (isTold) told = started
    const before = isTold && untold > 0 ? ` (and ${untold} times before it)` : ''
    untold = isTold ? 0 : untold + 1
    const say =
      (level: 'info' | 'warn') =>
      (text: string): void =>
        log[isTold ? level : 'debug'](text + before)
    let isConnected = false
    try {
      await run({
        connected() {
          isConnected = true
        },
        log: { info: say('info'), warn: say('warn') },
      })
    } catch (error) {
      if (!signal.aborted) say('warn')(`connection lost: ${describeBriefly(error)}; connecting again`)
    }
    short = timers.now() - started >= GOOD ? 0 : short + 1
    if (isConnected) {
      pause = SHORTEST_PAUSE
      if (short > AT_ONCE) await sleep(timers, SHORTEST_PAUSE, signal)
    } else {
      await sleep(timers, pause, signal)
      pause = Math.min(pause * 2, LONGEST_PAUSE)
    }
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
