/** A time limit for what heeds a signal. */
import type { Timers } from '@xen-ts/runtime/machine.ts'
import { QrexecError } from './errors.ts'

/**
 * Runs `work`, whose signal aborts with `signal`, or when `milliseconds` are over.
 * @param late what is said then, before `within 5 s`
 */
export async function withDeadline<T>(
  timers: Timers,
  signal: AbortSignal,
  milliseconds: number,
  late: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const limited = new AbortController()
  const abort = (): void => limited.abort(signal.reason)
  signal.addEventListener('abort', abort)
  const timer = timers.set(milliseconds, () => limited.abort(new QrexecError(`${late} within ${milliseconds / 1000} s`)))
  try {
    return await work(limited.signal)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
  }
}
