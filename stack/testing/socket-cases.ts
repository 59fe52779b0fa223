/**
 * What programs may rely on, whichever network stack they have: cases for every implementation of the interface Stack. They run on our stack
 * over a simulated wire, in Node and in the guest's engine (sockets.test.ts), and on Node's sockets (targets/unix/sockets.test.ts).
 */
import type { Assert, Cases } from '@xen-ts/boot/cases'
import type { Network, SocketCase } from './socket-help.ts'
import { tcpCases } from './tcp-cases.ts'
import { udpCases } from './udp-cases.ts'

export type { Network }

/** The cases on a network, which each of them gets anew. @param title of the network: stands before each name */
export function socketCases(title: string, setUp: () => Network | Promise<Network>): Cases {
  const all = Object.entries({ ...tcpCases, ...udpCases, ...hostCases }).map(([name, run]) => [
    `${title}: ${name}`,
    async (t: Assert) => {
      const network = await setUp()
      try {
        await network.run(run(t, network))
      } finally {
        await network.close()
      }
    },
  ])
  return Object.fromEntries(all)
}

const hostCases: Record<string, SocketCase> = {
  'the addresses of this host': async (t, { server }) => {
    const { addresses, address } = server
    for (const { address, prefix, family } of addresses) {
      t.is(family, address.includes(':') ? 6 : 4)
      t.true(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))
    }
    t.is(address, addresses[0]?.address)
    server.watch(() => t.fail('nothing has changed'))()
  },
}
