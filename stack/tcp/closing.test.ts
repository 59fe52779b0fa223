/** How connections end, segment by segment. */
import test from 'ava'
import { pair } from '../testing/pair.ts'
import { raw } from '../testing/raw.ts'
import { record, session, text, write } from '../testing/session.ts'
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts'

test('a peer that closes: end, our end, LAST-ACK, gone', async t => {
  const s = await session()
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: ACK | FIN, payload: text('bye') })
  await s.world.run(2)
  t.deepEqual(s.events, ['data bye', 'end'])
  t.is(s.state(), 'CLOSE-WAIT')
  t.is(s.peer.segments().at(-1)!.ack, 1005)
  write(s.socket, 'answer')
  s.socket.end()
  await s.world.run(2)
  const sent = s.peer.segments()
  t.is(sent.map(({ payload }) => payload.toString()).join(''), 'answer')
  t.is(sent.at(-1)!.flags & FIN, FIN)
  t.is(s.state(), 'LAST-ACK')
  s.peer.tcp({ seq: 1005, ack: s.iss + 7 })
  await s.world.run(2)
  t.deepEqual(s.events.slice(2), ['closed '])
  t.is(s.stack.tcp.connections, 0)
})

test('closing first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for a minute, in which a repeated FIN is acknowledged again', async t => {
  const s = await session()
  s.socket.end()
  t.is(s.state(), 'FIN-WAIT-1')
  await s.world.run(2)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1 })
  await s.world.run(2)
  t.is(s.state(), 'FIN-WAIT-2')
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, payload: text('late') })
  s.peer.tcp({ seq: 1005, ack: s.iss + 1, flags: FIN | ACK })
  await s.world.run(2)
  t.is(s.state(), 'TIME-WAIT')
  t.deepEqual(s.events, ['data late', 'end', 'closed '])
  t.is(s.peer.segments().at(-1)!.ack, 1006)
  s.peer.tcp({ seq: 1005, ack: s.iss + 1, flags: FIN | ACK })
  s.peer.tcp({ seq: 1006, flags: RST }) // RFC 1337
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ ack, flags }) => [ack, flags]),
    [[1006, ACK]],
  )
  await s.world.run(59_000)
  t.is(s.stack.tcp.connections, 1)
  await s.world.run(2_000)
  t.is(s.stack.tcp.connections, 0)
})

test('both close at the same time: CLOSING, TIME-WAIT', async t => {
  const s = await session()
  s.socket.end()
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: FIN | ACK })
  await s.world.run(2)
  t.is(s.state(), 'CLOSING')
  s.peer.tcp({ seq: 1002, ack: s.iss + 1 })
  await s.world.run(2)
  t.is(s.state(), 'TIME-WAIT')
})

test('two of our stacks far from each other close at the same time: they do not go on acknowledging acknowledgments in TIME-WAIT', async t => {
  const { world, wire, client, server } = pair(2, { delay: 600 })
  void server.tcp.listen({ port: 7 }, connection => world.at(5000 - world.now, () => connection.end()))
  const connecting = client.tcp.connect({ host: '10.0.0.2', port: 7 })
  await world.run(3000)
  const connection = await connecting
  world.at(5000 - world.now, () => connection.end())
  const before = wire.carried
  wire.conditions = { delay: 600, duplication: 1 }
  await world.run(30_000)
  t.deepEqual([client.tcp.timeWaiting, server.tcp.timeWaiting], [1, 1])
  t.true(wire.carried - before < 20, `${wire.carried - before} frames`)
})

test('in TIME-WAIT what is out of order is answered, what is in order and says nothing is not', async t => {
  const s = await session()
  s.socket.end()
  await s.world.run(2)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, flags: FIN | ACK })
  await s.world.run(2)
  s.peer.segments()
  s.peer.tcp({ seq: 1002, ack: s.iss + 1 })
  await s.world.run(2)
  t.is(s.peer.segments().length, 0)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, payload: text('old') })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ ack, flags }) => [ack, flags]),
    [[1002, ACK]],
  )
})

