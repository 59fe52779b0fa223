/**
 * What losses cost: a megabyte over wires that lose, reorder and lose in bursts, and answers whose ends are lost, on a virtual clock. The
 * table is kept as a snapshot, with the mean of eight wires each: what a change does is a difference of text (`npx ava -u`).
 */
import test from 'ava'
import { type Pair, pair, pattern } from '../testing/pair.ts'
import type { SimulatedDevice, WireConditions } from '../testing/wire.ts'
import type { TcpStream } from './stream.ts'

interface Row {
  readonly name: string
  readonly conditions: WireConditions
  /** Drops frames besides. */
  readonly drops?: (p: Pair) => Drops
}

type Drops = (frame: Uint8Array, from: SimulatedDevice) => boolean

/** Once in a while, eight of the sender's frames in a row. */
const bursts = (p: Pair): Drops => {
  let left = 0
  return (_, from) => {
    if (from !== p.clientDevice) return false
    if (left === 0 && p.world.random() < 0.002) left = 8
    return left > 0 && left-- > 0
  }
}

const rows: readonly Row[] = [
  ...[0, 0.001, 0.005, 0.01, 0.02, 0.05].map(loss => ({ name: `loss ${loss * 100} %`, conditions: { loss, delay: 20 } })),
  { name: 'bursts of 8', conditions: { delay: 20 }, drops: bursts },
  { name: 'reordering 1 %, 10 ms', conditions: { reordering: 0.01, jitter: 10, delay: 20 } },
  { name: 'reordering 30 %, 10 ms', conditions: { reordering: 0.3, jitter: 10, delay: 20 } },
  { name: 'reordering 30 %, loss 1 %', conditions: { reordering: 0.3, jitter: 10, loss: 0.01, delay: 20 } },
  { name: 'narrow, long queue', conditions: { rate: 1250, queue: 200_000, delay: 20 } },
  { name: 'narrow, short queue', conditions: { rate: 1250, queue: 30_000, delay: 20 } },
  { name: 'narrow, loss 1 %', conditions: { rate: 1250, queue: 60_000, loss: 0.01, delay: 20 } },
  { name: 'a link, loss 1 %', conditions: { loss: 0.01, delay: 0.2 } },
  { name: 'a link, loss 5 %', conditions: { loss: 0.05, delay: 0.2 } },
]

async function drained(stream: TcpStream): Promise<number> {
  let bytes = 0
  for (let part = await stream.read(); part !== undefined; part = await stream.read()) bytes += part.length
  return bytes
}

/** Milliseconds until a megabyte has arrived. */
async function deliver(p: Pair, size: number): Promise<number> {
  let arrived = -1
  void p.server.tcp.listen({ port: 7 }, async stream => {
    arrived = await drained(stream)
    stream.end()
  })
  const bytes = pattern(size)
  void (async () => {
    const stream = await p.client.tcp.connect({ host: '10.0.0.2', port: 7 })
    for (let at = 0; at < size; at += 8000) await stream.write(bytes.subarray(at, at + 8000))
    stream.end()
    await drained(stream)
  })()
  await p.world.run(600_000, () => arrived >= 0)
  if (arrived !== size) throw new Error(`${arrived} bytes arrived`)
  return p.world.now
}

const WIRES = 8
const columns = (name: string, ...values: readonly (number | string)[]): string =>
  `${name.padEnd(26)}${values.map(value => (typeof value === 'number' ? value.toFixed(value < 100 ? 1 : 0) : value).padStart(9)).join('')}`

test('a megabyte over wires with troubles', async t => {
  const table = [columns('', 'ms', 'kB/s', 'resent', 'lost', 'timeouts')]
  for (const { name, conditions, drops } of rows) {
    const sums = [0, 0, 0, 0]
    for (let seed = 1; seed <= WIRES; seed++) {
      const p = pair(seed, conditions)
      const drop = drops?.(p)
      if (drop !== undefined) p.wire.filter = (frame, from) => !drop(frame, from)
      const milliseconds = await deliver(p, 1_000_000)
      const { tcpRetransmits, tcpTimeouts } = p.client.counters
      for (const [i, value] of [milliseconds, tcpRetransmits, p.wire.lost, tcpTimeouts].entries()) sums[i] += value / WIRES
    }
    const [milliseconds, resent, lost, timeouts] = sums
    table.push(columns(name, milliseconds, 1e6 / milliseconds, resent, lost, timeouts))
  }
  t.snapshot(table.join('\n'))
  t.log(table.join('\n'))
})

test('answers whose last segments are lost once: the mean time until the answer is there', async t => {
  const table = [columns('segments, last ones lost', 'ms', 'timeouts')]
  for (const [segments, lost] of [
    [1, 0],
    [2, 1],
    [10, 0],
    [10, 1],
    [10, 3],
    [10, 5],
    [10, 9],
    [40, 5],
  ]) {
    const p = pair(1, { delay: 20 })
    const size = segments * 1448
    let left = 0
    // The frames of the answer by their sequence numbers; what is sent again gets through.
    const seen = new Set<number>()
    p.wire.filter = (frame, from) => {
      const sequence = Buffer.from(frame.buffer, frame.byteOffset).readUInt32BE(38)
      if (from !== p.serverDevice || frame.length < 200 || seen.has(sequence)) return true
      seen.add(sequence)
      return --left >= lost
    }
    const times: number[] = []
    void p.server.tcp.listen({ port: 7 }, async stream => {
      for (let asked = await stream.read(); asked !== undefined; asked = await stream.read()) {
        left = segments
        await stream.write(new Uint8Array(size))
      }
      stream.end()
    })
    void (async () => {
      const stream = await p.client.tcp.connect({ host: '10.0.0.2', port: 7 })
      for (let i = 0; i < 20; i++) {
        const begin = p.world.now
        await stream.write(new Uint8Array(1))
        for (let bytes = 0; bytes < size; ) bytes += (await stream.read())!.length
        times.push(p.world.now - begin)
      }
      stream.end()
    })()
    await p.world.run(600_000, () => times.length === 20)
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length
    table.push(columns(`${segments}, ${lost}`, mean, p.server.counters.tcpTimeouts))
  }
  t.snapshot(table.join('\n'))
  t.log(table.join('\n'))
})
