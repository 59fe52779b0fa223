/** A configuration of the stack that makes no sense. */
export class StackConfigError extends Error {
  override name = 'StackConfigError'
}

export function wrong(what: string, advice: string): StackConfigError {
  return new StackConfigError(`${what} in the stack's configuration: ${advice}`)
}
