/** What `xen-ts run` is told about the qube: keys for QubesDB, calls from dom0, a policy file. */
import { readFileSync } from 'node:fs'
import { PolicySyntaxError, parsePolicy } from '@xen-ts/rig/dom0'
import { CliError, trouble } from '../errors.ts'

/** A call from dom0 into the qube. */
export interface Call {
  /** As it was written, for what is printed. */
  readonly text: string
  readonly user: string
  /** With its `+argument`. */
  readonly service: string
}

const MOST_PATH = 63
const MOST_VALUE = 3071
const MOST_SERVICE = 65000

/**
 * `KEY=VALUE`. The leading / of the key may be left out, the value may be empty.
 * @throws CliError for what qubesdb-write would not take
 */
export function parseKey(text: string): [path: string, value: string] {
  const refuse = (why: string): CliError => new CliError(`--qdb: ${why}`, text, 'for example: --qdb /vm-config/greeting=Hi')
  const equals = text.indexOf('=')
  if (equals < 1) throw refuse('KEY=VALUE is needed')
  const path = text.startsWith('/') ? text.slice(0, equals) : `/${text.slice(0, equals)}`
  const value = text.slice(equals + 1)
  if (!/^(\/[a-zA-Z0-9_.:@-]+)+$/.test(path)) throw refuse('a key is made of letters, digits and _ . : @ -, with / between its parts')
  if (path.length > MOST_PATH) throw refuse(`a key has at most ${MOST_PATH} characters, this one has ${path.length}`)
  const bytes = Buffer.byteLength(value)
  if (bytes > MOST_VALUE) throw refuse(`a value has at most ${MOST_VALUE} bytes, this one has ${bytes}`)
  return [path, value]
}

/**
 * `[USER:]SERVICE[+ARGUMENT]`, as `qvm-run --service` takes it.
 * @throws CliError for what no qrexec would pass on
 */
export function parseCall(text: string): Call {
  const example = 'for example: --call my.Service+argument, or --call root:qubes.SuspendPre'
  const refuse = (why: string): CliError => new CliError(`--call: ${why}`, text, example)
  const [, user = 'user', service] = /^(?:([^:+]*):)?([^]*)$/.exec(text)!
  if (!/^[a-zA-Z_][a-zA-Z0-9_.-]*$/.test(user)) throw refuse(`'${user}' is not the name of a user`)
  if (service === '') throw refuse('the name of a service is needed')
  if (/\s/.test(service)) throw refuse('a command line is for a shell, which a unikernel does not have; a call names a service')
  if (!/^[a-zA-Z0-9_.-]+(\+[a-zA-Z0-9_.+-]*)?$/.test(service)) {
    throw refuse('service and argument are made of letters, digits and _ . -, with one + between them')
  }
  if (service.length > MOST_SERVICE) throw refuse(`a service with its argument has at most ${MOST_SERVICE} characters`)
  return { text, user, service }
}

/** The text of a policy file. @throws CliError when it cannot be read, or qrexec would not take it */
export function readPolicy(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(
      `--policy: ${file} cannot be read: ${trouble(error)}`,
      undefined,
      "it is a file like those in dom0's /etc/qubes/policy.d",
    )
  }
  try {
    parsePolicy(text, file)
    return text
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error
    throw new CliError(
      '--policy: dom0 would not take this file, and deny every call',
      error.message,
      'a rule is: service argument source target allow|deny|ask [target=dom0]',
    )
  }
}
