/** The hypervisor's event channels: which port of which domain is tied to which. */
import type { SimulatedDomain } from './domain.ts'

const EINVAL = -22
const ENOSPC = -28
const ESRCH = -3
const MAX_PORTS = 4096

export const PortState = { closed: 0, unbound: 1, interdomain: 2 } as const

export interface Port {
  state: number
  /** The domain that may bind to it or has. */
  remote: number
  remotePort: number
  pending: boolean
  /** For the ends of hypervisor and daemons: runs instead of notifying a domain. */
  readonly sink?: () => void
}

function add(domain: SimulatedDomain, port: Port): number {
  let number = 1
  while (domain.openPorts.has(number)) number++
  if (number >= MAX_PORTS) return ENOSPC
  domain.openPorts.set(number, port)
  return number
}

export const allocUnbound = (domain: SimulatedDomain, remote: number): number =>
  add(domain, { state: PortState.unbound, remote, remotePort: 0, pending: false })

/** A port whose other end is not a domain but the simulation, such as the xenstore daemon. */
export const allocService = (domain: SimulatedDomain, sink: () => void): number =>
  add(domain, { state: PortState.interdomain, remote: 0, remotePort: 0, pending: false, sink })

export function bindInterdomain(domain: SimulatedDomain, remote: number, remotePort: number): number {
  const other = domain.xen.domain(remote)
  if (other === undefined || !other.alive) return ESRCH
  const end = other.openPorts.get(remotePort)
  if (end === undefined || end.state !== PortState.unbound || end.remote !== domain.domid || end.sink !== undefined) return EINVAL
  const port = add(domain, { state: PortState.interdomain, remote, remotePort, pending: false })
  if (port < 0) return port
  end.state = PortState.interdomain
  end.remotePort = port
  raise(domain, port) // Xen marks the new port pending, so that nothing sent before the binding is missed
  return port
}

export function close(domain: SimulatedDomain, number: number): number {
  const port = domain.openPorts.get(number)
  if (port === undefined) return EINVAL
  domain.openPorts.delete(number)
  const other = port.state === PortState.interdomain ? domain.xen.domain(port.remote)?.openPorts.get(port.remotePort) : undefined
  if (other !== undefined && other.remote === domain.domid && other.remotePort === number) {
    other.state = PortState.unbound
    other.remotePort = 0
  }
  return 0
}

export function send(domain: SimulatedDomain, number: number): number {
  const port = domain.openPorts.get(number)
  if (port === undefined) return EINVAL
  if (port.sink !== undefined) port.sink()
  else if (port.state === PortState.interdomain) {
    const other = domain.xen.domain(port.remote)
    if (other !== undefined) raise(other, port.remotePort)
  }
  return 0
}

/** Marks a port pending and puts its domain's handler in the queue. */
export function raise(domain: SimulatedDomain, number: number): void {
  const port = domain.openPorts.get(number)
  if (port === undefined || port.pending || !domain.alive) return
  port.pending = true
  domain.xen.enqueue(() => {
    if (!port.pending || domain.openPorts.get(number) !== port || !domain.alive) return
    port.pending = false
    domain.dispatch(number)
  }, domain)
}
