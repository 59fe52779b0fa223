/** The command line of EXEC_CMDLINE and JUST_EXEC: who shall run what (libqrexec/exec.c). */

export interface Command {
  /** As whom a Linux qube would run it. */
  readonly user: string
  /** The name before the `+`; undefined when a shell command was asked for. */
  readonly service: string | undefined
  /** What follows the `+`; empty when there is none. */
  readonly argument: string
  /** The calling qube; `dom0` too. Empty for a shell command, which only dom0 can send. */
  readonly source: string
}

const SERVICE = /^QUBESRPC ([^ +]+)(?:\+([^ ]*))? ([a-zA-Z0-9_.@:-]+)(?: .*)?$/

/** @returns undefined when it is not of the form `user:command` */
export function parseCommand(line: string): Command | undefined {
  const colon = line.indexOf(':')
  if (colon <= 0) return undefined
  const user = line.slice(0, colon)
  const command = line.slice(colon + (line.startsWith('nogui:', colon + 1) ? 7 : 1))
  const match = SERVICE.exec(command)
  if (match !== null) return { user, service: match[1], argument: match[2] ?? '', source: match[3] }
  return command.startsWith('QUBESRPC ') ? undefined : { user, service: undefined, argument: '', source: '' }
}
