/** A save and a restore of a simulated domain, at once: it goes on with its memory and its time, and with nothing else that it had. */
import { Uint8Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import { close } from './event-channels.ts'
import { grantUnmap } from './grants.ts'

/**
 * Makes `domain` the domain `domid`, as libxl does: a directory of its own in xenstore and a new connection to it, no event channel, no
 * foreign page, an empty grant table. Peers see the old domain die; pages that they have mapped stay theirs. Devices are for the caller
 * to make. For `domain.onSuspend`.
 * @returns 0, what the hypercall returns in a new world
 */
export function restore(domain: SimulatedDomain, domid: number): number {
  const { xen } = domain
  if (xen.domain(domid) !== undefined) throw new Error(`domain ${domid} exists`)
  for (const mapping of domain.mappings) mapping.sync()
  for (const port of [...domain.openPorts.keys()]) close(domain, port)
  for (const allocation of domain.allocations.values()) {
    allocation.mappings.forEach((mapping, page) => {
      if (mapping !== undefined) grantUnmap(domain, allocation, page, mapping.handle)
    })
  }
  for (const mapping of domain.mappings) {
    if (mapping.bulk) xen.bulk.remove(mapping)
    mapping.detach()
    if (mapping.bulk) xen.bulk.add(mapping)
  }
  domain.mappings.clear()
  for (const frame of domain.grantTableFrames) new Uint8Array(frame).fill(0)
  xen.domains.delete(domain.domid)
  xen.store.release(domain)
  xen.store.remove(`/local/domain/${domain.domid}`)
  domain.domid = domid
  xen.domains.set(domid, domain)
  xen.store.introduce(domain)
  xen.current = undefined
  return 0
}
