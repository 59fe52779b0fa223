/**
 * Two stacks, a bad wire between them, a virtual clock. The table that comes out is kept as a snapshot: what a change does to
 * throughput under loss is a difference of text. `npx ava -u` accepts it.
 */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { withoutOption } from '../testing/options.ts'
import { type Pair, pair, pattern } from '../testing/pair.ts'
import type { WireConditions } from '../testing/wire.ts'
import type { TcpStream } from './stream.ts'

interface Outcome {
  milliseconds: number
  retransmits: number
  timeouts: number
}

async function send(connection: TcpStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 8000) await connection.write(bytes.subarray(at, at + 8000))
  connection.end()
}

async function receive(connection: TcpStream, expected: Uint8Array): Promise<boolean> {
  let at = 0
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) {
    if (Buffer.compare(part, expected.subarray(at, at + part.length)) !== 0) throw new Error(`wrong bytes at ${at}`)
    at += part.length
  }
  return at === expected.length
}

/** Sends `up` bytes to the server and `down` back at the same time; both must arrive whole, and nothing may be left behind. */
async function transfer(p: Pair, up: number, down: number, limit = 3_600_000): Promise<Outcome> {
  const upBytes = pattern(up)
  const downBytes = pattern(down, 7)
  const done = [false, false]
  let failure: unknown
  const talk = async (connection: TcpStream, i: number, out: Uint8Array, into: Uint8Array): Promise<void> => {
    const [, whole] = await Promise.all([send(connection, out), receive(connection, into)])
    if (!whole) throw new Error(`side ${i} saw the end too early`)
    await connection.closed
    done[i] = true
  }
  const fail = (error: unknown): void => {
    failure ??= error
  }
  void p.server.tcp.listen({ port: 7 }, connection => void talk(connection, 0, downBytes, upBytes).catch(fail))
  p.client.tcp
    .connect({ host: '10.0.0.2', port: 7 })
    .then(connection => talk(connection, 1, upBytes, downBytes))
    .catch(fail)
  await p.world.run(limit, () => failure !== undefined || (done[0] && done[1]))
  if (failure !== undefined) throw failure
  if (!done[0] || !done[1]) throw new Error(`not over after ${p.world.now} ms of the world's time`)
  const milliseconds = Math.round(p.world.now)
  const { counters: a } = p.client
  const { counters: b } = p.server
  await p.world.run(400_000)
  for (const stack of [p.client, p.server]) {
    if (stack.tcp.connections !== 0) throw new Error(`${stack.tcp.connections} connections are left`)
    if (stack.tcp.memory.used !== 0) throw new Error(`${stack.tcp.memory.used} bytes are left`)
  }
  if (p.clientDevice.reserved + p.serverDevice.reserved !== 0) throw new Error('frames are left')
  const retransmits = a.tcpRetransmits + b.tcpRetransmits
  return { milliseconds, retransmits, timeouts: a.tcpTimeouts + b.tcpTimeouts }
}

test('one megabyte to the server, by loss and receive window', async t => {
  const rows = ['loss  window       ms  retransmits  fast']
  for (const loss of [0, 0.001, 0.01, 0.03, 0.1, 0.2]) {
    for (const receiveWindow of [4096, 16_384, 65_536, 262_144]) {
      const p = pair(42, { loss, delay: 5 }, { client: { receiveWindow }, server: { receiveWindow } })
      const { milliseconds, retransmits } = await transfer(p, 1_000_000, 0)
      rows.push(
        `${(loss * 100).toFixed(1).padStart(4)}% ${String(receiveWindow).padStart(6)} ${String(milliseconds).padStart(8)} ${String(retransmits).padStart(12)} ${String(p.client.counters.tcpFastRetransmits).padStart(5)}`,
      )
    }
  }
  t.snapshot(rows.join('\n'))
  t.log(rows.join('\n'))
})

