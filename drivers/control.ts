/**
 * What the toolstack asks of a domain by `control/shutdown` (xen/docs/misc/xenstore-paths.pandoc). Qubes' libxl asks only for
 * what the domain has said it can do: without `control/feature-poweroff`, `qvm-shutdown` fails.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { dispose } from './dispose.ts'
import { PeerWarnings } from './peer-warnings.ts'
import type { Watch } from './xenstore/watches.ts'
import type { Xenstore } from './xenstore/xenstore.ts'

/** What the program has to obey. A suspend is obeyed here. */
export type ShutdownRequest = 'poweroff' | 'reboot' | 'halt' | 'crash'

const requests: readonly string[] = ['poweroff', 'reboot', 'halt', 'crash'] satisfies ShutdownRequest[]

/** What is announced: without it, Qubes' toolstack does not ask. */
const features = ['poweroff', 'reboot', 'suspend']

/**
 * Announces what the domain obeys, and calls `onRequest` for each request of the toolstack, after acknowledging it. Serve this
 * first of all, before anything waits for a peer. Closing the returned watch ends it.
 *
 * A request to suspend is obeyed at any time, also while the program starts or ends: it stops nothing but the clock, and a domain that
 * announced `suspend` and does not obey makes the suspend of the whole host fail.
 */
export function serveControl(
  { machine, xenstore }: { machine: XenMachine; xenstore: Xenstore },
  onRequest: (request: ShutdownRequest) => void,
): Watch {
  const { suspension } = machine
  const log = machine.log('control')
  const warnings = new PeerWarnings(log, machine.timers)
  const announce = (): void => {
    for (const feature of features) {
      xenstore
        .write(`control/feature-${feature}`, '1')
        .catch((error: Error) => log.warn(`${feature} cannot be announced: ${error.message}`))
    }
  }
  announce()
  const unsubscribe = suspension.subscribe('connections', {
    resume: cancelled => {
      if (!cancelled) announce()
    },
  })
  let looking = false
  let again = false
  const look = async (): Promise<void> => {
    const untrusted = await xenstore.tryRead('control/shutdown')
    if (untrusted === undefined || untrusted === '') return // the watch's first event, or our own acknowledgement
    await xenstore.write('control/shutdown', '')
    if (untrusted === 'suspend') void suspension.suspend()
    else if (requests.includes(untrusted)) onRequest(untrusted as ShutdownRequest)
    else warnings.warn(`the toolstack asks for ${JSON.stringify(untrusted.slice(0, 40))}, which this domain does not know: ignored`)
  }
  // One look at a time, so that a request is not seen twice before it is acknowledged.
  const lookInTurn = async (): Promise<void> => {
    again = true
    if (looking) return
    looking = true
    while (again) {
      again = false
      await look().catch((error: Error) => warnings.warn(`control/shutdown: ${error.message}`))
    }
    looking = false
  }
  const watch = xenstore.watch('control/shutdown', () => void lookInTurn())
  const close = (): void => {
    unsubscribe()
    watch.close()
  }
  return { path: watch.path, close, [dispose]: close }
}
