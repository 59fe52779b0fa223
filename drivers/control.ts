/**
 * What the toolstack asks of a domain by `control/shutdown` (xen/docs/misc/xenstore-paths.pandoc). Qubes' libxl asks only for
 * what the domain has said it can do: without `control/feature-poweroff`, `qvm-shutdown` fails.
 */
import type { Machine } from '@xen-ts/runtime/machine.ts'
import type { Watch } from './xenstore-watches.ts'
import type { Xenstore } from './xenstore.ts'

export type ShutdownRequest = 'poweroff' | 'reboot' | 'halt' | 'suspend' | 'crash'

const requests: readonly string[] = ['poweroff', 'reboot', 'halt', 'suspend', 'crash'] satisfies ShutdownRequest[]

export interface ControlOptions {
  /**
   * What to announce. A domain that announces `suspend` and then does not obey makes the suspend of the whole host fail.
   * Default: all three.
   */
  readonly features?: readonly ('poweroff' | 'reboot' | 'suspend')[]
}

/**
 * Announces what the domain obeys, and calls `onRequest` for each request of the toolstack, after acknowledging it. Serve this
 * first of all, before anything waits for a peer. Closing the returned watch ends it.
 */
export function serveControl(
  { machine, xenstore }: { machine: Machine; xenstore: Xenstore }, onRequest: (request: ShutdownRequest) => void,
  { features = ['poweroff', 'reboot', 'suspend'] }: ControlOptions = {},
): Watch {
  const log = machine.log('control')
  for (const feature of features) {
    xenstore.write(`control/feature-${feature}`, '1').catch((error: Error) => log.warn(`${feature} cannot be announced: ${error.message}`))
  }
  let looking = false
  let again = false
  const look = async (): Promise<void> => {
    const untrusted = await xenstore.tryRead('control/shutdown')
    if (untrusted === undefined || untrusted === '') return // the watch's first event, or our own acknowledgement
    await xenstore.write('control/shutdown', '')
    if (requests.includes(untrusted)) onRequest(untrusted as ShutdownRequest)
    else log.warn(`the toolstack asks for ${JSON.stringify(untrusted.slice(0, 40))}, which this domain does not know: ignored`)
  }
  // One look at a time, so that a request is not seen twice before it is acknowledged.
  const lookInTurn = async (): Promise<void> => {
    again = true
    if (looking) return
    looking = true
    while (again) {
      again = false
      await look().catch((error: Error) => log.warn(`control/shutdown: ${error.message}`))
    }
    looking = false
  }
  return xenstore.watch('control/shutdown', () => void lookInTurn())
}
