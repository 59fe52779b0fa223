/** The DHCP client beside the stack, in frames. */
import test from 'ava'
import { createStack } from '../stack.ts'
import { DhcpServerDouble } from '../testing/dhcp-server.ts'
import { type SimulatedDevice, Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { options } from '../wire/dhcp.ts'
import { followDhcp } from './host.ts'
import { type AnswerSpec, goodOptions } from './testing.ts'

function setUp(spec: AnswerSpec = {}, address = '10.0.0.1') {
  const world = new World(1)
  const wire = new Wire(world)
  const device = wire.device('00:16:3e:5e:6c:01')
  const port: SimulatedDevice = wire.device('02:00:00:00:00:01')
  const server = new DhcpServerDouble(frame => wire.transmit(frame, port), spec, address)
  port.onReceive = ({ u8 }, length) => server.receive(u8.slice(0, length))
  const machine = world.machine('guest')
  const stack = createStack(machine, device)
  const told: (string | undefined)[] = []
  stack.watch(address => told.push(address))
  const dhcp = followDhcp(machine, device, stack, { hostName: 'web' })
  let bound = false
  void dhcp.bound.then(() => {
    bound = true
  })
  return { world, wire, device, server, stack, dhcp, told, machine, isBound: () => bound }
}

test('an address is asked for, probed, used, announced, renewed and given back', async t => {
  const { world, device, server, stack, dhcp, told, isBound } = setUp({ options: goodOptions('10.0.0.1', 100) })
  await world.run(3_900)
  t.deepEqual([stack.address, isBound()], [undefined, false])
  t.deepEqual(server.probed, ['10.0.0.50', '10.0.0.50', '10.0.0.50'])
  await world.run(2_200)
  t.deepEqual([stack.address, stack.gateway, stack.dns], ['10.0.0.50', '10.0.0.1', ['10.0.0.1', '10.0.0.2']])
  t.true(isBound())
  t.deepEqual(server.announced, ['10.0.0.50'])
  t.deepEqual(server.types, ['discover', 'request'])
  t.is(server.seen[0].from, '0.0.0.0')
  await world.run(60_000)
  t.deepEqual(server.types, ['discover', 'request', 'request'])
  t.deepEqual([server.seen[2].from, server.seen[2].to], ['10.0.0.50', '10.0.0.1'])
  await world.run(200_000)
  t.true(server.types.length > 5)
  t.deepEqual(told, ['10.0.0.50'])
  dhcp.close()
  t.is(server.types.at(-1), 'request')
  await world.run(10)
  t.is(server.types.at(-1), 'release')
  t.is(server.seen.at(-1)!.to, '10.0.0.1')
  stack.close()
  await world.run(10)
  t.is(device.reserved, 0)
  t.is(world.pending, 0)
  t.is(stack.counters.badAddress, 0)
})

test("its routes and its MTU are the stack's", async t => {
  const routes = Uint8Array.of(16, 10, 1, 10, 0, 0, 9, 24, 10, 2, 2, 0, 0, 0, 0, 0, 10, 0, 0, 8)
  const { world, stack, device } = setUp({
    extra: [
      [options.routes, routes],
      [options.mtu, Uint8Array.of(4, 0xb0)],
    ],
  })
  await world.run(7_000)
  t.is(stack.gateway, '10.0.0.8')
  t.true(
    world.logLines.some(line => line.includes('10.0.0.50/24 via 10.0.0.8, 10.1.0.0/16 via 10.0.0.9, 10.2.2.0/24 on the link, MTU 1200')),
    world.logLines.join('\n'),
  )
  t.is(stack.udp.routeTo('10.1.1.1').mtu, 1200)
  t.not(stack.udp.routeTo('10.1.1.1').hop, stack.udp.routeTo('10.3.1.1').hop)
  t.is(stack.udp.routeTo('10.1.1.1').hop, stack.udp.routeTo('10.0.0.9').hop)
  await world.run(5_000) // nobody answers for those
  t.is(device.reserved, 0)
})

test('the lease is given back also when nothing else goes to the server, and the stack ends at once', async t => {
  const { world, server, stack, dhcp } = setUp({ options: goodOptions('10.0.0.9') }, '10.0.0.9')
  await world.run(100_000)
  dhcp.close()
  stack.close()
  await world.run(10)
  t.is(server.types.at(-1), 'release')
  t.is(world.pending, 0)
})

test('a server that sends to an address which the client does not have yet is heard', async t => {
  const { world, server, stack } = setUp()
  server.unicast = true
  await world.run(7_000)
  t.is(stack.address, '10.0.0.50')
  t.is(stack.counters.badAddress, 0)
})

test('an address that another host has is declined, and the next one taken', async t => {
  const { world, server, stack, told } = setUp()
  server.taken.add('10.0.0.50')
  await world.run(5_000)
  t.deepEqual(server.types, ['discover', 'request', 'decline'])
  t.deepEqual(server.probed, ['10.0.0.50'])
  const good = server.server
  server.server = sent => good(sent).map(answer => ({ ...answer, address: '10.0.0.51' }))
  await world.run(20_000)
  t.deepEqual(told, ['10.0.0.51'])
  t.is(stack.address, '10.0.0.51')
})

for (const [title, sender, target, operation, declined] of [
  ['somebody probes for it too', [0, 0, 0, 0], [10, 0, 0, 50], 1, true],
  ['somebody asks from it', [10, 0, 0, 50], [10, 0, 0, 7], 1, true],
  ['somebody announces it', [10, 0, 0, 50], [10, 0, 0, 50], 1, true],
  ['somebody probes for another', [0, 0, 0, 0], [10, 0, 0, 51], 1, false],
  ['an answer from nobody', [0, 0, 0, 0], [10, 0, 0, 50], 2, false],
] as const) {
  test(`while it is probed: ${title}`, async t => {
    const { world, wire, server, stack } = setUp()
    await world.run(900)
    t.is(server.probed.length, 1)
    const mac = [2, 0, 0, 0, 0, 7]
    const all = new Array<number>(6).fill(255)
    const head = [...all, ...mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, operation]
    wire.transmit(Uint8Array.of(...head, ...mac, ...sender, 0, 0, 0, 0, 0, 0, ...target), wire.devices[1])
    await world.run(6_000)
    t.is(server.types.includes('decline'), declined)
    t.is(stack.address, declined ? undefined : '10.0.0.50')
  })
}

test('a lease that is not prolonged ends: connections are reset, the address is gone, a new one is asked for', async t => {
  const { world, server, stack, told } = setUp({ options: goodOptions('10.0.0.1', 100) })
  await world.run(7_000)
  server.silent = true
  await world.run(80_000)
  t.is(stack.address, '10.0.0.50')
  const connecting = stack.tcp.connect({ host: '10.0.0.1', port: 80 })
  const failed = t.throwsAsync(connecting, { code: 'ENETRESET', message: /there is none any more/ })
  await world.run(20_000)
  await failed
  t.deepEqual(told, ['10.0.0.50', undefined])
  server.silent = false
  await world.run(80_000)
  t.deepEqual(told, ['10.0.0.50', undefined, '10.0.0.50'])
})

test('a refusal ends the lease at once', async t => {
  const { world, server, told, dhcp } = setUp()
  await world.run(7_000)
  server.server = ({ message }) => (message.type === 'request' ? [{ type: 'nak' }] : [])
  dhcp.reconnect()
  await world.run(100)
  t.deepEqual(told, ['10.0.0.50', undefined])
})

test('on a wire again, and after a suspend, the lease is confirmed, and nothing is reset', async t => {
  const { world, server, told, dhcp, device } = setUp()
  await world.run(7_000)
  device.onConnected?.()
  await world.run(100)
  t.deepEqual(server.types.slice(2), ['request'])
  t.deepEqual(server.announced.length, 2) // the stack's own part of it is not lost
  dhcp.reconnect()
  await world.run(100)
  t.deepEqual(server.types.slice(2), ['request', 'request'])
  t.deepEqual(told, ['10.0.0.50'])
})

test('on a wire again while it asks: all over again, and at once', async t => {
  const { world, server, device, stack } = setUp()
  server.silent = true
  await world.run(30_000)
  const before = server.types.length
  server.silent = false
  device.onConnected?.()
  await world.run(10)
  t.deepEqual(server.types.slice(before), ['discover', 'request'])
  device.onConnected?.() // while it probes
  await world.run(7_000)
  t.is(stack.address, '10.0.0.50')
  t.is(server.probed.filter(address => address === '10.0.0.50').length, 4)
})

test('messages to all that are none of ours are counted as before', async t => {
  const { world, wire, stack } = setUp()
  await world.run(7_000)
  const before = stack.counters.badChecksum
  const frame = new Uint8Array(60).fill(255, 0, 6)
  frame.set([2, 0, 0, 0, 0, 7, 8, 0, 0x45, 0, 0, 46], 6)
  wire.transmit(frame, wire.devices[1])
  await world.run(10)
  t.is(stack.counters.badChecksum, before + 1)
})

test('without a frame, and afterwards, nothing is left', async t => {
  const { world, server, stack, device, dhcp } = setUp()
  const frames = []
  for (let frame = device.reserve(); frame !== undefined; frame = device.reserve()) frames.push(frame)
  await world.run(3_000)
  for (const frame of frames) device.discard(frame)
  await world.run(20_000)
  t.is(stack.address, '10.0.0.50')
  dhcp.reconnect()
  dhcp.close()
  const before = server.seen.length
  await world.run(100)
  device.onConnected?.()
  await world.run(100_000)
  t.deepEqual(
    server.types.slice(before).filter(type => type !== 'release' && type !== 'request'),
    [],
  )
  stack.udp.bind(68, () => {}) // free again
  stack.close()
  await world.run(10)
  t.is(device.reserved, 0)
  t.is(world.pending, 0)
})
