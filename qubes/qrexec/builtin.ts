/** Services dom0 calls in every qube on its own account. A program's own service of the same name comes first. */
import type { ServiceCall, ServiceHandler } from './incoming.ts'
import { EXIT_NOT_FOUND, EXIT_REFUSED } from './wire.ts'

/** There is no session to wait for and no monitor to set up: take the input, say yes. */
const accept: ServiceHandler = async ({ stdin }) => {
  await stdin.drain()
}

const EXIT_NO_UPLINK = 3

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

/** What the rest of the qube does when dom0 calls. */
export interface BuiltinHooks {
  /** The host has slept, and with it this qube: perhaps it was only paused, and nothing else told it. */
  resumed?(): void
  /** Resolves with true when the network works, or this qube has none; with false when it still does not after a while. */
  uplink?(): Promise<boolean>
  /** What the network stack has counted, as text; undefined without a stack. */
  counters?(): string | undefined
}

export const builtins = ({ resumed, uplink, counters }: BuiltinHooks): ReadonlyMap<string, ServiceHandler> =>
  new Map([
    ['qubes.WaitForSession', accept],
    ['qubes.SetMonitorLayout', accept],
    // R4.3, of disposables that are started in advance: who answers runs.
    ['qubes.WaitForRunningSystem', done],
    ['qubes.SuspendPre', done],
    ['qubes.SuspendPreAll', done],
    ['qubes.SuspendPost', () => resumed?.()],
    ['qubes.SuspendPostAll', () => resumed?.()],
    // The exit code is that of Linux qubes; dom0 gives it 10 s.
    ['qubes.WaitForNetworkUplink', async () => ((await uplink?.()) === false ? EXIT_NO_UPLINK : 0)],
    // Ours: dom0 may always ask, other qubes when its policy lets them.
    [
      'xen-ts.Counters',
      async call => {
        const text = counters?.()
        if (text === undefined) return notFound(call)
        await call.stdout.write(text)
      },
    ],
    ['qubes.VMShell', noShell],
    ['qubes.VMExec', noShell],
    ['qubes.VMExecGUI', noShell],
    ['qubes.VMRootShell', noShell],
    ['qubes.VMRootExec', noShell],
  ] satisfies [string, ServiceHandler][])
