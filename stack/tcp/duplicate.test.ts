/** What arrives twice: told to the sender (D-SACK, RFC 2883), and heard from the receiver, which undoes what was done for a loss that was none. */
import test from 'ava'
import { type Session, session, write } from '../testing/session.ts'

const SACK_PERMITTED = [4, 2, 0, 0]
const MSS = [2, 4, 3, 0xe8] // 1000
const big = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]

/** The blocks of an acknowledgment, as bytes from the peer's first on. */
function told(options: readonly number[]): [number, number][] {
  const view = new DataView(Uint8Array.from(options).buffer)
  for (let at = 0; at < options.length; at += options[at] === 1 ? 1 : options[at + 1]) {
    if (options[at] !== 5) continue
    return Array.from({ length: (options[at + 1] - 2) / 8 }, (_, i) => [
      view.getUint32(at + 2 + 8 * i) - 1001,
      view.getUint32(at + 6 + 8 * i) - 1001,
    ])
  }
  return []
}

/** What the acknowledgments say since the last look: up to where, and the blocks. */
const heard = (s: Session): [number, ...[number, number][]][] => s.peer.segments().map(({ ack, options }) => [ack - 1001, ...told(options)])

async function receiver(): Promise<Session> {
  const s = await session({ options: [...MSS, ...SACK_PERMITTED] })
  s.peer.segments()
  return s
}

async function arrives(s: Session, from: number, to: number): Promise<void> {
  s.peer.tcp({ seq: 1001 + from, ack: s.iss, payload: new Uint8Array(to - from) })
  await s.world.run(1)
}

test('a segment that was delivered comes again: its acknowledgment says so, once', async t => {
  const s = await receiver()
  await arrives(s, 0, 500)
  await arrives(s, 500, 1000)
  s.peer.segments()
  await arrives(s, 0, 500)
  t.deepEqual(heard(s), [[1000, [0, 500]]])
  await arrives(s, 1500, 2000)
  t.deepEqual(heard(s), [[1000, [1500, 2000]]])
})

test('a part of a segment was delivered: that part is told', async t => {
  const s = await receiver()
  await arrives(s, 0, 1000)
  s.peer.segments()
  await arrives(s, 400, 1400)
  t.deepEqual(heard(s), [[1400, [400, 1000]]])
})

test('a segment beyond a hole comes again: first what came twice, then the block around it (RFC 2883 section 4.2)', async t => {
  const s = await receiver()
  await arrives(s, 1000, 1500)
  await arrives(s, 1500, 2000)
  await arrives(s, 5000, 5500)
  s.peer.segments()
  await arrives(s, 1500, 2000)
  t.deepEqual(heard(s), [[0, [1500, 2000], [1000, 2000], [5000, 5500]]])
})

test('peers that did not permit it are told nothing', async t => {
  const s = await session({ options: MSS })
  s.peer.segments()
  await arrives(s, 0, 500)
  await arrives(s, 0, 500)
  t.true(heard(s).every(([, ...blocks]) => blocks.length === 0))
})

test('while the way is bad each segment is acknowledged at once, later every second again', async t => {
  const s = await receiver()
  await arrives(s, 0, 1000)
  t.deepEqual(heard(s), [], 'one alone waits')
  await arrives(s, 2000, 3000)
  await arrives(s, 1000, 2000)
  s.peer.segments()
  let at = 3000
  const next = async (): Promise<number> => {
    await arrives(s, at, (at += 1000))
    return heard(s).length
  }
  const each: number[] = []
  for (let i = 0; i < 24; i++) each.push(await next())
  t.deepEqual(each.slice(0, 12), Array(12).fill(1))
  t.deepEqual(
    each.slice(-4).reduce((sum, count) => sum + count, 0),
    2,
  )
})

/** A session that has sent ten segments of 1000 bytes, and the window before. */
async function sender(): Promise<{ s: Session; window: number }> {
  const s = await session({ options: [...MSS, ...SACK_PERMITTED] })
  write(s.socket, new Uint8Array(10_000))
  await s.world.run(2)
  s.peer.segments()
  return { s, window: s.socket.congestion.window }
}

async function says(s: Session, upTo: number, ...ranges: [number, number][]): Promise<void> {
  const edges = ranges.flat().flatMap(edge => big((s.iss + edge) >>> 0))
  s.peer.tcp({ seq: 1001, ack: s.iss + upTo, options: edges.length > 0 ? [1, 1, 5, 2 + edges.length, ...edges] : [] })
  await s.world.run(1)
}

test('all that was sent again had arrived: the window is what it was, and slow start goes on', async t => {
  const { s, window } = await sender()
  await says(s, 0, [1000, 5000])
  t.deepEqual([s.socket.congestion.window < window, s.socket.congestion.isRecovering, s.stack.counters.tcpRetransmits], [true, true, 1])
  await says(s, 5000) // it was only late
  await says(s, 5000, [0, 1000])
  t.deepEqual([s.stack.counters.tcpUndone, s.socket.congestion.isRecovering], [1, false])
  t.true(s.socket.congestion.window >= window)
  const before = s.socket.congestion.window
  write(s.socket, new Uint8Array(20_000))
  await says(s, 10_000)
  t.true(s.socket.congestion.window >= before + 5000, `${s.socket.congestion.window} after ${before}`)
})

test('a part of it had not: the loss was one', async t => {
  const { s, window } = await sender()
  await says(s, 0, [1000, 2000], [3000, 10_000])
  t.is(s.stack.counters.tcpRetransmits, 2)
  await says(s, 10_000, [0, 1000])
  t.is(s.stack.counters.tcpUndone, 0)
  t.true(s.socket.congestion.window < window)
})

test('a timeout for nothing is undone as well', async t => {
  const { s, window } = await sender()
  await s.world.run(300)
  const resent = s.stack.counters.tcpRetransmits
  t.true(s.stack.counters.tcpTimeouts === 1 && resent >= 1 && s.socket.congestion.window < window)
  await says(s, 10_000)
  for (let at = 0; at < resent; at++) await says(s, 10_000, at === 0 && resent > 1 ? [9000, 10_000] : [0, 1000])
  t.is(s.stack.counters.tcpUndone, 1)
  t.true(s.socket.congestion.window >= window)
})

test('what the peer says to have had twice without that it was sent again undoes nothing, however often', async t => {
  const { s } = await sender()
  for (let i = 0; i < 50; i++) await says(s, 5000, [0, 5000])
  t.is(s.stack.counters.tcpUndone, 0)
  const first = s.socket.congestion.window
  await says(s, 5000, [6000, 10_000])
  await says(s, 10_000)
  const { window } = s.socket.congestion
  for (let i = 0; i < 50; i++) await says(s, 10_000, [0, 5000])
  t.deepEqual([s.stack.counters.tcpUndone, s.socket.congestion.window, window < first], [0, window, true])
})
