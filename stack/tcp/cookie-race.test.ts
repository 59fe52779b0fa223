/** A SYN that was answered with a cookie comes again, for the answer took long, and there is room now: the client may hold either answer. */
import test from 'ava'
import type { ByteSocket } from '../socket.ts'
import { raw } from '../testing/raw.ts'
import { record, text } from '../testing/session.ts'
import { ACK, PSH, SYN } from '../wire/tcp.ts'

for (const held of ['first', 'second'] as const) {
  test(`the client acknowledges the ${held} answer: it is connected`, async t => {
    const { world, peer, stack } = raw()
    const events: string[] = []
    const sockets: ByteSocket[] = []
    stack.tcp.bind(80, { backlog: 1 }, socket => {
      sockets.push(socket)
      return record(events)
    })
    const answer = async (sourcePort: number, seq: number): Promise<number> => {
      peer.tcp({ sourcePort, seq, flags: SYN })
      await world.run(5)
      return peer.segments()[0].seq
    }
    const other = await answer(5001, 100)
    const cookie = await answer(5000, 1000)
    t.is(stack.counters.tcpSynCookies, 1)
    peer.tcp({ sourcePort: 5001, seq: 101, ack: other + 1 })
    await world.run(5)
    const usual = await answer(5000, 1000)
    t.not(usual, cookie)
    peer.segments()
    peer.tcp({ seq: 1001, ack: (held === 'first' ? cookie : usual) + 1, flags: ACK })
    peer.tcp({ seq: 1001, ack: (held === 'first' ? cookie : usual) + 1, flags: ACK | PSH, payload: text('hello') })
    await world.run(50)
    t.deepEqual(
      peer.segments().map(({ flags, ack }) => [flags, ack]),
      [[ACK, 1006]],
    )
    t.deepEqual(events, ['data hello'])
    t.is(sockets.length, 2)
    t.is(stack.tcp.connections, 2)
    t.is(stack.counters.tcpUnacceptable, 0)
  })
}
