/** A time limit for what heeds a signal. */
import type { Timers } from '@xen-ts/runtime/machine'
import { QrexecError } from './errors.ts'

/**
 * Runs `work`, whose signal aborts with one of `signals`, or when `milliseconds` are over.
 * @param late what is said then, before `within 5 s`
 */
export async function withDeadline<T>(
  timers: Timers,
  signals: readonly AbortSignal[],
  milliseconds: number,
  late: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (const signal of signals) signal.throwIfAborted()
  const limited = new AbortController()
  const abort = (): void => limited.abort(signals.find(({ aborted }) => aborted)?.reason)
  for (const signal of signals) signal.addEventListener('abort', abort)
  const timer = timers.set(milliseconds, () => limited.abort(new QrexecError(`${late} within ${milliseconds / 1000} s`)))
  try {
    return await work(limited.signal)
  } finally {
    timer.cancel()
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
}
