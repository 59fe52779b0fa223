import { CliError } from '../errors.ts'

/** The names that qubes can have (Qubes OS: a letter first, 31 characters at most). @throws CliError for any other */
export function checkName(vm: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,30}$/.test(vm) || vm === 'dom0' || vm === 'none' || vm === 'default')
    throw new CliError(
      `${JSON.stringify(vm)} cannot be the name of a qube`,
      undefined,
      'a letter first, then letters, digits, - _ and ., 31 in all',
    )
}
