/** What the RFCs demand, segment by segment, against a peer that speaks raw TCP. */
import test from 'ava'
import type { ByteSocket, SocketHandler } from '../socket.ts'
import { raw, type Raw } from '../testing/raw.ts'
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts'
import { stateNames } from './state.ts'
import type { Connection } from './connection.ts'

/** A server on port 80 that notes what happens, and a peer that has shaken hands with it. */
interface Session extends Raw {
  socket: Connection
  events: string[]
  /** The server's first sequence number after its SYN; the peer's is 1001. */
  iss: number
  state(): string
}

const record = (events: string[], kept = 0): SocketHandler => ({
  onData(bytes, offset, length) {
    events.push(`data ${Buffer.from(bytes.slice(offset, offset + length))}`)
    return Math.min(kept, length)
  },
  onEnd: () => void events.push('end'),
  onWritable: () => void events.push('writable'),
  onClosed: (error) => void events.push(`closed ${error === undefined ? '' : (error as { code?: string }).code}`),
})

async function session({ options = [], window = 65535, kept = 0, ...config }: { options?: number[]; window?: number; kept?: number } & Parameters<typeof raw>[0] = {}): Promise<Session> {
  const world = raw(config)
  const events: string[] = []
  let socket: ByteSocket | undefined
  world.stack.tcp.bind(80, {}, (accepted) => {
    socket = accepted
    return record(events, kept)
  })
  world.peer.tcp({ seq: 1000, flags: SYN, options, window })
  await world.world.run(5)
  const [synAck] = world.peer.segments()
  world.peer.tcp({ seq: 1001, ack: synAck.seq + 1, window })
  await world.world.run(5)
  const connection = socket as Connection
  return { ...world, socket: connection, events, iss: synAck.seq + 1, state: () => stateNames[connection.state] }
}

const text = (value: string): Uint8Array => Buffer.from(value)
function write(socket: ByteSocket, value: string | Uint8Array): void {
  const bytes = typeof value === 'string' ? text(value) : value
  socket.queue(bytes, 0, bytes.length)
  socket.flush()
}

test('handshake: MSS always, window scale and SACK only when the client offers them', async (t) => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => record([]))
  peer.tcp({ seq: 7, flags: SYN })
  peer.tcp({ seq: 7, flags: SYN, sourcePort: 5001, options: [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0] })
  await world.run(5)
  const [plain, scaled] = peer.segments()
  t.is(plain.flags, SYN | ACK)
  t.is(plain.ack, 8)
  t.deepEqual(plain.options, [2, 4, 5, 0xb4])
  t.deepEqual(scaled.options, [2, 4, 5, 0xb4, 1, 3, 3, 3, 1, 1, 4, 2])
  t.is(scaled.window, 65535, 'the window of a SYN is not scaled')
  t.not(plain.seq, scaled.seq)
})

test('segments for nobody are answered with the RST of RFC 9293 section 3.10.7.1; an RST never is', async (t) => {
  const { world, peer, stack } = raw()
  peer.tcp({ seq: 100, flags: SYN, payload: text('x') })
  peer.tcp({ seq: 100, ack: 555, flags: ACK })
  peer.tcp({ seq: 100, flags: RST })
  peer.tcp({ seq: 100, ack: 5, flags: RST | ACK })
  await world.run(5)
  t.deepEqual(peer.segments().map(({ seq, ack, flags }) => [seq, ack, flags]), [[0, 102, RST | ACK], [555, 0, RST]])
  t.is(stack.counters.tcpNoConnection, 4)
})

test('a listener resets what is not a SYN, and ignores a SYN with FIN or RST', async (t) => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => record([]))
  peer.tcp({ seq: 1, ack: 9, flags: ACK })
  peer.tcp({ seq: 1, ack: 9, flags: SYN | ACK })
  peer.tcp({ seq: 1, flags: SYN | RST })
  await world.run(5)
  t.deepEqual(peer.segments().map(({ seq, flags }) => [seq, flags]), [[9, RST], [9, RST]])
  t.is(stack.tcp.connections, 0)
})

