/** Timestamps and PAWS (RFC 7323), segment by segment. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { type Raw, raw } from '../testing/raw.ts'
import type { SeenSegment } from '../testing/raw-peer.ts'
import { record, type Session, session, text, write } from '../testing/session.ts'
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts'
import { Stamps } from './timestamps.ts'

const number = (value: number): number[] => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const stamp = (value: number, echo = 0): number[] => [1, 1, 8, 10, ...number(value), ...number(echo)]

/** TSval and TSecr of a segment; undefined when it has none. */
function stampsOf({ options }: SeenSegment): [number, number] | undefined {
  for (let at = 0; at < options.length; at += options[at] === 1 ? 1 : options[at + 1]) {
    const view = Buffer.from(options)
    if (options[at] === 8) return [view.readUInt32BE(at + 2), view.readUInt32BE(at + 6)]
  }
  return undefined
}

/** A connection whose peer's clock stands at `clock`. */
async function stamped(clock = 100): Promise<Session> {
  const r = raw()
  const events: string[] = []
  let socket: unknown
  r.stack.tcp.bind(80, {}, accepted => {
    socket = accepted
    return record(events)
  })
  r.peer.tcp({ seq: 1000, flags: SYN, options: stamp(clock) })
  await r.world.run(5)
  const [synAck] = r.peer.segments()
  r.peer.tcp({ seq: 1001, ack: synAck.seq + 1, options: stamp(clock, stampsOf(synAck)![0]) })
  await r.world.run(5)
  const connection = socket as Session['socket']
  return { ...r, socket: connection, events, iss: synAck.seq + 1, state: () => `${connection.state}` }
}

test('they are on all segments of a connection whose SYN had them, and on none of others', async t => {
  for (const has of [false, true]) {
    const s = has ? await stamped(0xfffffff0) : await session()
    s.peer.tcp({ seq: 1001, ack: s.iss, flags: ACK | FIN, payload: text('x'), options: has ? stamp(0xfffffff5) : [] })
    await s.world.run(2)
    write(s.socket, new Uint8Array(3000))
    s.socket.end()
    await s.world.run(300)
    s.socket.abort()
    await s.world.run(2)
    const all = s.peer.segments()
    t.true(all.length > 5)
    for (const segment of all) t.deepEqual([stampsOf(segment)?.[1], segment.options.length], has ? [0xfffffff5, 12] : [undefined, 0])
    t.is(all.find(({ payload }) => payload.length > 0)!.payload.length, has ? 536 - 12 : 536, 'room is made for them (RFC 6691)')
  }
})

test('we offer them, and do without when the peer does not answer with some', async t => {
  for (const has of [false, true]) {
    const { world, peer, stack } = raw()
    const connecting = stack.tcp.connect({ host: '10.0.0.1', port: 4000 })
    await world.run(5)
    const [syn] = peer.segments()
    t.deepEqual(syn.options.slice(0, 12), [2, 4, 5, 0xb4, 1, 3, 3, 3, 4, 2, 8, 10])
    t.is(stampsOf(syn)![1], 0)
    const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
    peer.tcp({ ...reply, seq: 77, ack: syn.seq + 1, flags: SYN | ACK, options: has ? stamp(9, stampsOf(syn)![0]) : [] })
    await world.run(2)
    await connecting
    t.deepEqual(stampsOf(peer.segments()[0])?.[1], has ? 9 : undefined)
  }
})

test('the stamp that is echoed is that of the segment that began where the last acknowledgment ended (RFC 7323 section 4.3)', async t => {
  const s = await stamped(100)
  s.peer.tcp({ seq: 1002, ack: s.iss, payload: text('b'), options: stamp(105) }) // beyond a hole
  await s.world.run(2)
  t.is(stampsOf(s.peer.segments()[0])![1], 100)
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('a'), options: stamp(103) })
  await s.world.run(2)
  t.is(stampsOf(s.peer.segments()[0])![1], 103)
  s.peer.tcp({ seq: 1003, ack: s.iss, payload: text('c'), options: stamp(110) })
  s.peer.tcp({ seq: 1004, ack: s.iss, payload: text('d'), options: stamp(120) })
  await s.world.run(60)
  t.is(stampsOf(s.peer.segments().at(-1)!)![1], 110, 'of the first of two that share an acknowledgment, or delays would not be measured')
})

test('PAWS: an older stamp is answered and its segment dropped, across the turn of the clock too; a reset is believed', async t => {
  for (const clock of [100, 5]) {
    const s = await stamped(clock)
    s.peer.segments()
    s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('old'), options: stamp(clock - 10) })
    await s.world.run(2)
    t.deepEqual(s.events, [])
    t.deepEqual(
      s.peer.segments().map(segment => [segment.ack, segment.flags, stampsOf(segment)![1]]),
      [[1001, ACK, clock]],
    )
    t.is(s.stack.counters.tcpPaws, 1)
    s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('new'), options: stamp(clock) })
    await s.world.run(2)
    t.deepEqual(s.events, ['data new'])
    s.peer.tcp({ seq: 1004, flags: RST, options: stamp(clock - 10) })
    await s.world.run(2)
    t.deepEqual(s.events.slice(1), ['closed ECONNRESET'])
  }
})

