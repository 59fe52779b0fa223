/** Two of our stacks on a simulated wire, for the cases of socket-cases.ts. */
import { address as answer, readAsked, tableServer } from '../dns/testing.ts'
import { pair } from './pair.ts'
import { RawPeer } from './raw-peer.ts'
import type { Network } from './socket-cases.ts'

const SERVER = '10.0.0.2'
const NAME = 'server.example.org'

/** IPv4, with a name server on the server. */
export function simulatedNetwork(): Network {
  const { world, wire, client, server, clientDevice } = pair(1)
  // The host that answers for ports that nobody has. (A second answer, of the stack itself, would change nothing.)
  const router = new RawPeer(wire, '10.0.0.254', '10.0.0.1', '02:00:00:00:00:01')
  wire.filter = (frame, from) => {
    if (from !== clientDevice || frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 17) return true
    const before = server.counters.udpNoPort
    world.at(1, () => {
      if (server.counters.udpNoPort > before) router.icmp(3, 3, [0, 0, 0, 0, ...frame.subarray(14, 42)], undefined, [], SERVER)
    })
    return true
  }
  client.configure({ address: '10.0.0.1', prefix: 24, dns: [SERVER] })
  const names = tableServer({ [NAME]: [answer(NAME, SERVER)] })
  server.udp.bind(53, (bytes, offset, length, from, port) => {
    const asked = readAsked(bytes.slice(offset, offset + length), false, port)
    for (const bytes of names(asked) as Uint8Array[]) server.udp.send(53, from, port, bytes)
  })
  let last = 1000
  return {
    client,
    server,
    address: SERVER,
    name: NAME,
    port: () => ++last,
    silent: () => ({ address: '10.0.0.77', port: 9 }),
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
