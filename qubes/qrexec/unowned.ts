/** A program need not await a write, nor a close; that the peer went away meanwhile must not end the domain as a lost error. */
export function unowned<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
