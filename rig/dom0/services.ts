/** What dom0 answers when a qube calls it: the policy decides, a table of services does the work. */
import { decide, parsePolicy, type Source } from './policy.ts'
import type { Answer, Policy, Request } from './qrexec.ts'

/** A call as a service of dom0 sees it. */
export interface Dom0Call extends Request {
  readonly input: Buffer
  /** Name of the calling qube. */
  readonly source: string
}

/** A service of dom0. What it gives is the stdout of a service that ended with 0, or all three. */
export type Dom0Service = (call: Dom0Call) => ReturnType<Answer>

/** The exit code of a service that does not exist (QREXEC_EXIT_SERVICE_NOT_FOUND of libqrexec). */
const NOT_FOUND = 127

/** The rules of R4.2's 90-default.policy for services that need nobody but dom0. */
export const defaultPolicy = `# Get current date and time
qubes.GetDate           *  @tag:anon-vm  @anyvm    deny
qubes.GetDate           *  @anyvm        @anyvm    allow target=dom0
qubes.GetRandomizedTime *  @anyvm        dom0      allow
# A qube tells what it can do, and that it has updates
qubes.FeaturesRequest   *  @anyvm        dom0      allow
qubes.NotifyTools       *  @anyvm        dom0      allow
qubes.NotifyUpdates     *  @anyvm        dom0      allow
qubes.Notifications     *  @anyvm        @default  allow target=dom0
# Nobody is here to be asked
qubes.Filecopy          *  @anyvm        @anyvm    ask
qubes.OpenInVM          *  @anyvm        @anyvm    ask
qubes.OpenURL           *  @anyvm        @anyvm    ask
qubes.ConnectTCP        *  @anyvm        @anyvm    deny
qubes.VMShell           *  @anyvm        @anyvm    deny
`

/**
 * UTC as qubes.GetDate gives it: 26 bytes, or 36 with the argument `nanoseconds`.
 * @param now milliseconds since 1970
 */
export function getDate(argument: string, now = Date.now()): string {
  const [seconds, fraction] = new Date(now).toISOString().slice(0, -1).split('.')
  return argument === 'nanoseconds' ? `${seconds},${fraction}000000+00:00\n` : `${seconds}+00:00\n`
}

const accept: Dom0Service = () => ''

export const dom0Services: ReadonlyMap<string, Dom0Service> = new Map([
  ['qubes.GetDate', ({ argument }) => getDate(argument)],
  ['qubes.GetRandomizedTime', () => getDate('')],
  ['qubes.FeaturesRequest', accept],
  ['qubes.NotifyTools', accept],
  ['qubes.NotifyUpdates', accept],
  ['qubes.Notifications', accept],
])

export interface PolicyOptions {
  /** The text of a policy file; the default is `defaultPolicy`. */
  readonly policy?: string
  /** Its name, for errors and for the log. */
  readonly file?: string
  /** The qube whose calls are decided. */
  readonly source: Source
  /** Services of dom0 beside the usual ones, or in their place. */
  readonly services?: Iterable<readonly [string, Dom0Service]>
}

/**
 * A policy file and dom0's services, as QrexecDaemon wants them.
 * @throws PolicySyntaxError with file and line
 */
export function policyOf({ policy = defaultPolicy, file = 'default.policy', source, services = [] }: PolicyOptions): Policy {
  const rules = parsePolicy(policy, file)
  const table = new Map([...dom0Services, ...services])
  return request => {
    const decision = decide(rules, source, request)
    if (!decision.allow) return decision.why
    if (decision.target !== 'dom0') return `${decision.place} sends it to ${decision.target}, and no other qube than ${source.name} is here`
    const service = table.get(request.service)
    if (service === undefined) return () => ({ code: NOT_FOUND, stderr: Buffer.from(`dom0 has no service ${request.service}\n`) })
    return input => service({ ...request, input, source: source.name })
  }
}
