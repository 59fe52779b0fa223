/** What the RFCs demand of segments, one by one, against a peer that speaks raw TCP. */
import test from 'ava'
import { raw } from '../testing/raw.ts'
import { session, text } from '../testing/session.ts'
import { ACK, PSH, RST, SYN } from '../wire/tcp.ts'

test('segments for nobody are answered with the RST of RFC 9293 section 3.10.7.1; an RST never is', async t => {
  const { world, peer, stack } = raw()
  peer.tcp({ seq: 100, flags: SYN, payload: text('x') })
  peer.tcp({ seq: 100, ack: 555, flags: ACK })
  peer.tcp({ seq: 100, flags: RST })
  peer.tcp({ seq: 100, ack: 5, flags: RST | ACK })
  await world.run(5)
  t.deepEqual(
    peer.segments().map(({ seq, ack, flags }) => [seq, ack, flags]),
    [
      [0, 102, RST | ACK],
      [555, 0, RST],
    ],
  )
  t.is(stack.counters.tcpNoConnection, 4)
})

test('data is delivered in order, acknowledged late when it is little and at once when it is two segments', async t => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: ACK | PSH, payload: text('one') })
  await s.world.run(5)
  t.deepEqual(s.events, ['data one'])
  t.is(s.peer.segments().length, 0)
  await s.world.run(45)
  t.deepEqual(
    s.peer.segments().map(({ ack, payload }) => [ack, payload.length]),
    [[1004, 0]],
  )
  s.peer.tcp({ seq: 1004, ack: s.iss, payload: new Uint8Array(536) })
  s.peer.tcp({ seq: 1540, ack: s.iss, payload: new Uint8Array(536) })
  await s.world.run(5)
  t.deepEqual(
    s.peer.segments().map(({ ack }) => ack),
    [2076],
  )
})

test('data beyond a hole is kept, each such segment is answered at once with what is missing and, if understood, what is there', async t => {
  const s = await session({ options: [4, 2, 0, 0] })
  s.peer.segments()
  for (const [seq, word] of [
    [1004, 'two'],
    [1010, 'four'],
    [1007, '333'],
  ] as const) {
    s.peer.tcp({ seq, ack: s.iss, payload: text(word) })
    await s.world.run(2)
  }
  t.deepEqual(s.events, [])
  const answers = s.peer.segments()
  const blocks = ({ options }: { options: number[] }): number[] => {
    const view = Buffer.from(options)
    return Array.from({ length: (view.length - 4) / 4 }, (_, i) => view.readUInt32BE(4 + 4 * i))
  }
  t.deepEqual(
    answers.map(answer => [answer.ack, ...blocks(answer)]),
    [
      [1001, 1004, 1007],
      [1001, 1010, 1014, 1004, 1007],
      [1001, 1004, 1014],
    ],
  )
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('one') })
  await s.world.run(2)
  t.deepEqual(s.events, ['data one', 'data two', 'data 333', 'data four'])
  t.is(s.peer.segments().at(-1)!.ack, 1014)
  t.is(s.stack.tcp.memory.used, 0)
})

test('overlaps are cut: every byte is delivered once', async t => {
  const s = await session()
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('abcd') })
  s.peer.tcp({ seq: 1003, ack: s.iss, payload: text('cdef') })
  s.peer.tcp({ seq: 1009, ack: s.iss, payload: text('ij') })
  s.peer.tcp({ seq: 1008, ack: s.iss, payload: text('hijk') })
  s.peer.tcp({ seq: 1006, ack: s.iss, payload: text('fgh') })
  await s.world.run(20)
  t.is(s.events.map(event => event.slice(5)).join(''), 'abcdefghijk')
})

test('out-of-order data is bounded in segments and in memory of all connections', async t => {
  const s = await session({ limits: { receiveMemory: 20_000 } })
  for (let i = 0; i < 400; i++) {
    s.peer.tcp({ seq: 1003 + i * 2, ack: s.iss, payload: text('x') })
    await s.world.run(1)
  }
  t.true(s.stack.tcp.memory.used <= 20_000)
  t.true(s.stack.counters.tcpNoMemory > 100)
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: RST | ACK })
  await s.world.run(2)
  t.is(s.stack.tcp.memory.used, 0)
})

test('RST: only the exact sequence number resets; one within the window asks for a challenge, one outside is ignored (RFC 5961)', async t => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001 + 70_000 * 8, flags: RST })
  await s.world.run(2)
  t.is(s.peer.segments().length, 0)
  s.peer.tcp({ seq: 1002, flags: RST })
  s.peer.tcp({ seq: 1003, flags: RST })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ flags, ack }) => [flags, ack]),
    [[ACK, 1001]],
    'one challenge, not two: they are rationed',
  )
  t.is(s.state(), 'ESTABLISHED')
  s.peer.tcp({ seq: 1001, flags: RST })
  await s.world.run(2)
  t.deepEqual(s.events, ['closed ECONNRESET'])
  t.is(s.stack.tcp.connections, 0)
})

test('SYN on an established connection is answered with a challenge and changes nothing', async t => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, flags: SYN })
  await s.world.run(2)
  s.peer.tcp({ seq: 99_999, flags: SYN })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ flags, ack }) => [flags, ack]),
    [[ACK, 1001]],
  )
  t.is(s.state(), 'ESTABLISHED')
})

test('acknowledgments of what was never sent, or far too old, are challenged and their data is not taken', async t => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, payload: text('evil') })
  await s.world.run(600)
  s.peer.tcp({ seq: 1001, ack: s.iss - 70_000, payload: text('evil') })
  await s.world.run(2)
  t.deepEqual(s.events, [])
  t.is(s.peer.segments().length, 2)
})

test('segments without ACK are dropped', async t => {
  const s = await session()
  s.peer.tcp({ seq: 1001, flags: PSH, payload: text('x') })
  await s.world.run(2)
  t.deepEqual(s.events, [])
})
