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
      result.text = value instanceof Uint8Array && value.length > 1 ? new TextDecoder().decode(value) : String(value)
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

test('back-pressure: a write waits while the buffer is full, and goes on when half of it is free; several writers wait in turn', async t => {
  const { world, a, b } = await connected()
  const results: { text: string }[] = []
  for (let i = 0; i < 12; i++) results.push(outcome(a.write(new Uint8Array(50_000).fill(i))))
  await world.run(500)
  t.deepEqual(
    results.map(({ text }) => text),
    results.map((_, i) => (i < 2 ? 'undefined' : 'pending')),
    '128 KiB may wait; what the window of a peer lets pass who reads nothing does not make enough room',
  )
  let read = 0
  const take = async (upTo: number): Promise<void> => {
    while (read < upTo) {
      const waiting = b.read()
      await world.run(20)
      const part = (await waiting)!
      if (part.some((byte, i) => byte !== Math.floor((read + i) / 50_000))) t.fail(`wrong bytes at ${read}`)
      read += part.length
    }
  }
  await take(300_000)
  await world.run(500)
  t.is(results.filter(({ text }) => text === 'undefined').length, 12, 'once there is room, all may go on')
  await take(600_000)
  t.is(read, 600_000)
})

test('deadlines: a read that nothing comes for rejects in time, and what comes later is for the next one', async t => {
  const { world, a, b } = await connected()
  const controller = new AbortController()
  const reads = [
    a.read({ timeout: 100 }),
    a.read({ signal: controller.signal }),
    a.read({ timeout: 5000 }),
    a.read({ timeout: Infinity }),
  ].map(outcome)
  await world.run(200)
  t.deepEqual(
    reads.map(({ text }) => text),
    ['ETIMEDOUT', 'pending', 'pending', 'pending'],
  )
  controller.abort(new Error('enough'))
  await world.run(0)
  t.is(reads[1].text, 'Error: enough')
  await b.write(Uint8Array.of(1))
  await world.run(50)
  await b.write(Uint8Array.of(2))
  await world.run(50)
  t.deepEqual(
    reads.slice(2).map(({ text }) => text),
    ['1', '2'],
  )
  const late = outcome(a.read({ timeout: 10 }))
  await world.run(20)
  await b.write(Uint8Array.of(3))
  await world.run(50)
  t.is(late.text, 'ETIMEDOUT')
  t.deepEqual(await a.read({ timeout: 10 }), Uint8Array.of(3))
  t.is(await outcomeOf(world, a.read({ signal: AbortSignal.abort(new Error('before')) })), 'Error: before')
  for (const timeout of [-1, NaN]) t.regex(await outcomeOf(world, a.read({ timeout })), /RangeError: timeout .*: it must be a number/)
  await t.throwsAsync(
    (async () => {
      const read = a.read({ timeout: 10 })
      void world.run(20)
      await read
    })(),
    { message: 'connection to 10.0.0.2:7: nothing came within 0.01 s' },
  )
})

test('deadlines: a write that the peer does not take in time rejects, its bytes stay queued; nothing is queued when it was too late already', async t => {
  const { world, a, b } = await connected()
  const controller = new AbortController()
  const first = outcome(a.write(new Uint8Array(500_000), { timeout: 300 }))
  const second = outcome(a.write(new Uint8Array(1), { signal: controller.signal }))
  await world.run(200)
  t.deepEqual([first.text, second.text], ['pending', 'pending'])
  controller.abort(new Error('enough'))
  await world.run(200)
  t.deepEqual([first.text, second.text], ['ETIMEDOUT', 'Error: enough'])
  t.is(await outcomeOf(world, a.write(new Uint8Array(7), { signal: AbortSignal.abort(new Error('before')) })), 'Error: before')
  a.end()
  let read = 0
  for (;;) {
    const part = b.read()
    await world.run(20)
    const bytes = await part
    if (bytes === undefined) break
    read += bytes.length
  }
  t.is(read, 500_001)
})

