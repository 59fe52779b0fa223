/** How much may be sent at a time: windows, segment sizes, path MTU. */
import test from 'ava'
import { session, text, write } from '../testing/session.ts'

test('zero window: the writer waits, is probed for, and goes on when it opens', async t => {
  const s = await session({ window: 4 })
  s.peer.segments()
  write(s.socket, 'abcdefgh')
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.toString()),
    ['abcd'],
  )
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
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.toString()),
    ['efgh'],
  )
})

test('zero window: the pauses between probes double up to a minute, answered or not (RFC 9293 section 3.8.6.1), and end with the window', async t => {
  for (const answered of [true, false]) {
    const s = await session({ window: 4 })
    write(s.socket, 'abcdefgh')
    await s.world.run(2)
    s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 0 })
    await s.world.run(1)
    s.peer.segments()
    const times: number[] = []
    s.wire.filter = (frame, from) => {
      if (from !== s.device || frame[13] !== 0) return true // ARP asks again every minute
      times.push(s.world.now)
      if (answered) s.world.at(1, () => s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 0 }))
      return true
    }
    await s.world.run(answered ? 600_000 : 150_000)
    t.is(s.state(), 'ESTABLISHED')
    const pauses = times.slice(1).map((time, i) => time - times[i])
    for (let i = 1; i < Math.min(pauses.length, 8); i++) t.true(Math.abs(pauses[i] / pauses[i - 1] - 2) < 0.1, `${pauses}`)
    if (answered) t.true(pauses.at(-1)! > 59_000 && pauses.at(-1)! < 61_000, `${pauses}`)
    s.wire.filter = undefined
    s.peer.segments()
    s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 1000 })
    await s.world.run(2)
    t.deepEqual(
      s.peer.segments().map(({ payload }) => payload.toString()),
      ['efgh'],
    )
    await s.world.run(1500)
    t.is(s.peer.segments()[0]?.payload.toString(), 'efgh', 'lost data is repeated soon, not at the next probe')
  }
})

test('a window that shrinks to nothing under data in flight: the connection stays for as long as the peer answers (RFC 9293 MUST-34, MUST-37)', async t => {
  for (const taken of [0, 2]) {
    const s = await session({ window: 8 })
    write(s.socket, 'abcdefgh')
    await s.world.run(2)
    s.peer.segments()
    const answer = (window: number): void => s.peer.tcp({ seq: 1001, ack: s.iss + taken, window })
    answer(0)
    let probes = 0
    s.wire.filter = (frame, from) => {
      if (from !== s.device || frame[13] !== 0 || s.state() === 'CLOSED') return true
      probes++
      s.world.at(1, () => answer(0))
      return true
    }
    await s.world.run(3600_000)
    t.is(s.state(), 'ESTABLISHED', 'after an hour')
    t.true(probes < 80, `${probes} probes: their pauses double as well`)
    s.wire.filter = undefined
    s.peer.segments()
    answer(1000)
    await s.world.run(2)
    t.deepEqual(
      s.peer.segments().map(({ payload }) => payload.toString()),
      ['abcdefgh'.slice(taken)],
    )
    await s.world.run(1500)
    t.is(s.peer.segments()[0]?.payload.toString(), 'abcdefgh'.slice(taken), 'and is watched over as before')
    await s.world.run(600_000)
    t.is(s.state(), 'CLOSED', 'a peer that answers no more is given up')
  }
})

test('silly windows: no crumbs are sent into a window that is small for a moment', async t => {
  const s = await session({ window: 2000, options: [2, 4, 3, 0xe8] })
  s.peer.segments()
  write(s.socket, new Uint8Array(5000))
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.length),
    [1000, 1000],
  )
  s.peer.tcp({ seq: 1001, ack: s.iss + 1000, window: 1100 })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.length),
    [],
    'a hundred bytes are not worth a segment',
  )
})

test('a peer that takes nothing of what it was sent is given up after at least 100 s, with doubling pauses', async t => {
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

test('the MSS of the peer is obeyed, 536 when it names none, and never below what is sane', async t => {
  for (const [options, size] of [
    [[2, 4, 2, 0], 512],
    [[], 536],
    [[2, 4, 0, 1], 88],
    [[2, 4, 0xff, 0xff], 1460],
    [[2, 3], 536],
  ] as const) {
    const s = await session({ options: [...options, ...new Array((4 - (options.length % 4)) % 4).fill(0)] })
    s.peer.segments()
    write(s.socket, new Uint8Array(3000))
    await s.world.run(2)
    t.is(s.peer.segments()[0].payload.length, size)
  }
})

test('data that nobody reads shuts the window; reading it opens it with an update', async t => {
  const s = await session({ kept: 10_000, limits: { receiveWindow: 3000 } })
  s.peer.segments()
  for (let i = 0; i < 3; i++) s.peer.tcp({ seq: 1001 + i * 1000, ack: s.iss, payload: new Uint8Array(1000) })
  await s.world.run(60)
  t.is(s.peer.segments().at(-1)!.window, 0)
  s.peer.tcp({ seq: 4001, ack: s.iss, payload: text('x') }) // a probe with data
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ ack, window }) => [ack, window]),
    [[4001, 0]],
  )
  s.socket.consumed(100)
  await s.world.run(2)
  t.is(s.peer.segments().length, 0, 'a hundred bytes are not worth an update')
  s.socket.consumed(1900)
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ window }) => window),
    [2000],
  )
  t.is(s.stack.tcp.memory.used, 1000)
})

test('path MTU: a report about a segment in flight makes segments smaller, and what was lost is sent again; forged ones change nothing', async t => {
  const s = await session({ options: [2, 4, 5, 0xb4] })
  s.peer.segments()
  write(s.socket, new Uint8Array(4000))
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.length),
    [1460, 1460, 1080],
  )
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
  t.deepEqual(
    s.peer.segments().map(({ payload }) => payload.length),
    [1360, 1360, 1280],
  )
  report(s.iss, 100)
  await s.world.run(2)
  t.true(
    s.peer.segments().every(({ payload }) => payload.length <= 536),
    'but not to crumbs',
  )
})
