/** The DNS client of a stack. */
import type { Machine } from '@xen-ts/runtime/machine'
import type { Interface } from '../ip/interface.ts'
import type { Tcp } from '../tcp/tcp.ts'
import type { Udp } from '../udp/udp.ts'
import { DnsClient } from './client.ts'
import { orderDestinations } from './order.ts'
import { stackTransport } from './sockets.ts'

export const namesOf = (machine: Machine, ip: Interface, udp: Udp, tcp: Tcp, servers: readonly string[]): DnsClient =>
  new DnsClient(machine, stackTransport(udp, tcp), {
    servers,
    families: () => ip.families,
    order: found => orderDestinations(found, address => ip.sourceFor(address)),
  })
