/** Connections with promises: whatever a program waits for ends when the connection does, from either side. */
import test from 'ava'
import { pair } from '../testing/pair.ts'
import type { TcpStream } from './stream.ts'

async function connected() {
  const p = pair(5)
  let server!: TcpStream
  void p.server.tcp.listen({ port: 7 }, connection => {
    server = connection
  })
  let client!: TcpStream
  void p.client.tcp.connect({ host: '10.0.0.2', port: 7 }).then(connection => {
    client = connection
  })
  await p.world.run(100, () => client !== undefined && server !== undefined)
  return { ...p, a: client, b: server }
}

/** What became of a promise so far. */
function outcome(promise: Promise<unknown>): { text: string } {
  const result = { text: 'pending' }
  promise.then(
    value => {
      result.text = String(value)
    },
    error => {
      result.text = error.code ?? String(error)
    },
  )
  return result
}

test('close ends a read that waits, and those that come later', async t => {
  const { world, a } = await connected()
  const reads = [a.read(), a.read()].map(outcome)
  a.close()
  reads.push(outcome(a.read()))
  await world.run(0)
  t.deepEqual(
    reads.map(({ text }) => text),
    ['undefined', 'undefined', 'undefined'],
  )
})

test('a write after both sides have closed is refused, not lost without a word', async t => {
  const { world, a, b } = await connected()
  a.end()
  b.end()
  await world.run(1000)
  t.is(outcome(a.closed).text, 'pending')
  const results = [a, b].flatMap(one => [outcome(one.closed), outcome(one.write(new Uint8Array(1))), outcome(one.read())])
  await world.run(0)
  t.deepEqual(
    results.map(({ text }) => text),
    ['undefined', 'EPIPE', 'undefined', 'undefined', 'EPIPE', 'undefined'],
  )
})

test('a reset ends a read and writes that wait, and a peer that vanishes ends the writes in time', async t => {
  for (const vanishes of [false, true]) {
    const { world, wire, a, b } = await connected()
    const results = [outcome(a.read()), outcome(a.closed)]
    for (let i = 0; i < 10; i++) results.push(outcome(a.write(new Uint8Array(100_000))))
    await world.run(1000)
    t.is(results.at(-1)!.text, 'pending')
    if (vanishes) wire.filter = () => false
    else b.abort()
    await world.run(vanishes ? 3_600_000 : 1000)
    const code = vanishes ? 'ETIMEDOUT' : 'ECONNRESET'
    t.deepEqual(
      results.map(({ text }) => text).filter(text => text !== 'undefined'),
      results
        .slice(0, 2)
        .map(() => code)
        .concat(Array(results.filter(({ text }) => text === code).length - 2).fill(code)),
    )
    t.true(results.filter(({ text }) => text === code).length > 5)
  }
})
