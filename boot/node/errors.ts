/** An exception that came out of the engine: name, message and stack are the guest's own, positions are those of the bundle. */
export class GuestError extends Error {
  /** The guest's stack, lines of `    at function (file:line:column)`; empty when what was thrown was not an Error. */
  readonly guestStack: string

  constructor(name: string, message: string, guestStack: string) {
    super(message)
    this.name = name
    this.guestStack = guestStack
    this.stack = `${name}: ${message}\n${guestStack}`
  }
}

/** Leaves the engine from inside a host function, through all of its frames. The engine cannot be used afterwards. */
export class Halt extends Error {
  /** What was given to abi.shutdown: 0 poweroff, 1 reboot, 2 suspend, 3 crash. */
  readonly reason: number

  constructor(reason: number) {
    super(`shut down with reason ${reason}`)
    this.name = 'Halt'
    this.reason = reason
  }
}

const passed = ['TypeError', 'RangeError', 'Error']

/** Name (of a constructor that every engine has) and message for an error of a host function. */
export function hostError(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  return { name: passed.includes(error.name) ? error.name : 'Error', message: error.message }
}
