/** The network of target unix: the host's sockets behind the interface of every stack. */
import { networkInterfaces } from 'node:os'
import type { Stack, StackAddress } from '@xen-ts/runtime'
import type { Machine } from '@xen-ts/runtime/machine'
import { Counters } from '@xen-ts/stack'
import { HostNames } from './names.ts'
import type { PortMap } from './ports.ts'
import { HostTcp } from './tcp.ts'
import { HostUdp } from './udp.ts'

/** Addresses and routes are the host's affair. Nothing is open before a program asks for it. */
export function hostStack(machine: Machine, ports: PortMap = new Map()): Stack {
  const names = new HostNames()
  const counters = new Counters() // most are the host's to know, and stay 0
  return {
    tcp: new HostTcp(machine, names, ports),
    udp: new HostUdp(names, counters, ports),
    counters,
    resolve: names.resolve,
    get addresses() {
      return hostAddresses()
    },
    get address() {
      return hostAddresses()[0]?.address
    },
    // Nothing tells a process when its host's addresses change.
    watch: () => () => {},
  }
}

/** Those that others can reach, IPv4 first. Link-local ones need the name of an interface beside them, and are left out. */
function hostAddresses(): StackAddress[] {
  const found = Object.values(networkInterfaces()).flatMap(list =>
    (list ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
      .map(({ address, cidr, family }): StackAddress => {
        const isIpv4 = family === 'IPv4'
        return { address, prefix: Number(cidr?.split('/')[1] ?? (isIpv4 ? 32 : 128)), family: isIpv4 ? 4 : 6 }
      }),
  )
  return found.sort((a, b) => a.family - b.family)
}
