/** Resolves when `signal` aborts: `await once(signal)` keeps a program running until it is asked to end. */
export function once(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
