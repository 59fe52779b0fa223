/** To ourselves: nothing of it is on the wire, and nothing from the wire is taken for it. */
import test from 'ava'
import { createStack } from '../stack.ts'
import { pattern } from '../testing/pair.ts'
import { raw } from '../testing/raw.ts'
import { octets6, RawPeer6 } from '../testing/raw-peer6.ts'

const silent = { onData: (_: Uint8Array, __: number, length: number) => length, onEnd() {}, onWritable() {}, onClosed() {} }

for (const host of ['10.0.0.2', '127.0.0.1', '127.9.9.9', 'fd00::2', '::1']) {
  test(`TCP to ${host}: a megabyte there and back, and both ends close`, async t => {
    const { world, wire, stack } = raw(host.includes(':') ? { ipv6: { address: 'fd00::2', prefix: 64 } } : {})
    await world.run(2_000)
    wire.carried = 0
    const body = pattern(1_000_000)
    void stack.tcp.listen({ port: 80 }, async connection => {
      t.is(connection.remoteAddress, host)
      for (let part = await connection.read(); part !== undefined; part = await connection.read()) await connection.write(part)
      connection.end()
    })
    const received: Uint8Array[] = []
    const done = (async () => {
      const connection = await stack.tcp.connect({ host, port: 80 })
      const reading = (async () => {
        for (let part = await connection.read(); part !== undefined; part = await connection.read()) received.push(part)
      })()
      for (let at = 0; at < body.length; at += 50_000) await connection.write(body.subarray(at, at + 50_000))
      connection.end()
      await reading
      await connection.closed
    })()
    let over = false
    void done.then(() => (over = true))
    t.true(await world.run(60_000, () => over))
    await done
    t.deepEqual(new Uint8Array(Buffer.concat(received)), body)
    t.is(wire.carried, 0)
    t.is(stack.counters.tcpRetransmits, 0)
    await world.run(120_000)
    t.is(stack.tcp.connections, 0)
    t.is(stack.tcp.memory.used, 0)
    t.is(world.pending, 0)
  })
}

test('a port without a listener refuses, also one that the caller might have chosen for its own end', async t => {
  const { world, stack } = raw()
  const refused: string[] = []
  for (const port of [81, 49_152, 65_535]) {
    stack.tcp.connect({ host: '127.0.0.1', port }).catch(({ code }) => refused.push(code))
  }
  await world.run(1000)
  t.deepEqual(refused, ['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'])
  t.is(stack.tcp.connections, 0)
})

test('UDP of any size, its sender is answered; nobody there is told to who asked', async t => {
  const { world, wire, stack } = raw()
  const got: [string, number, number][] = []
  stack.udp.bind(53, (bytes, offset, length, from, port) => {
    stack.udp.send(53, from, port, bytes.subarray(offset, offset + length))
  })
  const unreachable: string[] = []
  const port = stack.udp.open(
    (_bytes, _offset, length, from, port) => void got.push([from.peer, port, length]),
    ({ route }) => unreachable.push(route.peer) > 0,
  )
  for (const size of [0, 100, 5000, 65_507]) stack.udp.send(port.number, '127.0.0.1', 53, pattern(size))
  stack.udp.send(port.number, '10.0.0.2', 54, pattern(1))
  t.is(got.length, 0, 'nothing arrives while it is being sent')
  await world.run(10)
  t.deepEqual(
    got,
    [0, 100, 5000, 65_507].map(size => ['127.0.0.1', 53, size] as [string, number, number]),
  )
  t.deepEqual(unreachable, ['10.0.0.2'])
  t.is(wire.carried, 0)
})

test('bounded: who sends and sends without a break loses datagrams, not memory', async t => {
  const { world, stack } = raw()
  let got = 0
  stack.udp.bind(53, () => void got++)
  const sent = Array.from({ length: 1000 }, () => stack.udp.send(1, '127.0.0.1', 53, pattern(10)))
  t.is(sent.filter(Boolean).length, 128)
  t.is(stack.counters.noFrame, 872)
  await world.run(10)
  t.is(got, 128)
  t.true(stack.udp.send(1, '127.0.0.1', 53, pattern(10)))
})

