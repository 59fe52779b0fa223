import { CliError } from '../errors.ts'

/** Errors of the emulated machine as those of the tool. By their name: its modules are large, and not every command has loaded them. */
export async function inThreeParts<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isRigError(error)) throw error
    throw new CliError(`the emulated Xen: ${error.what}`, error.where, error.todo)
  }
}

const isRigError = (error: unknown): error is Error & { what: string; where?: string; todo?: string } =>
  error instanceof Error && error.name === 'RigError'