test('deadlines leave no timer and no listener behind, and the end of the connection comes first', async t => {
  const { world, a, b } = await connected()
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  Object.assign(signal, {
    addEventListener: (...args: Parameters<typeof add>) => (listeners++, add(...args)),
    removeEventListener: (...args: Parameters<typeof remove>) => (listeners--, remove(...args)),
  })
  const got = outcome(a.read({ timeout: 60_000, signal }))
  await b.write(Uint8Array.of(9))
  await world.run(50)
  t.is(got.text, '9')
  const lost = outcome(a.read({ timeout: 60_000, signal }))
  b.abort()
  await world.run(50)
  t.is(lost.text, 'ECONNRESET')
  t.is(listeners, 0)
})

/** What becomes of a promise within a moment. */
async function outcomeOf(world: { run(limit: number): Promise<boolean> }, promise: Promise<unknown>): Promise<string> {
  const result = outcome(promise)
  await world.run(0)
  return result.text
}

const actions = ['nothing', 'end', 'close', 'abort'] as const
type Action = (typeof actions)[number]

/** What a side that does `mine` sees of one that does `theirs`: two reads, a write after both have acted, and `closed` a second later. */
function expectation(mine: Action, theirs: Action, atOnce: boolean, isFirst: boolean, peer: string): string {
  const isReset = theirs === 'abort' && (mine !== 'abort' || (!atOnce && !isFirst))
  if (isReset) {
    // What has arrived before the reset can be read, but for a side that has let go.
    const first = mine !== 'close' ? peer : atOnce || isFirst ? 'undefined' : 'ECONNRESET'
    return `${first} ${first === 'undefined' ? first : 'ECONNRESET'} ECONNRESET ECONNRESET`
  }
  if (mine === 'abort') return `${atOnce || isFirst ? 'ECONNABORTED' : peer} ECONNABORTED ECONNABORTED ECONNABORTED`
  const reads = mine === 'close' ? 'undefined undefined' : `${peer} ${theirs === 'nothing' ? 'more' : 'undefined'}`
  const closed = mine === 'nothing' || theirs === 'nothing' ? 'pending' : 'undefined'
  return `${reads} ${mine === 'nothing' ? 'undefined' : 'EPIPE'} ${closed}`
}

for (const atOnce of [false, true]) {
  test(`half-close and abort, every pair of what two sides do ${atOnce ? 'at the same time' : 'one after the other'}: what each side reads, may write, and learns in the end`, async t => {
    for (const ofA of actions) {
      for (const ofB of actions) {
        const { world, a, b, client, server } = await connected()
        const act = (side: TcpStream, action: Action): void => {
          if (action !== 'nothing') side[action]()
        }
        const words = (side: string): Uint8Array => new TextEncoder().encode(side)
        await Promise.all([a.write(words('from-a')), b.write(words('from-b'))])
        act(a, ofA)
        if (!atOnce) await world.run(50)
        act(b, ofB)
        const reads = [a, b].map(side => [outcome(side.read()), outcome(side.read())])
        await world.run(50)
        const writes = [a, b].map(side => outcome(side.write(words('more'))))
        const ends = [a, b].map(side => outcome(side.closed))
        await world.run(1000)
        const seen = [0, 1].map(i => [...reads[i], writes[i], ends[i]].map(({ text }) => text).join(' '))
        const expected = [expectation(ofA, ofB, atOnce, true, 'from-b'), expectation(ofB, ofA, atOnce, false, 'from-a')]
        t.deepEqual(seen, expected, `${ofA}, ${ofB}`)
        await world.run(200_000)
        const left = ofA === 'nothing' && ofB === 'nothing' ? 1 : 0
        const half = (ofA === 'end' && ofB === 'nothing') || (ofA === 'nothing' && ofB === 'end')
        t.deepEqual([client.tcp.connections, server.tcp.connections], half ? [1, 1] : [left, left], `${ofA}, ${ofB}: what is left`)
      }
    }
  })
}
