/** The user timeout (RFC 9293 section 3.9.1): how long a peer may take nothing of what it was sent. */
import test from 'ava'
import { pair } from '../testing/pair.ts'
import { type Session, session, write } from '../testing/session.ts'

/** A session with patience, and when its end came. */
async function patient(milliseconds: number, window = 65_535): Promise<{ s: Session; ended: (from: number) => Promise<number> }> {
  const s = await session({ window })
  s.socket.giveUpAfter(milliseconds)
  const ended = async (from: number): Promise<number> => {
    await s.world.run(3_600_000, () => s.events.some(event => event.startsWith('closed')))
    return s.world.now - from
  }
  return { s, ended }
}

test('a peer that takes nothing is given up after that time, be it shorter or longer than retransmissions are made by default', async t => {
  for (const time of [300, 1000, 5000, 60_000, 1_200_000]) {
    const { s, ended } = await patient(time)
    const start = s.world.now
    write(s.socket, 'hello')
    const after = await ended(start)
    t.deepEqual(s.events, ['closed ETIMEDOUT'])
    t.true(after >= time - 1 && after <= time + 5, `${after} of ${time}`)
    await s.world.run(10)
    t.is(s.peer.segments().at(-1)!.flags & 4, 4, 'with a reset')
    t.is(s.stack.tcp.connections, 0)
  }
})

test('each byte that is taken begins the time anew, and without anything to take there is none', async t => {
  const { s, ended } = await patient(2000)
  for (let i = 0; i < 20; i++) {
    write(s.socket, 'x')
    await s.world.run(1500)
    s.peer.tcp({ seq: 1001, ack: s.iss + i + 1 })
    await s.world.run(1)
  }
  t.deepEqual(s.events, [])
  s.world.at(100_000, () => {})
  await s.world.run(100_000)
  t.deepEqual(s.events, [])
  const start = s.world.now
  write(s.socket, 'y')
  const after = await ended(start)
  t.true(after >= 1999 && after <= 2500, `${after}`)
})

test('a window that stays shut counts as taking nothing, though the peer answers each probe', async t => {
  const { s, ended } = await patient(10_000, 4)
  const start = s.world.now
  write(s.socket, 'abcdefgh')
  await s.world.run(2)
  const answer = (): void => s.peer.tcp({ seq: 1001, ack: s.iss + 4, window: 0 })
  answer()
  s.wire.filter = (frame, from) => {
    if (from === s.device && frame[13] === 0) s.world.at(1, answer)
    return true
  }
  const after = await ended(start)
  t.deepEqual(s.events, ['closed ETIMEDOUT'])
  t.true(after > 9_700 && after < 10_500, `${after}`)
})

test('an end that is not acknowledged counts too', async t => {
  const { s, ended } = await patient(3000)
  const start = s.world.now
  s.socket.end()
  t.true((await ended(start)) <= 3005)
  t.deepEqual(s.events, ['closed ETIMEDOUT'])
})

test('programs: an option of connect and of listen; a time that is none is refused', async t => {
  const { world, wire, client, server } = pair(3)
  const errors: unknown[] = []
  void server.tcp.listen({ port: 7, userTimeout: 3000 }, connection => {
    connection.closed.catch(error => errors.push(['server', error.code, world.now]))
    void connection.write(new Uint8Array(10_000)).catch(() => {})
  })
  const connecting = client.tcp.connect({ host: '10.0.0.2', port: 7, userTimeout: 7000 })
  await world.run(0.5)
  const connection = await connecting
  connection.closed.catch(error => errors.push(['client', error.message, world.now]))
  await world.run(500)
  wire.filter = () => false
  const start = world.now
  await connection.write(new Uint8Array(10))
  await world.run(60_000)
  t.is(errors.length, 1, 'the server has nothing to send any more')
  const [[side, message, time]] = errors as [string, string, number][]
  t.deepEqual([side, message], ['client', 'connection to 10.0.0.2:7 is given up, the peer has taken nothing for 7 s'])
  t.true(time - start > 6990 && time - start < 7300, `${time - start}`)
  for (const userTimeout of [0, -5, NaN]) {
    await t.throwsAsync(client.tcp.connect({ host: '10.0.0.2', port: 7, userTimeout }), { instanceOf: RangeError, message: /userTimeout/ })
    await t.throwsAsync(
      server.tcp.listen({ port: 8, userTimeout }, () => {}),
      { instanceOf: RangeError },
    )
  }
})

test('a server gives its clients up as well', async t => {
  const { world, wire, client, server } = pair(3)
  let end = ''
  void server.tcp.listen({ port: 7, userTimeout: 3000 }, connection => {
    connection.closed.catch(error => {
      end = `${error.code} ${Math.round(world.now / 100) / 10}`
    })
    void connection.read().then(() => {
      wire.filter = () => false
      void connection.write(new Uint8Array(10)).catch(() => {})
    })
  })
  void client.tcp.connect({ host: '10.0.0.2', port: 7 }).then(connection => connection.write(Uint8Array.of(1)))
  await world.run(10_000)
  t.is(end, 'ETIMEDOUT 3')
})