test('data is delivered in order, acknowledged late when it is little and at once when it is two segments', async (t) => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: ACK | PSH, payload: text('one') })
  await s.world.run(5)
  t.deepEqual(s.events, ['data one'])
  t.is(s.peer.segments().length, 0)
  await s.world.run(45)
  t.deepEqual(s.peer.segments().map(({ ack, payload }) => [ack, payload.length]), [[1004, 0]])
  s.peer.tcp({ seq: 1004, ack: s.iss, payload: new Uint8Array(536) })
  s.peer.tcp({ seq: 1540, ack: s.iss, payload: new Uint8Array(536) })
  await s.world.run(5)
  t.deepEqual(s.peer.segments().map(({ ack }) => ack), [2076])
})

test('data beyond a hole is kept, each such segment is answered at once with what is missing and, if understood, what is there', async (t) => {
  const s = await session({ options: [4, 2, 0, 0] })
  s.peer.segments()
  for (const [seq, word] of [[1004, 'two'], [1010, 'four'], [1007, '333']] as const) {
    s.peer.tcp({ seq, ack: s.iss, payload: text(word) })
    await s.world.run(2)
  }
  t.deepEqual(s.events, [])
  const answers = s.peer.segments()
  const blocks = ({ options }: { options: number[] }): number[] => {
    const view = Buffer.from(options)
    return Array.from({ length: (view.length - 4) / 4 }, (_, i) => view.readUInt32BE(4 + 4 * i))
  }
  t.deepEqual(answers.map((answer) => [answer.ack, ...blocks(answer)]), [[1001, 1004, 1007], [1001, 1010, 1014, 1004, 1007], [1001, 1004, 1014]])
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('one') })
  await s.world.run(2)
  t.deepEqual(s.events, ['data one', 'data two', 'data 333', 'data four'])
  t.is(s.peer.segments().at(-1)!.ack, 1014)
  t.is(s.stack.tcp.memory.used, 0)
})

test('overlaps are cut: every byte is delivered once', async (t) => {
  const s = await session()
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('abcd') })
  s.peer.tcp({ seq: 1003, ack: s.iss, payload: text('cdef') })
  s.peer.tcp({ seq: 1009, ack: s.iss, payload: text('ij') })
  s.peer.tcp({ seq: 1008, ack: s.iss, payload: text('hijk') })
  s.peer.tcp({ seq: 1006, ack: s.iss, payload: text('fgh') })
  await s.world.run(20)
  t.is(s.events.map((event) => event.slice(5)).join(''), 'abcdefghijk')
})

test('out-of-order data is bounded in segments and in memory of all connections', async (t) => {
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

test('RST: only the exact sequence number resets; one within the window asks for a challenge, one outside is ignored (RFC 5961)', async (t) => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001 + 70_000 * 8, flags: RST })
  await s.world.run(2)
  t.is(s.peer.segments().length, 0)
  s.peer.tcp({ seq: 1002, flags: RST })
  s.peer.tcp({ seq: 1003, flags: RST })
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ flags, ack }) => [flags, ack]), [[ACK, 1001]], 'one challenge, not two: they are rationed')
  t.is(s.state(), 'ESTABLISHED')
  s.peer.tcp({ seq: 1001, flags: RST })
  await s.world.run(2)
  t.deepEqual(s.events, ['closed ECONNRESET'])
  t.is(s.stack.tcp.connections, 0)
})

test('SYN on an established connection is answered with a challenge and changes nothing', async (t) => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, flags: SYN })
  await s.world.run(2)
  s.peer.tcp({ seq: 99_999, flags: SYN })
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ flags, ack }) => [flags, ack]), [[ACK, 1001]])
  t.is(s.state(), 'ESTABLISHED')
})

test('acknowledgments of what was never sent, or far too old, are challenged and their data is not taken', async (t) => {
  const s = await session()
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, payload: text('evil') })
  await s.world.run(600)
  s.peer.tcp({ seq: 1001, ack: s.iss - 70_000, payload: text('evil') })
  await s.world.run(2)
  t.deepEqual(s.events, [])
  t.is(s.peer.segments().length, 2)
})

test('segments without ACK are dropped', async (t) => {
  const s = await session()
  s.peer.tcp({ seq: 1001, flags: PSH, payload: text('x') })
  await s.world.run(2)
  t.deepEqual(s.events, [])
})

