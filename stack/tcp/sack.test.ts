/** Selective acknowledgments from the sender's side (RFC 2018, 2883, 6675): the scoreboard beside a model, and recovery segment by segment. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { type Session, session, write } from '../testing/session.ts'
import { Scoreboard } from './scoreboard.ts'

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

test('the scoreboard is a set of numbers, near the wrap-around too', t => {
  const range = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 20 }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(range, fc.boolean(), fc.nat(10)), { maxLength: 40 }),
      fc.constantFrom(0, 0x7fffffd0, -20),
      (steps, base) => {
        const at = (n: number): number => (base + n) | 0
        const board = new Scoreboard(at(0))
        const model = new Set<number>()
        let una = 0
        for (const [[from, length], advances, by] of steps) {
          const begin = Math.max(from, una + 1)
          let news = false
          for (let i = begin; i < begin + length; i++) {
            if (!model.has(i)) news = true
            model.add(i)
          }
          if (board.add(at(begin), at(begin + length)) !== news) return false
          if (advances) {
            una += by
            for (const i of model) if (i < una) model.delete(i)
            if (board.advance(at(una)) === model.has(una)) return false
            if (model.has(una)) return true // taken back: nobody uses the board any more
          }
          if (board.isEmpty !== (model.size === 0)) return false
          for (let i = una; i < 120; i++) {
            let hole = i
            while (model.has(hole)) hole++
            if (board.holeFrom(at(i)) !== at(hole)) return false
            let end = hole
            while (end < 120 && !model.has(end)) end++
            if (board.holeEnd(at(hole), at(120)) !== at(end)) return false
          }
          let missing = 0
          for (let i = una; i < 120; i++) if (!model.has(i)) missing++
          if (board.pipe(at(una), at(120), at(una)) !== missing) return false
        }
        return true
      },
    ),
    runs({ few: 1000, seed: 3 }),
  )
  t.pass()
})

test('lost is what has three ranges above it, or more than two segments (RFC 6675 section 4)', t => {
  const board = new Scoreboard(0)
  const lost = (): number => board.lostBelow(1000)
  board.add(1000, 2000)
  t.is(lost(), 0)
  board.add(2000, 3000)
  t.is(lost(), 0, 'two segments are not enough')
  board.add(3000, 3001)
  t.is(lost(), 1000)
  const crumbs = new Scoreboard(0)
  for (const at of [100, 200, 300]) crumbs.add(at, at + 10)
  t.is(crumbs.lostBelow(1000), 100, 'three ranges, however small')
  crumbs.add(400, 410)
  t.is(crumbs.lostBelow(1000), 200)
})

test('a scoreboard is bounded, whatever a peer tells', t => {
  const board = new Scoreboard(0)
  let taken = 0
  for (let i = 1; i < 5000; i++) if (board.add(i * 10, i * 10 + 5)) taken++
  t.is(taken, 64)
  t.true(board.add(9, 100_000), 'what joins ranges has room always')
  t.is(board.holeFrom(9), 100_000)
})

test('two holes in one window: both are sent again in one round trip, nothing else is, and what is new goes on', async t => {
  const s = await inFlight(10)
  await acknowledge(s, 1000, [2000, 3000])
  await acknowledge(s, 1000, [2000, 4000])
  t.deepEqual(sent(s), [])
  await acknowledge(s, 1000, [2000, 4000], [5000, 6000])
  t.deepEqual(sent(s), [[1000, 1000]], 'the first, at the third sign')
  await acknowledge(s, 1000, [5000, 7000], [2000, 4000])
  await acknowledge(s, 1000, [5000, 8000], [2000, 4000])
  await acknowledge(s, 1000, [5000, 10_000], [2000, 4000])
  t.deepEqual(sent(s), [[4000, 1000]], 'the second hole before the first one was acknowledged')
  await acknowledge(s, 4000, [5000, 10_000])
  t.deepEqual(sent(s), [], 'a partial acknowledgment sends nothing twice')
  await acknowledge(s, 10_000)
  t.deepEqual(sent(s), [])
  t.is(s.stack.counters.tcpRetransmits, 2)
  t.is(s.stack.counters.tcpTimeouts, 0)
  t.is(s.socket.scoreboard, undefined, 'nothing is kept when nothing is missing')
  await s.world.run(5000)
  t.deepEqual(sent(s), [])
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

test('the end of what was sent is lost as well: it is sent once more, without waiting for the timer (NextSeg rule 4)', async t => {
  const s = await inFlight(8)
  await acknowledge(s, 0, [1000, 2000])
  await acknowledge(s, 0, [1000, 3000])
  await acknowledge(s, 0, [1000, 4000])
  t.deepEqual(sent(s), [[0, 1000]])
  await acknowledge(s, 0, [1000, 6000])
  t.deepEqual(sent(s), [[7000, 1000]], 'the last segment')
  await acknowledge(s, 6000, [7000, 8000])
  await acknowledge(s, 6000, [7000, 8000])
  t.is(s.stack.counters.tcpTimeouts, 0)
})

test('after a timeout only what is missing is sent again; after the next one all of it (RFC 2018 section 8)', async t => {
  const s = await inFlight(6)
  await acknowledge(s, 0, [1000, 2000], [3000, 4000])
  t.deepEqual(sent(s), [])
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
  t.is(s.socket.scoreboard, undefined)
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
  await acknowledge(s, 2000, [3000, 3500], [3000, 5000])
  t.is(s.stack.counters.tcpDuplicateSacks, 2)
  t.is(s.stack.counters.tcpBadSacks, 0)
  t.is(s.socket.scoreboard!.highest, (s.iss + 5000) | 0)
  t.is(s.stack.counters.tcpRetransmits, 0)
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
  t.is(s.socket.scoreboard, undefined)
  t.deepEqual(sent(s), [[0, 1000]], 'three duplicates are what they always were')
})
