/**
 * A device of one's own, which each target makes in its way: how long the machine below the program has been up. A package that exports it
 * needs nothing but xen-ts; a program on a target that is not named here is refused when it is built.
 */
import { type DeviceContext, device } from 'xen-ts'

export interface Uptime {
  /** What has been up. */
  readonly of: 'domain' | 'host'
  seconds(): number
}

/** The monotonic clock of a domain begins when it boots. */
const domain = (_needs: {}, { machine }: DeviceContext): Uptime => ({
  of: 'domain',
  seconds: () => machine.timers.now() / 1000,
})

/** Modules of Node exist on target unix only: imported where they are used. */
const host = async (): Promise<Uptime> => {
  const { uptime } = await import('node:os')
  return { of: 'host', seconds: uptime }
}

export const uptime = device<Uptime>({
  name: 'uptime',
  on: { xen: { connect: domain }, qubes: { connect: domain }, unix: { connect: host } },
})
