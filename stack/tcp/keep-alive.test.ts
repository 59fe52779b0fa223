/** Peers that are gone without a word (RFC 9293 section 3.8.4): found by asking, where nothing else would notice. */
import test from 'ava'
import { pair } from '../testing/pair.ts'
import { session, text, write } from '../testing/session.ts'
import { ACK, FIN, RST } from '../wire/tcp.ts'

test('keep-alive is off unless it is asked for: a day of silence changes nothing', async t => {
  const s = await session()
  s.peer.segments()
  await s.world.run(86_400_000)
  t.is(s.state(), 'ESTABLISHED')
  t.is(s.peer.segments().length, 0)
})

test('a time that is none is refused: nothing would pass between two questions', async t => {
  const s = await session()
  for (const milliseconds of [0, -1, NaN]) t.throws(() => s.socket.keepAlive(milliseconds), { instanceOf: RangeError })
  s.socket.keepAlive(undefined)
})

test('a peer that is silent is asked, its answer is enough, and one that answers nothing is gone after five questions', async t => {
  const s = await session()
  s.peer.segments()
  s.socket.keepAlive(60_000)
  for (let minute = 0; minute < 10; minute++) {
    await s.world.run(59_000)
    t.is(s.peer.segments().length, 0)
    await s.world.run(1_100)
    t.deepEqual(
      s.peer.segments().map(({ seq, ack, flags, payload }) => [seq, ack, flags, payload.length]),
      [[s.iss - 1, 1001, ACK, 0]],
      'one below the window, without data: any peer must answer (RFC 1122 section 4.2.3.6)',
    )
    s.peer.tcp({ seq: 1001, ack: s.iss })
    await s.world.run(1)
  }
  const start = s.world.now
  await s.world.run(600_000, () => s.events.length > 0)
  t.deepEqual(s.events, ['closed ETIMEDOUT'])
  t.true(s.world.now - start > 100_000 && s.world.now - start < 125_000, `${s.world.now - start} ms`)
  await s.world.run(1)
  const sent = s.peer.segments()
  t.is(sent.filter(({ flags }) => flags === ACK).length, 5)
  t.is(sent.at(-1)!.flags & RST, RST)
  t.is(s.stack.tcp.connections, 0)
  await s.world.run(600_000)
  t.is(s.world.pending, 0)
})

test('a peer that speaks is not asked', async t => {
  const s = await session()
  s.socket.keepAlive(1_000)
  s.peer.segments()
  for (let i = 0; i < 30; i++) {
    s.peer.tcp({ seq: 1001 + i, ack: s.iss, payload: text('x') })
    await s.world.run(700)
  }
  t.true(s.peer.segments().every(({ seq }) => seq === s.iss))
})

test('it can be taken back, and begins anew with another time', async t => {
  const s = await session()
  s.socket.keepAlive(10_000)
  await s.world.run(11_000)
  s.peer.segments()
  s.socket.keepAlive(undefined)
  await s.world.run(1_000_000)
  t.is(s.peer.segments().length, 0)
  t.is(s.state(), 'ESTABLISHED')
  s.socket.keepAlive(500)
  await s.world.run(510)
  t.is(s.peer.segments().length, 1)
})

test('while data is in flight its repetitions find out, and no questions are added', async t => {
  const s = await session()
  s.socket.keepAlive(1_000)
  s.peer.segments()
  write(s.socket, 'hello')
  await s.world.run(60_000)
  t.true(s.peer.segments().every(({ payload }) => payload.toString() === 'hello'))
  t.is(s.state(), 'ESTABLISHED')
})

test('half closed, either way: who waits for the rest of a peer that is gone finds out as well', async t => {
  const closing = await session()
  closing.socket.keepAlive(60_000)
  closing.socket.end()
  await closing.world.run(2)
  closing.peer.tcp({ seq: 1001, ack: closing.iss + 1 })
  await closing.world.run(2)
  t.is(closing.state(), 'FIN-WAIT-2')
  await closing.world.run(200_000)
  t.deepEqual(closing.events, ['closed ETIMEDOUT'])

  const closed = await session()
  closed.socket.keepAlive(60_000)
  closed.peer.tcp({ seq: 1001, ack: closed.iss, flags: FIN | ACK })
  await closed.world.run(2)
  t.is(closed.state(), 'CLOSE-WAIT')
  await closed.world.run(200_000)
  t.deepEqual(closed.events, ['end', 'closed ETIMEDOUT'])
})

test('a reset, and the answer of a host that has lost the connection, end it at once', async t => {
  const s = await session()
  s.socket.keepAlive(60_000)
  await s.world.run(60_100)
  s.peer.segments()
  s.peer.tcp({ seq: 1001, flags: RST }) // the host was started anew: it resets what it does not know
  await s.world.run(1)
  t.deepEqual(s.events, ['closed ECONNRESET'])
})

test('a program that listens is rid of clients that vanished, unless it wants to wait for ever; and may watch over those it called', async t => {
  const { world, wire, client, server } = pair(3)
  const errors: unknown[] = []
  for (const [port, keepAlive] of [
    [7, undefined],
    [8, Infinity],
  ] as const) {
    void server.tcp.listen({ port, keepAlive }, connection => {
      connection.read().catch(error => errors.push([port, (error as { code: string }).code]))
    })
  }
  const connecting = [7, 8].map(port => client.tcp.connect({ host: '10.0.0.2', port }))
  await world.run(50)
  const [seven] = await Promise.all(connecting)
  await world.run(3_600_000)
  t.deepEqual(errors, [])
  seven.keepAlive(1_000)
  const lost = t.throwsAsync(seven.read(), { code: 'ETIMEDOUT', message: /10\.0\.0\.2:7 is lost, the peer answers no keep-alive/ })
  wire.filter = () => false
  await world.run(3_600_000)
  await lost
  t.deepEqual(errors, [[7, 'ETIMEDOUT']])
  t.deepEqual([client.tcp.connections, server.tcp.connections], [1, 1])
})
