/** Selective acknowledgments from the sender's side (RFC 2018, 2883, 6675, 8985): recovery segment by segment. */
import test from 'ava'
import { type Session, session, write } from '../testing/session.ts'

const SACK_PERMITTED = [4, 2, 0, 0]
const MSS = [2, 4, 3, 0xe8] // 1000

/** A SACK option of ranges of bytes, counted from the first one sent. */
function blocks(s: Session, ...ranges: [number, number][]): number[] {
  const edges = ranges.flat().map(edge => (s.iss + edge) >>> 0)
  return [1, 1, 5, 2 + 4 * edges.length, ...edges.flatMap(edge => [edge >>> 24, (edge >>> 16) & 255, (edge >>> 8) & 255, edge & 255])]
}

/** What was sent since the last call: first byte and length of each segment. */
const sent = (s: Session): [number, number][] => s.peer.segments().map(({ seq, payload }) => [(seq - s.iss) | 0, payload.length])

/** A session that has sent `count` segments of 1000 bytes. */
async function inFlight(count: number): Promise<Session> {
  const s = await session({ options: [...MSS, ...SACK_PERMITTED] })
  s.peer.segments()
  write(s.socket, new Uint8Array(1000 * count))
  await s.world.run(2)
  const all = sent(s)
  if (all.length !== count) throw new Error(`${all.length} segments`)
  return s
}

async function acknowledge(s: Session, upTo: number, ...ranges: [number, number][]): Promise<void> {
  s.peer.tcp({ seq: 1001, ack: s.iss + upTo, options: ranges.length > 0 ? blocks(s, ...ranges) : [] })
  await s.world.run(1)
}

test('two holes in one window: both are sent again in one round trip, nothing else is, and what is new goes on', async t => {
  const s = await inFlight(10)
  await acknowledge(s, 1000, [2000, 3000], [6000, 7000])
  t.deepEqual(
    sent(s),
    [
      [1000, 1000],
      [3000, 1000],
      [4000, 1000],
    ],
    'a quarter of a round trip later, as many as the window has room for',
  )
  await acknowledge(s, 1000, [6000, 10_000], [2000, 3000])
  t.deepEqual(sent(s), [[5000, 1000]])
  await acknowledge(s, 4000, [6000, 10_000])
  t.deepEqual(sent(s), [], 'a partial acknowledgment sends nothing twice')
  await acknowledge(s, 10_000)
  t.deepEqual(sent(s), [])
  t.is(s.stack.counters.tcpRetransmits, 4)
  t.is(s.stack.counters.tcpTimeouts, 0)
  t.is(s.socket.flight, undefined, 'nothing is kept when nothing is missing')
  await s.world.run(5000)
  t.deepEqual(sent(s), [])
})

test('what was sent again and is lost again goes out once more when something later arrives, without waiting for the timer', async t => {
  const s = await inFlight(10)
  await acknowledge(s, 0, [1000, 5000])
  t.deepEqual(sent(s)[0], [0, 1000])
  write(s.socket, new Uint8Array(4000))
  await acknowledge(s, 0, [1000, 10_000])
  t.true(sent(s).some(([at]) => at === 10_000))
  await acknowledge(s, 0, [1000, 11_000])
  t.deepEqual(
    sent(s).filter(([at]) => at === 0),
    [[0, 1000]],
  )
  t.is(s.stack.counters.tcpTimeouts, 0)
})

test('a FIN in a hole is sent again as one', async t => {
  const s = await session({ options: [...MSS, ...SACK_PERMITTED] })
  write(s.socket, new Uint8Array(4500))
  s.socket.end()
  await s.world.run(2)
  s.peer.segments()
  for (const end of [2000, 3000, 4000]) await acknowledge(s, 0, [1000, end])
  await acknowledge(s, 4000)
  await s.world.run(300)
  const last = s.peer.segments().at(-1)!
  t.deepEqual([(last.seq - s.iss) | 0, last.payload.length, last.flags & 1], [4000, 500, 1])
})

test('the end of what was sent is lost as well: it goes out again as soon as what was sent later arrives, without waiting for the timer', async t => {
  const s = await inFlight(8)
  await acknowledge(s, 0, [1000, 6000])
  t.deepEqual(sent(s), [[0, 1000]])
  await s.world.run(3)
  await acknowledge(s, 6000)
  t.deepEqual(sent(s), [
    [6000, 1000],
    [7000, 1000],
  ])
  await acknowledge(s, 8000)
  t.is(s.stack.counters.tcpTimeouts, 0)
})

test('only the end is lost: it is probed for after two round trips, and the rest of it follows', async t => {
  const s = await inFlight(8)
  await acknowledge(s, 5000)
  await s.world.run(30)
  t.deepEqual(sent(s), [[7000, 1000]])
  t.is(s.stack.counters.tcpTailProbes, 1)
  await acknowledge(s, 5000, [7000, 8000])
  t.deepEqual(sent(s), [
    [5000, 1000],
    [6000, 1000],
  ])
  await acknowledge(s, 8000)
  await s.world.run(1000)
  t.deepEqual(sent(s), [])
  t.is(s.stack.counters.tcpTimeouts, 0)
})

