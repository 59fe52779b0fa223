import { describeError as describeFully } from '@xen-ts/runtime/machine'

/** An error for the person at the keyboard, in three parts. Anything else that is thrown is a defect of xen-ts and shows its stack. */
export class CliError extends Error {
  override name = 'CliError'
  readonly where: string | undefined
  readonly todo: string | undefined

  /**
   * @param what what happened, a sentence without a full stop
   * @param where file, line and caret, or the option that was given
   * @param todo what to do about it
   */
  constructor(what: string, where?: string, todo?: string) {
    super(what)
    this.where = where
    this.todo = todo
  }
}

/** The text of an error: what, where (indented), what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof CliError)) {
    return `error: xen-ts itself failed, please report this:\n${indent(describeFully(error))}`
  }
  const parts = [`error: ${error.message}`]
  if (error.where) parts.push(indent(error.where))
  if (error.todo) parts.push(`  ${error.todo}`)
  return parts.join('\n')
}

const troubles: Record<string, string> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a file has its name',
}

/** Why a file or folder could not be used, in words. */
export function trouble(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code !== undefined && Object.hasOwn(troubles, code) ? troubles[code] : message
}

/** A source line with a caret under the place. `column` counts from 0, in characters. */
export function caret(place: { file: string; line: number; column: number; lineText: string; length?: number }): string {
  const number = String(place.line)
  const marks = '^'.padEnd(Math.max(1, Math.min(place.length ?? 1, place.lineText.length - place.column)), '~')
  const lead = place.lineText.slice(0, place.column).replace(/[^\t]/g, ' ')
  return `${place.file}:${place.line}:${place.column + 1}\n${number} | ${place.lineText}\n${' '.repeat(number.length)} | ${lead}${marks}`
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n')
}