test('IPv6: UDP of any size to ::1 and to our own address, and nobody there is told to who asked', async t => {
  const { world, wire, stack } = raw({ ipv6: { address: 'fd00::2', prefix: 64 } })
  await world.run(2_000)
  wire.carried = 0
  const got: [string, number][] = []
  stack.udp.bind(53, (_bytes, _offset, length, from) => void got.push([from.peer, length]))
  const unreachable: string[] = []
  const port = stack.udp.open(
    () => t.fail(),
    ({ route }) => unreachable.push(route.peer) > 0,
  )
  for (const host of ['::1', 'fd00::2']) {
    for (const size of [0, 100, 5000, 65_000]) stack.udp.send(port.number, host, 53, pattern(size))
    stack.udp.send(port.number, host, 54, pattern(1))
  }
  await world.run(10)
  t.deepEqual(
    got,
    ['::1', 'fd00::2'].flatMap(host => [0, 100, 5000, 65_000].map(size => [host, size] as [string, number])),
  )
  t.deepEqual(unreachable, ['::1', 'fd00::2'])
  t.is(wire.carried, 0)
})

test('IPv6: from the wire nothing is taken that is from or to ourselves', async t => {
  const { world, wire, stack } = raw({ ipv6: { address: 'fd00::2', prefix: 64 } })
  const peer = new RawPeer6(wire, 'fd00::1', 'fd00::2', '00:16:3e:5e:6c:00', '02:00:00:00:00:98')
  let resets = 0
  stack.tcp.bind(80, {}, () => ({ ...silent, onClosed: () => void resets++ }))
  const connecting = ['fd00::2', '::1'].map(host => stack.tcp.connect({ host, port: 80 }))
  await world.run(2_000)
  const connections = await Promise.all(connecting)
  for (const [i, target] of ['fd00::2', '::1'].entries()) {
    const before = stack.counters.badAddress
    for (const source of ['fd00::2', '::1']) peer.tcp({ flags: 4, sourcePort: connections[i].local.port }, { source, target })
    await world.run(5)
    t.is(stack.counters.badAddress, before + 2)
  }
  // A router speaks of a packet from us to us.
  const own = octets6('fd00::2')
  const ignored = stack.counters.icmpIgnored
  const { number } = stack.udp.open(
    () => {},
    () => t.fail(),
  )
  peer.icmp([1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 20, 17, 64, ...own, ...own, number >> 8, number & 255, 0, 53, 0, 8, 0, 0])
  await world.run(5)
  t.is(stack.counters.icmpIgnored, ignored + 1)
  t.deepEqual([resets, stack.tcp.connections], [0, 4])
})

test('two who answer each other for ever let others have their turn', async t => {
  const { world, stack } = raw()
  const echo = (port: number) =>
    stack.udp.bind(port, (bytes, offset, length, from, remote) => {
      stack.udp.send(port, from, remote, bytes.slice(offset, offset + length))
    })
  echo(7)
  const end = echo(8)
  stack.udp.send(7, '127.0.0.1', 8, pattern(4))
  let turns = 0
  const again = (): void => void (turns++ < 100 && world.at(0, again))
  again()
  let over = false
  world.at(0.001, () => (over = true))
  await world.run(1, () => turns >= 100)
  t.true(turns >= 100)
  end()
  await world.run(10, () => over)
})

