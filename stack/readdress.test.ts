/** Another network while the program runs: what is reset, what goes on, and what neighbours hear of it. */
import test from 'ava'
import { SocketError } from './socket.ts'
import { createStack } from './stack.ts'
import { pair, pattern } from './testing/pair.ts'
import { raw } from './testing/raw.ts'
import { RawPeer } from './testing/raw-peer.ts'
import { RawPeer6 } from './testing/raw-peer6.ts'
import { Wire } from './testing/wire.ts'
import { World } from './testing/world.ts'

const ARP_ANNOUNCEMENT = (address: string): string =>
  `ffffffffffff00163e5e6c0008060001080006040001${'00163e5e6c00'}${address}${'000000000000'}${address}`
const hex = (address: string): string => Buffer.from(address.split('.').map(Number)).toString('hex')
const arps = (frames: Buffer[]): string[] =>
  frames.filter(frame => frame.readUInt16BE(12) === 0x806).map(frame => frame.subarray(0, 42).toString('hex'))

test('open connections are reset with a reason, listeners go on at the new address, and it is announced', async t => {
  const { world, stack, peer, wire } = raw({ gateway: '10.0.0.1' })
  const errors: unknown[] = []
  void stack.tcp.listen({ port: 80 }, connection => {
    connection.read().catch(error => errors.push(error))
  })
  const told: unknown[] = []
  stack.watch(address => told.push(address))
  peer.tcp({ flags: 2, seq: 100 })
  await world.run(5)
  const [{ seq }] = peer.segments()
  peer.tcp({ flags: 0x10, seq: 101, ack: seq + 1 })
  peer.tcp({ flags: 2, seq: 100, sourcePort: 5001 }) // half open
  await world.run(5)
  t.is(stack.tcp.connections, 2)
  peer.frames.length = 0

  stack.configure({ address: '10.0.7.9', netmask: '255.255.255.255', gateway: '10.0.7.1', dns: ['10.139.1.1'] })
  await world.run(5)
  t.is(stack.tcp.connections, 0)
  t.is(errors.length, 1)
  t.true(errors[0] instanceof SocketError && errors[0].code === 'ENETRESET')
  t.is(
    (errors[0] as Error).message,
    'connection to 10.0.0.1:5000 is reset, the network was changed: it is 10.0.7.9/32 via 10.0.7.1, DNS 10.139.1.1 now. Connect again.',
  )
  t.deepEqual(told, ['10.0.7.9'])
  t.deepEqual([stack.address, stack.gateway, stack.dns], ['10.0.7.9', '10.0.7.1', ['10.139.1.1']])
  const [announcement, question] = arps(peer.frames)
  t.is(announcement, ARP_ANNOUNCEMENT(hex('10.0.7.9')))
  t.is(question.slice(-8), hex('10.0.7.1'))
  t.deepEqual(
    peer.segments().map(({ flags }) => flags),
    [0x14, 0x14],
  ) // RST from the old address
  t.true(
    world.logLines.some(line =>
      line.endsWith('[stack] the network was changed: 10.0.7.9/32 via 10.0.7.1, DNS 10.139.1.1; connections that were reset: 2'),
    ),
  )

  const router = new RawPeer(wire, '10.0.7.1', '10.0.7.9', '00:16:3e:5e:6c:00')
  router.tcp({ flags: 2, seq: 500 })
  await world.run(400)
  t.deepEqual(
    router.segments().map(({ flags }) => flags),
    [0x12],
  )
  peer.tcp({ flags: 2, seq: 700, sourcePort: 5002 })
  await world.run(5)
  t.false(peer.segments().some(({ destinationPort }) => destinationPort === 5002)) // nobody is at the old address
})

test('who is told that his connection is gone can connect again at once, from the new address', async t => {
  const { world, client, server } = pair(3)
  void server.tcp.listen({ port: 7 }, () => {})
  const connecting = client.tcp.connect({ host: '10.0.0.2', port: 7 })
  await world.run(20)
  const connection = await connecting
  const again = connection.closed.catch(() => client.tcp.connect({ host: '10.0.0.2', port: 7 }))
  client.configure({ address: '10.0.0.33', prefix: 24 })
  await world.run(50)
  t.is((await again)?.local.address, '10.0.0.33')
  t.is(server.tcp.connections, 1)
})

test('without an address nothing is answered and nothing goes out; once there is one, all works', async t => {
  const world = new World(1)
  const wire = new Wire(world)
  const device = wire.device('00:16:3e:5e:6c:00')
  const stack = createStack(world.machine('stack'), device)
  void stack.tcp.listen({ port: 80 }, () => {})
  const peer = new RawPeer(wire, '10.0.0.1', '0.0.0.0', '00:16:3e:5e:6c:00')
  peer.arp(1)
  peer.tcp({ flags: 2 })
  peer.icmp(8, 0, [1, 2, 3, 4])
  await world.run(100)
  await t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 80 }), {
    code: 'EHOSTUNREACH',
    message: /this stack has no address, there is no network \(yet\)/,
  })
  t.is(stack.address, undefined)
  t.deepEqual(peer.frames, [])
  stack.configure({ address: '10.0.0.2', prefix: 24 })
  const real = new RawPeer(wire, '10.0.0.1', '10.0.0.2', '00:16:3e:5e:6c:00')
  real.tcp({ flags: 2 })
  await world.run(5)
  t.deepEqual(
    real.segments().map(({ flags }) => flags),
    [0x12],
  )
  stack.configure(undefined)
  t.is(stack.tcp.connections, 0)
  await world.run(5)
  t.is(device.reserved, 0)
})