test("a new SYN above the old connection's numbers ends TIME-WAIT and begins a connection; an old one does not", async t => {
  const s = await session()
  s.socket.end()
  await s.world.run(2)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, flags: FIN | ACK })
  await s.world.run(2)
  s.peer.segments()
  s.peer.tcp({ seq: 500, flags: SYN })
  await s.world.run(2)
  t.is(s.peer.segments()[0].flags, ACK)
  s.peer.tcp({ seq: 5000, flags: SYN })
  await s.world.run(2)
  const [synAck] = s.peer.segments()
  t.is(synAck.flags, SYN | ACK)
  t.is(synAck.ack, 5001)
  t.true(((synAck.seq - s.iss) | 0) > 0, 'RFC 6528: the new number is above the old one')
})

test('a client that uses its port again with a lower number while we wait: its exact reset ends the wait, and its next SYN connects', async t => {
  const s = await session()
  s.socket.end()
  await s.world.run(2)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, flags: FIN | ACK })
  await s.world.run(2)
  t.is(s.state(), 'TIME-WAIT')
  s.peer.segments()
  s.peer.tcp({ seq: 500, flags: SYN })
  await s.world.run(2)
  const [challenge] = s.peer.segments()
  t.deepEqual([challenge.flags, challenge.ack], [ACK, 1002])
  s.peer.tcp({ seq: 1003, flags: RST })
  await s.world.run(2)
  t.is(s.stack.tcp.connections, 1, 'one that is not exact ends nothing')
  s.peer.tcp({ seq: challenge.ack, flags: RST }) // what any client in SYN-SENT answers (RFC 9293 section 3.10.7.3)
  await s.world.run(2)
  t.is(s.stack.tcp.connections, 0)
  s.peer.tcp({ seq: 500, flags: SYN })
  await s.world.run(2)
  const [synAck] = s.peer.segments()
  t.deepEqual([synAck.flags, synAck.ack], [SYN | ACK, 501])
})

test('TIME-WAIT is bounded: the oldest ends early', async t => {
  const { world, peer, stack } = raw({ limits: { timeWait: 10 } })
  stack.tcp.bind(80, {}, socket => ({ ...record([]), onData: () => (socket.end(), 0) }))
  for (let i = 0; i < 30; i++) {
    const sourcePort = 6000 + i
    peer.tcp({ sourcePort, seq: 0, flags: SYN })
    await world.run(2)
    const { seq } = peer.segments().at(-1)!
    peer.tcp({ sourcePort, seq: 1, ack: seq + 1, payload: text('x') })
    await world.run(2)
    peer.tcp({ sourcePort, seq: 2, ack: seq + 2, flags: FIN | ACK })
    await world.run(2)
  }
  t.is(stack.tcp.timeWaiting, 10)
  t.is(stack.tcp.connections, 10)
  t.is(stack.counters.tcpTimeWaitEvicted, 20)
})

test('closing the stack resets its connections and gives everything back', async t => {
  const s = await session({ kept: 100 })
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('unread') })
  await s.world.run(2)
  s.peer.segments()
  s.stack.close()
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ flags }) => flags),
    [RST | ACK],
  )
  t.is(s.stack.tcp.memory.used, 0)
  t.is(s.stack.tcp.connections, 0)
  await s.world.run(100_000)
  t.is(s.world.pending, 0, 'no timer is left')
})

test('a handler that throws costs its connection, not the domain', async t => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => ({
    ...record([]),
    onData() {
      throw new Error('a bug')
    },
  }))
  peer.tcp({ seq: 0, flags: SYN })
  await world.run(5)
  const [{ seq }] = peer.segments()
  peer.tcp({ seq: 1, ack: seq + 1, payload: text('x') })
  await world.run(5)
  t.deepEqual(
    peer.segments().map(({ flags }) => flags),
    [RST | ACK],
  )
  t.true(world.logLines.some(line => line.includes('connection from 10.0.0.1:5000 to port 80 is reset: Error: a bug')))
  t.is(stack.tcp.connections, 0)
})
