/** Two of our stacks on a simulated wire, for the cases of socket-cases.ts. */
import { serveName } from './name-server.ts'
import { pair, serverAddress } from './pair.ts'
import type { Network } from './socket-help.ts'

const NAME = 'server.example.org'

/** With a name server on the server. */
export function simulatedNetwork(family: 4 | 6): Network {
  const { world, client, server } = pair(1, {}, {}, {}, family)
  const at = serverAddress[family]
  client.configure(family === 4 ? { address: '10.0.0.1', prefix: 24, dns: [at] } : { ipv6: { address: 'fd00::1', prefix: 64 }, dns: [at] })
  serveName(server, NAME, at)
  let last = 1000
  return {
    client,
    server,
    address: at,
    name: NAME,
    port: () => ++last,
    silent: () => ({ address: family === 4 ? '10.0.0.77' : 'fd00::77', port: 9 }),
    sleep: milliseconds => new Promise<void>(resolve => void world.at(milliseconds, resolve)),
    async run(work) {
      let isOver = false
      const done = (): void => {
        isOver = true
      }
      work.then(done, done)
      await world.run(3_600_000, () => isOver)
      if (!isOver) throw new Error('nothing is left to happen, and the case waits')
      return work
    },
    close() {
      client.close()
      server.close()
    },
  }
}