test('other name servers reset nothing; the same again is no change; nonsense is refused and changes nothing', async t => {
  const { world, stack, peer } = raw()
  void stack.tcp.listen({ port: 80 }, () => {})
  peer.tcp({ flags: 2 })
  await world.run(5)
  const told: unknown[] = []
  const end = stack.watch(address => told.push(address))
  peer.frames.length = 0
  stack.configure({ address: '10.0.0.2', prefix: 24, dns: ['10.0.0.53'] })
  stack.configure({ address: '10.0.0.2', netmask: '255.255.255.0', dns: ['10.0.0.53'] })
  t.throws(() => stack.configure({ address: '10.0.0.256' }), { name: 'StackConfigError' })
  t.throws(() => stack.configure({ address: '10.0.0.3', gateway: '10.0.0.3' }), { name: 'StackConfigError' })
  end()
  stack.configure({ address: '10.0.0.2', prefix: 24 })
  await world.run(1)
  t.deepEqual(told, ['10.0.0.2'])
  t.is(stack.tcp.connections, 1)
  t.deepEqual(arps(peer.frames), [])
})

test('a change of one family leaves the neighbours and paths of the other as they are', async t => {
  const { world, wire, stack, peer } = raw({ ipv6: { address: 'fd00::2', prefix: 64 } })
  peer.arp(1)
  const other = new RawPeer6(wire, 'fd00::1', 'fd00::2', '00:16:3e:5e:6c:00', '02:00:00:00:00:98')
  other.solicit()
  await world.run(2_000)
  peer.frames.length = 0
  const udp = async (): Promise<string[]> => {
    stack.udp.send(1, '10.0.0.1', 7, new Uint8Array(1))
    stack.udp.send(1, 'fd00::1', 7, new Uint8Array(1))
    await world.run(5)
    return peer.frames.splice(0).map(frame => `${frame.readUInt16BE(12).toString(16)} ${frame[20]} ${frame[54]}`)
  }
  stack.configure({ address: '10.0.0.2', prefix: 24, ipv6: { address: 'fd00::2', prefix: 64, gateway: 'fd00::1' } })
  t.false(
    (await udp()).some(frame => frame.startsWith('806')),
    'nobody is asked by ARP',
  )
  await world.run(2_000)
  peer.frames.length = 0
  other.frames.length = 0
  stack.configure({ address: '10.0.0.2', prefix: 24, gateway: '10.0.0.1', ipv6: { address: 'fd00::2', prefix: 64, gateway: 'fd00::1' } })
  await udp()
  t.deepEqual(
    other.frames.splice(0).map(frame => frame[20]),
    [17],
    'no neighbour discovery',
  )
})

test('on another wire neighbours are asked anew, the address is announced with the new MAC, and connections go on', async t => {
  const { world, stack, peer, device } = raw({ gateway: '10.0.0.1' })
  const received: number[] = []
  void stack.tcp.listen({ port: 80 }, async connection => {
    for (let bytes; (bytes = await connection.read()) !== undefined; ) received.push(bytes.length)
  })
  peer.tcp({ flags: 2, seq: 100 })
  await world.run(5)
  const [{ seq }] = peer.segments()
  peer.tcp({ flags: 0x10, seq: 101, ack: seq + 1 })
  await world.run(5)
  device.mac.set([0, 0x16, 0x3e, 1, 1, 1])
  peer.targetMac.splice(0, 6, 0, 0x16, 0x3e, 1, 1, 1)
  peer.frames.length = 0
  device.onConnected!()
  await world.run(5)
  t.is(arps(peer.frames)[0], `ffffffffffff00163e010101${'08060001080006040001'}00163e0101010a0000020000000000000a000002`)
  peer.frames.length = 0
  peer.tcp({ flags: 0x18, seq: 101, ack: seq + 1, payload: pattern(10) })
  await world.run(300)
  t.deepEqual(received, [10])
  const answer = peer.frames.find(frame => frame.readUInt16BE(12) === 0x800)!
  t.is(answer.subarray(0, 12).toString('hex'), '02000000009900163e010101')
})

test('a change in the middle of a transfer gives every buffer back', async t => {
  const { world, client, server, clientDevice, serverDevice } = pair(5, { loss: 0.02 })
  void server.tcp.listen({ port: 7 }, async connection => {
    while ((await connection.read().catch(() => undefined)) !== undefined);
  })
  for (let round = 0; round < 5; round++) {
    const connecting = client.tcp.connect({ host: '10.0.0.2', port: 7 })
    const write = connecting.then(async connection => {
      for (;;) await connection.write(pattern(50_000))
    })
    await world.run(400 + 37 * round)
    client.configure({ address: `10.0.0.${10 + round}`, prefix: 24 })
    await t.throwsAsync(write, { code: 'ENETRESET' })
    t.is(client.tcp.connections, 0)
    t.is(client.tcp.memory.used, 0)
  }
  await world.run(300_000)
  t.deepEqual([clientDevice.reserved, serverDevice.reserved], [0, 0])
})

test('a watcher or a handler that throws stops neither the change nor the others', t => {
  const { stack, world } = raw()
  let told = 0
  stack.watch(() => {
    throw new Error('a slip')
  })
  stack.watch(() => told++)
  stack.configure({ address: '10.0.0.9', prefix: 24 })
  t.is(told, 1)
  t.true(world.logLines.some(line => line.includes('a watcher of the network threw')))
})
