/** A mistake of the program's author or user whose text says everything (what, where, what to do): shown without a stack. */
export class UsageError extends Error {
  override name = 'UsageError'
}