test('a peer that closes: end, our end, LAST-ACK, gone', async (t) => {
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

test('closing first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for a minute, in which a repeated FIN is acknowledged again', async (t) => {
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
  t.deepEqual(s.peer.segments().map(({ ack, flags }) => [ack, flags]), [[1006, ACK]])
  await s.world.run(59_000)
  t.is(s.stack.tcp.connections, 1)
  await s.world.run(2_000)
  t.is(s.stack.tcp.connections, 0)
})

test('both close at the same time: CLOSING, TIME-WAIT', async (t) => {
  const s = await session()
  s.socket.end()
  s.peer.tcp({ seq: 1001, ack: s.iss, flags: FIN | ACK })
  await s.world.run(2)
  t.is(s.state(), 'CLOSING')
  s.peer.tcp({ seq: 1002, ack: s.iss + 1 })
  await s.world.run(2)
  t.is(s.state(), 'TIME-WAIT')
})

test('a new SYN above the old connection\'s numbers ends TIME-WAIT and begins a connection; an old one does not', async (t) => {
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

test('TIME-WAIT is bounded: the oldest ends early', async (t) => {
  const { world, peer, stack } = raw({ limits: { timeWait: 10 } })
  stack.tcp.bind(80, {}, (socket) => ({ ...record([]), onData: () => (socket.end(), 0) }))
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

test('zero window: the writer waits, is probed for, and goes on when it opens', async (t) => {
  const s = await session({ window: 4 })
  s.peer.segments()
  write(s.socket, 'abcdefgh')
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.toString()), ['abcd'])
  s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 0 })
  await s.world.run(30_000)
  const probes = s.peer.segments()
  t.true(probes.length >= 4 && probes.length < 12, `${probes.length} probes`)
  t.true(probes.every(({ seq, payload }) => seq === s.iss + 3 && payload.length === 0))
  for (let i = 0; i < 40; i++) {
    s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 0 })
    await s.world.run(30_000)
  }
  t.is(s.state(), 'ESTABLISHED', 'twenty minutes of shut window, as long as the peer answers')
  s.peer.segments()
  s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 1000 })
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.toString()), ['efgh'])
})

test('silly windows: no crumbs are sent into a window that is small for a moment', async (t) => {
  const s = await session({ window: 2000, options: [2, 4, 3, 0xe8] })
  s.peer.segments()
  write(s.socket, new Uint8Array(5000))
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.length), [1000, 1000])
  s.peer.tcp({ seq: 1001, ack: s.iss + 1000, window: 1100 })
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.length), [], 'a hundred bytes are not worth a segment')
})

test('a peer that takes nothing of what it was sent is given up after at least 100 s, with doubling pauses', async (t) => {
  const s = await session()
  s.peer.segments()
  write(s.socket, 'hello')
  const start = s.world.now
  const times: number[] = []
  s.wire.filter = () => {
    times.push(s.world.now - start)
    return true
  }
  await s.world.run(1_000_000, () => s.events.length > 0)
  t.deepEqual(s.events, ['closed ETIMEDOUT'])
  t.true(s.world.now - start > 100_000)
  const pauses = times.slice(1, 8).map((time, i) => time - times[i])
  for (let i = 1; i < pauses.length; i++) t.true(Math.abs(pauses[i] / pauses[i - 1] - 2) < 0.1, `${pauses}`)
})

test('the MSS of the peer is obeyed, 536 when it names none, and never below what is sane', async (t) => {
  for (const [options, size] of [[[2, 4, 2, 0], 512], [[], 536], [[2, 4, 0, 1], 88], [[2, 4, 0xff, 0xff], 1460], [[2, 3], 536]] as const) {
    const s = await session({ options: [...options, ...new Array((4 - (options.length % 4)) % 4).fill(0)] })
    s.peer.segments()
    write(s.socket, new Uint8Array(3000))
    await s.world.run(2)
    t.is(s.peer.segments()[0].payload.length, size)
  }
})