test('a probe that mends a loss makes the window smaller, one that was not needed does not (RFC 8985 section 7.4)', async t => {
  const windows: number[] = []
  for (const wasLost of [true, false]) {
    const s = await inFlight(8)
    await acknowledge(s, 1000)
    await s.world.run(30)
    t.deepEqual(sent(s), [[7000, 1000]])
    await s.world.run(5)
    await acknowledge(s, 8000, ...(wasLost ? [] : [[7000, 8000] as [number, number]]))
    windows.push(s.socket.congestion.window)
  }
  const [lost, unneeded] = windows
  t.is(lost, Math.floor(0.7 * unneeded))
})

test('after a timeout only what is missing is sent again; after the next one all of it (RFC 2018 section 8)', async t => {
  const s = await inFlight(6)
  await acknowledge(s, 0, [1000, 2000], [3000, 4000])
  t.deepEqual(
    sent(s),
    [
      [0, 1000],
      [2000, 1000],
    ],
    'which does not arrive either',
  )
  await s.world.run(250)
  t.deepEqual(sent(s), [[0, 1000]])
  await acknowledge(s, 2000, [3000, 4000])
  t.deepEqual(
    sent(s),
    [
      [2000, 1000],
      [4000, 1000],
      [5000, 1000],
    ],
    'slow start, around what the peer has',
  )
  await s.world.run(10_000)
  t.true(sent(s).some(([at]) => at === 2000))
  await acknowledge(s, 3000)
  t.true(
    sent(s).some(([at]) => at === 3000),
    'what it said to have in the beginning is not believed any more',
  )
})

test('a peer that takes selective acknowledgments back gets the bytes again', async t => {
  const s = await inFlight(6)
  for (const end of [2000, 3000, 4000]) await acknowledge(s, 0, [1000, end])
  sent(s)
  await acknowledge(s, 1000)
  t.is(s.stack.counters.tcpSackReneged, 1)
  await s.world.run(20_000, () => false)
  const again = new Set(sent(s).map(([at]) => at))
  t.true(again.has(1000), `${[...again]}`)
  for (let at = 2000; at <= 6000; at += 1000) {
    await acknowledge(s, at)
    await s.world.run(2)
  }
  t.is(s.state(), 'ESTABLISHED')
  t.is(s.socket.send.bytes, 0)
})

test('blocks that cannot be are counted and change nothing: never sent, upside down, below or at the acknowledgment, half an option', async t => {
  const s = await inFlight(4)
  for (const range of [
    [3000, 5000],
    [9000, 9500],
    [2000, 1000],
    [2000, 2000],
    [0, 1000],
    [-500, 1000],
    [1000, 0x7fffffff],
  ] as [number, number][]) {
    for (let i = 0; i < 4; i++) await acknowledge(s, 0, range)
  }
  t.is(s.socket.flight!.held, 0)
  t.is(s.stack.counters.tcpBadSacks, 28)
  for (const options of [
    [5, 10, 0, 0],
    [5, 2, 5, 3],
    [5, 200, 0, 0],
  ])
    s.peer.tcp({ seq: 1001, ack: s.iss, options })
  await s.world.run(1)
  t.deepEqual(sent(s), [], 'and they are no duplicates that tell of a loss')
})

test('duplicates that the peer reports (RFC 2883) are information: below its acknowledgment, or inside the block behind', async t => {
  const s = await inFlight(6)
  await acknowledge(s, 2000, [0, 1000])
  t.is(s.stack.counters.tcpRetransmits, 0)
  await acknowledge(s, 2000, [3000, 3500], [3000, 5000])
  t.is(s.stack.counters.tcpDuplicateSacks, 2)
  t.is(s.stack.counters.tcpBadSacks, 0)
  t.is(s.socket.flight!.held, 2000)
})

test('a hostile receiver that tells a new crumb with each segment makes us send each byte again once a recovery, no more', async t => {
  const s = await inFlight(10)
  for (let round = 0; round < 3; round++) {
    for (let at = 1010; at < 10_000; at += 20) {
      s.peer.tcp({ seq: 1001, ack: s.iss, options: blocks(s, [at, at + 10]) })
      if (at % 100 === 10) await s.world.run(1)
    }
  }
  const bytes = sent(s).reduce((sum, [, length]) => sum + length, 0)
  t.true(bytes <= 10_000, `${bytes} bytes`)
})

test('a peer that did not permit them is not listened to', async t => {
  const s = await session({ options: MSS })
  write(s.socket, new Uint8Array(5000))
  await s.world.run(2)
  sent(s)
  for (const end of [2000, 3000, 4000]) await acknowledge(s, 0, [1000, end])
  t.is(s.socket.flight, undefined)
  t.deepEqual(sent(s), [[0, 1000]], 'three duplicates are what they always were')
})
