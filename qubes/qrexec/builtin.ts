/** Services dom0 calls in every qube on its own account. A program's own service of the same name comes first. */
import type { ServiceCall, ServiceHandler } from './incoming.ts'
import { EXIT_NOT_FOUND, EXIT_REFUSED } from './wire.ts'

/** There is no session to wait for and no monitor to set up: take the input, say yes. */
const accept: ServiceHandler = async ({ stdin }) => { await stdin.drain() }

/** Without an input of interest. */
const done: ServiceHandler = () => {}

export const noShell: ServiceHandler = async ({ stderr }) => {
  await stderr.write('this qube is a unikernel: it has no shell and runs no commands, only the services of its program\n')
  return EXIT_REFUSED
}

export const notFound: ServiceHandler = async ({ service, stderr }: ServiceCall) => {
  await stderr.write(`this qube has no service ${service}\n`)
  return EXIT_NOT_FOUND
}

export const builtin: ReadonlyMap<string, ServiceHandler> = new Map([
  ['qubes.WaitForSession', accept],
  ['qubes.SetMonitorLayout', accept],
  ['qubes.SuspendPre', done],
  ['qubes.SuspendPost', done],
  ['qubes.SuspendPreAll', done],
  ['qubes.SuspendPostAll', done],
  ['qubes.WaitForNetworkUplink', done],
  ['qubes.VMShell', noShell],
  ['qubes.VMExec', noShell],
  ['qubes.VMExecGUI', noShell],
  ['qubes.VMRootShell', noShell],
  ['qubes.VMRootExec', noShell],
])