test('one megabyte over 20 ms by loss, for peers without and with selective acknowledgments: the mean of eight wires', async t => {
  const rows = ['loss  SACK       ms  kB/s  retransmits  timeouts']
  for (const loss of [0.01, 0.03, 0.05]) {
    for (const sack of [false, true]) {
      const sums = [0, 0, 0]
      for (let seed = 1; seed <= 8; seed++) {
        const p = pair(seed, { loss, delay: 20 })
        if (!sack) p.wire.filter = frame => withoutOption(frame, 4)
        const { milliseconds, retransmits, timeouts } = await transfer(p, 1_000_000, 0)
        for (const [i, value] of [milliseconds, retransmits, timeouts].entries()) sums[i] += value / 8
      }
      const [milliseconds, retransmits, timeouts] = sums
      rows.push(
        `${loss * 100}%    ${sack ? 'yes' : ' no'} ${milliseconds.toFixed(0).padStart(8)} ${(1e6 / milliseconds).toFixed(0).padStart(5)} ${retransmits.toFixed(0).padStart(12)} ${timeouts.toFixed(1).padStart(9)}`,
      )
    }
  }
  t.snapshot(rows.join('\n'))
  t.log(rows.join('\n'))
})

test('both ways at once over wires with every kind of trouble', async t => {
  const troubles: [string, WireConditions][] = [
    ['clean', {}],
    ['reordering', { reordering: 0.3, jitter: 8 }],
    ['duplication', { duplication: 0.3 }],
    ['corruption', { corruption: 0.05 }],
    ['narrow with a short queue', { rate: 125, queue: 20_000, delay: 20 }],
    ['all', { loss: 0.05, reordering: 0.2, duplication: 0.1, corruption: 0.02, delay: 3, jitter: 20 }],
  ]
  const rows = ['wire                            ms  retransmits']
  for (const [name, conditions] of troubles) {
    const { milliseconds, retransmits } = await transfer(pair(5, conditions), 200_000, 200_000)
    rows.push(`${name.padEnd(26)} ${String(milliseconds).padStart(7)} ${String(retransmits).padStart(12)}`)
  }
  t.snapshot(rows.join('\n'))
  t.log(rows.join('\n'))
})

test('whatever the wire does, what arrives is what was sent', async t => {
  const chance = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 100 }).map(n => (n * most) / 100)
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        loss: chance(0.25),
        duplication: chance(0.3),
        reordering: chance(0.5),
        corruption: chance(0.1),
        delay: chance(50),
        jitter: chance(100),
      }),
      fc.integer(),
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 1000, max: 100_000 }),
      fc.boolean(),
      async (conditions, seed, up, down, receiveWindow, offload) => {
        await transfer(pair(seed, conditions, { server: { receiveWindow } }, { offload }), up, down)
      },
    ),
    runs({ few: 150, cost: 100, seed: 20 }),
  )
  t.pass()
})

test('a device that cuts large frames gets them, a good deal fewer, and what is lost of one is sent again', async t => {
  for (const loss of [0, 0.02]) {
    const p = pair(9, { loss }, {}, { offload: true })
    const before = p.clientDevice.large
    const { retransmits } = await transfer(p, 1_000_000, 0)
    t.is(before, 0)
    t.is(retransmits === 0, loss === 0)
    t.true(p.clientDevice.large > 16)
    if (loss === 0) t.true(p.client.counters.framesOut < 150, `${p.client.counters.framesOut} frames for a megabyte`)
  }
})

test('few frames in the device: senders wait for free ones and lose nothing', async t => {
  const { World } = await import('../testing/world.ts')
  const { Wire } = await import('../testing/wire.ts')
  const { createStack } = await import('../stack.ts')
  const world = new World(3)
  const wire = new Wire(world)
  const [clientDevice, serverDevice] = ['02:00:00:00:00:01', '02:00:00:00:00:02'].map(mac => wire.device(mac, { frames: 2 }))
  const client = createStack(world.machine('client'), clientDevice, { address: '10.0.0.1', prefix: 24 })
  const server = createStack(world.machine('server'), serverDevice, { address: '10.0.0.2', prefix: 24 })
  await transfer({ world, wire, client, server, clientDevice, serverDevice }, 100_000, 100_000, 20_000)
  t.pass()
})