test('PAWS: what was only overtaken by something sent again is taken, and the last stamp stays', async t => {
  const s = await stamped(100)
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('a'), options: stamp(150) }) // sent again, and there before the others
  await s.world.run(60)
  s.peer.segments()
  s.peer.tcp({ seq: 1002, ack: s.iss, payload: text('b'), options: stamp(110) })
  s.peer.tcp({ seq: 1003, ack: s.iss, payload: text('c'), options: stamp(110) })
  await s.world.run(2)
  t.deepEqual(s.events, ['data a', 'data b', 'data c'])
  t.is(s.stack.counters.tcpPaws, 0)
  await s.world.run(60)
  t.deepEqual(
    s.peer.segments().map(segment => [segment.ack, stampsOf(segment)![1]]),
    [[1004, 150]],
    'a stamp that is echoed never goes back (RFC 7323 section 4.3)',
  )
  s.peer.tcp({ seq: 1004, ack: s.iss, payload: text('before the connection'), options: stamp(99) })
  await s.world.run(2)
  t.is(s.stack.counters.tcpPaws, 1)
})

test('PAWS: a stamp from more than a quarter of a turn of the sequence numbers ago is too old', t => {
  const stamps = new Stamps(0)
  const at = (stamp: number) => ({ stamp, stampHigh: 0, stampLow: 0 })
  stamps.begin(at(10), 0)
  const taken: [number, number][] = []
  for (let i = 1; i <= 40; i++) {
    stamps.remember(at(10 + i), (i * 2 ** 27) | 0)
    taken.push([i, stamps.floor - 10])
  }
  for (const [i, floor] of taken) {
    const age = i - floor
    t.true(age * 2 ** 27 < 2 ** 30 + 2 ** 27, `${age * 2 ** 27} bytes`)
    if (i > 8) t.true(age * 2 ** 27 >= 2 ** 29)
  }
})

test('PAWS: after 24 days of silence the old stamp says nothing any more', async t => {
  const day = 86_400_000
  for (const [days, events] of [
    [23.9, []],
    [24.1, ['data hi']],
  ] as const) {
    const s = await stamped(100)
    s.world.at(days * day, () => {})
    await s.world.run(days * day)
    s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('hi'), options: stamp(50) })
    await s.world.run(2)
    t.deepEqual(s.events, [...events], `${days} days`)
  }
})

test('a segment without a stamp is dropped and counted (RFC 7323 section 3.2), but a reset is not, and a SYN is asked about', async t => {
  const s = await stamped()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('naked') })
  await s.world.run(60)
  t.deepEqual(s.peer.segments(), [])
  t.is(s.stack.counters.tcpNoTimestamp, 1)
  s.peer.tcp({ seq: 1001, flags: SYN })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ flags, ack }) => [flags, ack]),
    [[ACK, 1001]],
  )
  s.peer.tcp({ seq: 1001, flags: RST })
  await s.world.run(2)
  t.deepEqual(s.events, ['closed ECONNRESET'])
})

test('our clock: a thousand ticks a second; where it stands tells nothing of other connections, nor how long we have been up', async t => {
  const r = raw()
  r.stack.tcp.bind(80, {}, () => record([]))
  const clock = async (sourcePort: number): Promise<number> => {
    r.peer.tcp({ sourcePort, seq: 1, flags: SYN, options: stamp(1) })
    await r.world.run(2)
    return stampsOf(r.peer.segments().find(({ destinationPort }) => destinationPort === sourcePort)!)![0]
  }
  const [first, second] = [await clock(6000), await clock(6001)]
  t.true(Math.abs(first - second) > 60_000, `${first} ${second}`)
  t.true(first > 60_000 && second > 60_000)
  r.peer.tcp({ sourcePort: 6000, seq: 2, flags: RST })
  await r.world.run(1000)
  const later = await clock(6000)
  t.true(later - first >= 1000 && later - first < 1010, 'a new connection of the same name goes on above the old one')
})