test('SYN flood: half-open connections are bounded, the newest get a chance, and all is forgotten in the end', async (t) => {
  const { world, peer, stack, device } = raw({ address: '10.0.0.2', prefix: 32, gateway: '10.0.0.1' })
  let accepted = 0
  stack.tcp.bind(80, { backlog: 32 }, () => (accepted++, record([])))
  for (let i = 0; i < 5000; i++) {
    peer.tcp({ seq: i, flags: SYN, sourcePort: 1024 + i }, undefined, `172.16.${i >> 8}.${i & 255}`)
    if (i % 50 === 0) await world.run(1)
  }
  await world.run(5)
  t.is(stack.tcp.connections, 32)
  t.is(stack.counters.tcpSynDropped, 5000 - 32)
  peer.segments()
  peer.tcp({ seq: 9, flags: SYN, sourcePort: 7 })
  await world.run(5)
  const { seq } = peer.segments().find(({ destinationPort }) => destinationPort === 7)!
  peer.tcp({ seq: 10, ack: seq + 1, sourcePort: 7 })
  await world.run(5)
  t.is(accepted, 1, 'a real client in the middle of it is served')
  await world.run(100_000)
  t.is(stack.tcp.connections, 1)
  t.is(device.reserved, 0)
})

test('connections are bounded: beyond the limit a SYN is not answered', async (t) => {
  const { world, peer, stack } = raw({ limits: { connections: 3 } })
  stack.tcp.bind(80, {}, () => record([]))
  for (let i = 0; i < 6; i++) {
    peer.tcp({ seq: 0, flags: SYN, sourcePort: 100 + i })
    await world.run(2)
    const synAck = peer.segments().at(-1)
    if (synAck !== undefined) peer.tcp({ seq: 1, ack: synAck.seq + 1, sourcePort: 100 + i })
    await world.run(2)
  }
  t.is(stack.tcp.connections, 3)
  await t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 1 }), { message: /3 connections are open, the limit/ })
})

test('a SYN-ACK that is lost is repeated, by the timer and for a repeated SYN; a wrong ACK resets', async (t) => {
  const { world, peer, stack } = raw()
  const events: string[] = []
  stack.tcp.bind(80, {}, () => record(events))
  peer.tcp({ seq: 1000, flags: SYN })
  await world.run(2)
  peer.tcp({ seq: 1000, flags: SYN })
  await world.run(1200)
  const answers = peer.segments()
  t.is(answers.length, 3)
  t.true(answers.every(({ seq, flags }) => flags === (SYN | ACK) && seq === answers[0].seq))
  peer.tcp({ seq: 1001, ack: answers[0].seq + 2 })
  await world.run(2)
  t.deepEqual(peer.segments().map(({ seq, flags }) => [seq, flags]), [[answers[0].seq + 2, RST]])
  peer.tcp({ seq: 1001, ack: answers[0].seq + 1, payload: text('with the ACK') })
  await world.run(2)
  t.deepEqual(events, ['data with the ACK'])
})

test('data that nobody reads shuts the window; reading it opens it with an update', async (t) => {
  const s = await session({ kept: 10_000, limits: { receiveWindow: 3000 } })
  s.peer.segments()
  for (let i = 0; i < 3; i++) s.peer.tcp({ seq: 1001 + i * 1000, ack: s.iss, payload: new Uint8Array(1000) })
  await s.world.run(60)
  t.is(s.peer.segments().at(-1)!.window, 0)
  s.peer.tcp({ seq: 4001, ack: s.iss, payload: text('x') }) // a probe with data
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ ack, window }) => [ack, window]), [[4001, 0]])
  s.socket.consumed(100)
  await s.world.run(2)
  t.is(s.peer.segments().length, 0, 'a hundred bytes are not worth an update')
  s.socket.consumed(1900)
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ window }) => window), [2000])
  t.is(s.stack.tcp.memory.used, 1000)
})

test('connect: SYN, SYN-ACK, ACK; a wrong ACK in between is reset; timeout and abort end it', async (t) => {
  const { world, peer, stack } = raw()
  let opened = false
  const attempt = stack.tcp.connect({ host: '10.0.0.1', port: 4000 })
  void attempt.then(() => { opened = true })
  await world.run(5)
  const [syn] = peer.segments()
  t.is(syn.flags, SYN)
  t.true(syn.sourcePort >= 49152)
  const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
  peer.tcp({ ...reply, seq: 77, ack: syn.seq + 5, flags: ACK })
  await world.run(2)
  t.deepEqual(peer.segments().map(({ seq, flags }) => [seq, flags]), [[(syn.seq + 5) >>> 0, RST]])
  peer.tcp({ ...reply, seq: 77, ack: syn.seq + 1, flags: SYN | ACK, options: [2, 4, 5, 0xb4] })
  await world.run(2)
  t.true(opened)
  t.deepEqual(peer.segments().map(({ ack, flags }) => [ack, flags]), [[78, ACK]])

  const slow = t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 4001, timeout: 3000 }), { message: /10\.0\.0\.1:4001 was not answered in time/ })
  await world.run(3100)
  await slow
  const controller = new AbortController()
  const given = t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 4002, signal: controller.signal }), { message: 'enough' })
  await world.run(100)
  controller.abort(new Error('enough'))
  await given
  await t.throwsAsync(stack.tcp.connect({ host: 'example.org', port: 1 }), { message: /"example\.org".* not an IPv4 address/ })
  await t.throwsAsync(stack.tcp.connect({ host: '192.168.1.1', port: 1 }), { message: /no route to 192\.168\.1\.1/ })
  t.is(stack.tcp.connections, 1)
})

