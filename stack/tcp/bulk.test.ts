/** Much in one direction: few acknowledgments, few reads. */
import test from 'ava'
import { pair, pattern } from '../testing/pair.ts'
import { session } from '../testing/session.ts'
import type { TcpStream } from './stream.ts'

test('a window is told once: the acknowledgment of what came waits until a reader who is there has read it', async t => {
  const p = pair(3, { delay: 5 })
  const told: number[] = []
  p.wire.filter = (frame, from) => {
    const isAck = from === p.serverDevice && frame[12] === 8 && frame[13] === 0 && frame[47] === 16
    if (isAck) told.push(Buffer.from(frame.buffer, frame.byteOffset).readUInt32BE(42))
    return true
  }
  let read = 0
  void p.server.tcp.listen({ port: 7 }, async connection => {
    for (let part = await connection.read(); part !== undefined; part = await connection.read()) read += part.length
  })
  void p.client.tcp.connect({ host: '10.0.0.2', port: 7 }).then(connection => connection.write(pattern(500_000)))
  t.true(await p.world.run(5_000, () => read === 500_000))
  t.true(told.length > 3, `${told.length}`)
  t.is(told.length, new Set(told).size)
})

test('a reader who does not come holds no acknowledgment back', async t => {
  const s = await session({ kept: 1000, limits: { receiveWindow: 64_000 } })
  s.peer.segments()
  for (let i = 0; i < 10; i++) s.peer.tcp({ seq: 1001 + i * 1000, ack: s.iss, payload: new Uint8Array(1000) })
  await s.world.run(2)
  t.deepEqual(
    s.peer.segments().map(({ ack, window }) => [ack, window]),
    [[11_001, 54_000]],
  )
})

test('a window that was shut opens in eight steps', async t => {
  const s = await session({ kept: 1000, limits: { receiveWindow: 64_000 } })
  s.peer.segments()
  for (let i = 0; i < 64; i++) s.peer.tcp({ seq: 1001 + i * 1000, ack: s.iss, payload: new Uint8Array(1000) })
  await s.world.run(60)
  t.is(s.peer.segments().at(-1)!.window, 0)
  for (let i = 0; i < 64; i++) s.socket.consumed(1000)
  await s.world.run(60)
  const windows = s.peer.segments().map(({ window }) => window)
  t.true(windows.length >= 2 && windows.length <= 8, `${windows}`)
  t.true(windows[0]! <= 10_000 && windows.at(-1)! >= 56_000, `${windows}`)
})

test('what arrives while nobody reads is gathered: many small segments are few reads, in order, and give back what they took', async t => {
  const p = pair(3)
  let server: TcpStream | undefined
  let client: TcpStream | undefined
  void p.server.tcp.listen({ port: 7 }, connection => {
    server = connection
  })
  void p.client.tcp.connect({ host: '10.0.0.2', port: 7 }).then(connection => {
    client = connection
  })
  await p.world.run(100, () => server !== undefined && client !== undefined)
  const bytes = pattern(100_000)
  for (let at = 0, size = 1; at < bytes.length; at += size, size = 1 + ((size * 7) % 1400)) {
    void client!.write(bytes.subarray(at, at + size))
    await p.world.run(1)
  }
  await p.world.run(500)
  t.is(p.server.tcp.memory.used, bytes.length)
  const read: Uint8Array[] = []
  while (read.reduce((sum, part) => sum + part.length, 0) < bytes.length) read.push((await server!.read())!)
  t.true(read.length < 20, `${read.length} reads`)
  t.is(Buffer.compare(Buffer.concat(read), bytes), 0)
  t.is(p.server.tcp.memory.used, 0)
  // And what is closed unread.
  void client!.write(bytes)
  await p.world.run(100)
  t.true(p.server.tcp.memory.used > 0)
  server!.close()
  t.is(p.server.tcp.memory.used, 0)
})