test('from the wire nothing is taken that is from or to ourselves', async t => {
  const { world, peer, stack } = raw()
  let connections = 0
  stack.tcp.bind(80, {}, () => (connections++, silent))
  stack.udp.bind(53, () => t.fail())
  const connection = stack.tcp.connect({ host: '10.0.0.2', port: 80 })
  const other = stack.tcp.connect({ host: '127.0.0.1', port: 80 })
  await world.run(10)
  await Promise.all([connection, other])
  t.is(connections, 2)
  const { local } = await connection
  for (const source of ['10.0.0.2', '127.0.0.1']) {
    for (const target of ['10.0.0.2', '127.0.0.1']) {
      const before = stack.counters.badAddress
      Object.assign(peer, { target, ip: source })
      peer.tcp({ flags: 2 }, undefined, source)
      peer.tcp({ flags: 4, sourcePort: local.port }, undefined, source)
      peer.udp(1, 53, pattern(1))
      await world.run(5)
      t.is(stack.counters.badAddress, before + 3, `${source} to ${target}`)
    }
  }
  // A router speaks of a packet from us to us.
  Object.assign(peer, { target: '10.0.0.2', ip: '10.0.0.1' })
  for (const own of [
    [10, 0, 0, 2],
    [127, 0, 0, 1],
  ]) {
    const before = stack.counters.icmpIgnored
    peer.icmp(3, 4, [0, 0, 2, 0x58, 0x45, 0, 5, 0xdc, 0, 0, 0x40, 0, 64, 17, 0, 0, ...own, ...own, 0, 53, 0, 53, 0, 8, 0, 0])
    await world.run(5)
    t.is(stack.counters.icmpIgnored, before + 1)
  }
  t.is(stack.tcp.connections, 2 * 2)
})

test('without an address there is still 127.0.0.1; with another one the old is not ours any more', async t => {
  const { world, wire } = raw()
  const stack = createStack(world.machine('bare'), wire.device('02:00:00:00:00:07'))
  void stack.tcp.listen({ port: 80 }, () => {})
  const connection = stack.tcp.connect({ host: '127.0.0.1', port: 80 })
  await world.run(10)
  await connection
  const named = stack.tcp.connect({ host: 'localhost', port: 80 })
  await world.run(10)
  t.is((await named).remoteAddress, '::1')
  stack.configure({ address: '10.0.0.9' })
  stack.configure({ address: '10.0.0.9', ipv6: { address: 'fd00::9', prefix: 64 } })
  await world.run(10)
  // What is not of the network goes on with another one.
  t.is(stack.tcp.connections, 4)
  for (const open of [await connection, await named]) {
    await open.write(new Uint8Array(1))
    open.abort()
  }
  await world.run(10)
  t.is(stack.tcp.connections, 0)
  const again = stack.tcp.connect({ host: '10.0.0.9', port: 80 })
  await world.run(10)
  await again
  stack.configure(undefined)
  await t.throwsAsync((await again).closed, { code: 'ENETRESET' })
  await t.throwsAsync(stack.tcp.connect({ host: '10.0.0.9', port: 80 }), { code: 'EHOSTUNREACH' })
  stack.close()
  await world.run(100_000)
  t.is(world.pending, 0)
})

test('what is on its way to an address that is given up does not arrive', async t => {
  const { world, stack } = raw()
  stack.udp.bind(53, () => t.fail())
  t.true(stack.udp.send(1, '10.0.0.2', 53, pattern(1)))
  stack.configure({ address: '10.0.0.3', prefix: 24 })
  await world.run(5)
  t.is(stack.counters.badAddress, 1)
})

test('a connection to ourselves does not get the port that it goes to as its own', async t => {
  const port = async (stack: ReturnType<typeof raw>['stack'], world: ReturnType<typeof raw>['world']): Promise<number> => {
    void stack.tcp.listen({ port: 80 }, () => {})
    const connection = stack.tcp.connect({ host: '127.0.0.1', port: 80 })
    await world.run(5)
    return (await connection).local.port
  }
  const first = raw()
  const chosen = await port(first.stack, first.world)
  const { world, stack } = raw() // which would choose the same
  const refused: string[] = []
  stack.tcp.connect({ host: '127.0.0.1', port: chosen }).then(
    () => refused.push('connected with itself'),
    ({ code }) => refused.push(code),
  )
  await world.run(5)
  t.deepEqual(refused, ['ECONNREFUSED'])
})