test('TIME-WAIT: a later stamp begins a connection whatever its number, an earlier one does not (RFC 6191)', async t => {
  for (const [clock, seq, begins] of [
    [201, 5, true],
    [199, 50_000, false],
    [200, 50_000, true],
    [200, 5, false],
  ] as const) {
    const s = await stamped(200)
    s.socket.end()
    await s.world.run(2)
    s.peer.tcp({ seq: 1001, ack: s.iss + 1, flags: FIN | ACK, options: stamp(200) })
    await s.world.run(2)
    t.is(s.stack.tcp.timeWaiting, 1)
    s.peer.segments()
    s.peer.tcp({ seq, flags: SYN, options: stamp(clock) })
    await s.world.run(2)
    t.is(s.peer.segments()[0].flags, begins ? SYN | ACK : ACK, `${clock} ${seq}`)
  }
})

/** A SYN that gets a cookie; gives the answer. */
async function cookie(r: Raw, options: number[]): Promise<SeenSegment> {
  r.peer.tcp({ seq: 500, flags: SYN, sourcePort: 101, options })
  await r.world.run(5)
  return r.peer.segments().find(({ destinationPort }) => destinationPort === 101)!
}

test('SYN cookies: window scale and SACK live in the stamp; a client without stamps does without them', async t => {
  for (const [scale, sack] of [
    [7, true],
    [0, false],
    [14, true],
    [-1, true],
    [-1, false],
  ] as const) {
    const r = raw()
    const sockets: Session['socket'][] = []
    r.stack.tcp.bind(80, { backlog: 0 }, socket => (sockets.push(socket as Session['socket']), record([])))
    const offered = [2, 4, 5, 0xb4, ...(scale < 0 ? [] : [1, 3, 3, scale]), ...(sack ? [1, 1, 4, 2] : []), ...stamp(77)]
    const before = r.world.now
    const synAck = await cookie(r, offered)
    t.is(synAck.options.includes(3), scale >= 0)
    const [ours, echo] = stampsOf(synAck)!
    t.is(echo, 77)
    t.is(r.stack.tcp.connections, 0)
    r.peer.tcp({ seq: 501, ack: synAck.seq + 1, sourcePort: 101, window: 5000, options: stamp(78, ours) })
    await r.world.run(2)
    t.is(sockets.length, 1)
    const [socket] = sockets
    t.deepEqual([socket.stamps !== undefined, socket.sack, socket.sndWnd], [true, sack, scale < 0 ? 5000 : 5000 << scale])
    write(socket, new Uint8Array(5000))
    await r.world.run(2)
    const [data] = r.peer.segments()
    t.is(data.payload.length, 1448)
    const passed = (stampsOf(data)![0] - ours) | 0
    t.true(passed >= 0 && passed <= r.world.now - before + 64, `${passed}`)
  }
})

test('the round-trip time is measured in the middle of retransmissions, by the echo of the last one only', async t => {
  for (const late of [false, true]) {
    const s = await stamped()
    s.peer.segments()
    write(s.socket, 'hello')
    await s.world.run(240)
    const [first, second] = s.peer.segments()
    t.is(second.seq, first.seq)
    await s.world.run(50)
    const before = s.socket.roundTrip.smoothed
    s.peer.tcp({ seq: 1001, ack: s.iss + 5, options: stamp(101, stampsOf(late ? first : second)![0]) })
    await s.world.run(2)
    if (late) t.is(s.socket.roundTrip.smoothed, before)
    else t.true(s.socket.roundTrip.smoothed > before)
  }
})

test('options of any bytes, on a SYN and later, break nothing', async t => {
  const option = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .record({ kind: fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 254), size: fc.nat(40), rest: fc.uint8Array({ maxLength: 32 }) })
      .map(({ kind, size, rest }) => Uint8Array.of(kind, size, ...rest)),
    fc.tuple(fc.constantFrom(5, 8), fc.uint8Array({ minLength: 8, maxLength: 8 })).map(([kind, rest]) => Uint8Array.of(kind, 10, ...rest)),
  )
  const options = fc.array(option, { maxLength: 4 }).map(parts => {
    const bytes = parts.flatMap(part => [...part]).slice(0, 40)
    return [...bytes, ...new Array((4 - (bytes.length % 4)) % 4).fill(0)]
  })
  await fc.assert(
    fc.asyncProperty(options, fc.array(options, { maxLength: 12 }), async (first, later) => {
      const s = await session({ options: first })
      if (s.socket === undefined) return // the handshake's last segment has no stamp, and needed one
      write(s.socket, new Uint8Array(6000))
      await s.world.run(2)
      for (const [i, bytes] of later.entries()) {
        s.peer.tcp({ seq: 1001 + i, ack: s.iss + 500 * i, options: bytes, payload: text('x') })
        await s.world.run(1)
      }
      await s.world.run(2000)
      s.socket.abort()
      await s.world.run(10)
      t.deepEqual(
        s.world.logLines.filter(line => line.includes('ERR') || line.includes('Error')),
        [],
      )
      t.is(s.device.reserved, 0)
      t.is(s.stack.tcp.memory.used, 0)
    }),
    runs({ few: 150, seed: 7 }),
  )
})