test('both sides connect to each other at the same time (RFC 9293 figure 8)', async (t) => {
  const { world, peer, stack } = raw()
  let opened = false
  void stack.tcp.connect({ host: '10.0.0.1', port: 4000 }).then(() => { opened = true })
  await world.run(5)
  const [syn] = peer.segments()
  const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
  peer.tcp({ ...reply, seq: 77, flags: SYN })
  await world.run(2)
  t.deepEqual(peer.segments().map(({ seq, ack, flags }) => [seq, ack, flags]), [[syn.seq, 78, SYN | ACK]])
  peer.tcp({ ...reply, seq: 78, ack: syn.seq + 1 })
  await world.run(2)
  t.true(opened)
})

test('path MTU: a report about a segment in flight makes segments smaller, and what was lost is sent again; forged ones change nothing', async (t) => {
  const s = await session({ options: [2, 4, 5, 0xb4] })
  s.peer.segments()
  write(s.socket, new Uint8Array(4000))
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.length), [1460, 1460, 1080])
  const report = (seq: number, mtu: number): void => {
    const quoted = Buffer.from([0x45, 0, 5, 0xdc, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 0, 80, 0x13, 0x88, 0, 0, 0, 0])
    quoted.writeUInt32BE(seq >>> 0, 24)
    s.peer.icmp(3, 4, [0, 0, mtu >> 8, mtu & 255, ...quoted])
  }
  report(s.iss - 1, 600)
  report(s.iss + 4000, 600)
  await s.world.run(2)
  t.is(s.peer.segments().length, 0)
  report(s.iss, 1400)
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ payload }) => payload.length), [1360, 1360, 1280])
  report(s.iss, 100)
  await s.world.run(2)
  t.true(s.peer.segments().every(({ payload }) => payload.length <= 536), 'but not to crumbs')
})

test('ports: taken ones and impossible ones are refused with a sentence', async (t) => {
  const { stack } = raw()
  const controller = new AbortController()
  stack.tcp.bind(80, { signal: controller.signal }, () => record([]))
  t.throws(() => stack.tcp.bind(80, {}, () => record([])), { message: /port 80 of this stack is listened to already/ })
  t.throws(() => stack.tcp.bind(0, {}, () => record([])), { message: /port 0 does not exist/ })
  controller.abort()
  t.notThrows(() => stack.tcp.bind(80, {}, () => record([])))
})

test('closing the stack resets its connections and gives everything back', async (t) => {
  const s = await session({ kept: 100 })
  s.peer.tcp({ seq: 1001, ack: s.iss, payload: text('unread') })
  await s.world.run(2)
  s.peer.segments()
  s.stack.close()
  await s.world.run(2)
  t.deepEqual(s.peer.segments().map(({ flags }) => flags), [RST | ACK])
  t.is(s.stack.tcp.memory.used, 0)
  t.is(s.stack.tcp.connections, 0)
  await s.world.run(100_000)
  t.is(s.world.pending, 0, 'no timer is left')
})

test('a handler that throws costs its connection, not the domain', async (t) => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => ({ ...record([]), onData() { throw new Error('a bug') } }))
  peer.tcp({ seq: 0, flags: SYN })
  await world.run(5)
  const [{ seq }] = peer.segments()
  peer.tcp({ seq: 1, ack: seq + 1, payload: text('x') })
  await world.run(5)
  t.deepEqual(peer.segments().map(({ flags }) => flags), [RST | ACK])
  t.true(world.logLines.some((line) => line.includes('connection from 10.0.0.1:5000 to port 80 is reset: Error: a bug')))
  t.is(stack.tcp.connections, 0)
})
