/** Addresses, router and name servers from advertisements of routers, good ones and others. */
import test from 'ava'
import { address, type FakeServer, readAsked, tableServer } from '../dns/testing.ts'
import { createStack } from '../stack.ts'
import { octets6, type PacketOptions, RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'

const MAC = '00:16:3e:5e:6c:00'
const ROUTER = 'fe80::1'
const names: FakeServer = tableServer({ 'www.example.org': [address('www.example.org', 'fd00::3')] })
const OWN = '2001:db8:1:0:216:3eff:fe5e:6c00'
const HOUR = 3600

const be32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const prefixOption = (prefix: string, { bits = 64, flags = 0xc0, valid = HOUR, preferred = HOUR } = {}): number[] => [
  3,
  4,
  bits,
  flags,
  ...be32(valid),
  ...be32(preferred),
  0,
  0,
  0,
  0,
  ...octets6(prefix),
]
const dnsOption = (lifetime: number, ...servers: string[]): number[] => [
  25,
  1 + 2 * servers.length,
  0,
  0,
  ...be32(lifetime),
  ...servers.flatMap(octets6),
]
const mtuOption = (mtu: number): number[] => [5, 1, 0, 0, ...be32(mtu)]

async function setUp(config: { address?: string; prefix?: number } = {}) {
  const world = new World(1)
  const wire = new Wire(world, { delay: 0.1 })
  const device = wire.device(MAC)
  const router = new RawPeer6(wire, ROUTER, OWN, MAC)
  const stack = createStack(world.machine('stack'), device, { ipv6: { auto: true, ...config } })
  const told: unknown[] = []
  stack.watch(address => told.push(address))
  await world.run(100)
  const advertise = async (lifetime: number, options: number[], packet: PacketOptions = {}): Promise<void> => {
    router.icmp([134, 0, 0, 0, 64, 0, lifetime >> 8, lifetime & 255, ...be32(0), ...be32(0), ...options], {
      hopLimit: 255,
      target: 'ff02::1',
      mac: [0x33, 0x33, 0, 0, 0, 1],
      ...packet,
    })
    await world.run(5)
  }
  return { world, wire, device, router, stack, told, advertise, texts: () => stack.addresses.map(({ address }) => address) }
}

test('routers are asked for, less and less often, and what one says is used', async t => {
  const { world, router, stack, told, advertise } = await setUp()
  const [question] = router.icmps(133)
  t.is(question.subarray(0, 6).toString('hex'), '333300000002')
  t.deepEqual([...question.subarray(62)], [1, 1, 0, 0x16, 0x3e, 0x5e, 0x6c, 0])
  await world.run(30_000)
  t.is(router.icmps(133).length, 3) // 4, 12 and 28 s
  await advertise(1800, [...prefixOption('2001:db8:1::'), ...mtuOption(1400), ...dnsOption(1800, '2001:db8:1::53')])
  t.deepEqual(stack.addresses, [{ address: OWN, prefix: 64, family: 6 }])
  t.deepEqual(stack.dns, ['2001:db8:1::53'])
  t.deepEqual(told, [OWN])
  t.regex(world.logLines.join('\n'), /the network was changed: IPv6 of a router, 2001:db8:1:0:216:3eff:fe5e:6c00, DNS 2001:db8:1::53$/m)
  router.frames.length = 0
  // Through the router, in packets that its network carries.
  stack.udp.send(7, '2001:db8:99::1', 7, new Uint8Array(1400))
  await world.run(5)
  const pieces = router.frames.filter(frame => frame[20] === 44)
  t.deepEqual(
    pieces.map(frame => frame.length <= 1414 && frame.subarray(0, 6).toString('hex')),
    ['020000000099', '020000000099'],
  )
  await world.run(600_000)
  t.is(router.icmps(133).length, 0)
  await advertise(1800, prefixOption('2001:db8:1::'))
  t.deepEqual(told, [OWN]) // nothing new
})

test('nobody takes an address away at once; when its time is over its connections end', async t => {
  const { world, router, stack, told, advertise, texts } = await setUp()
  await advertise(9000, prefixOption('2001:db8:1::', { valid: 3 * HOUR }))
  router.solicit({ source: ROUTER, wanted: OWN })
  await world.run(2_000)
  const closed: unknown[] = []
  const handler = { onData: () => 0, onEnd() {}, onWritable() {}, onClosed: (error?: Error) => void closed.push(error?.message) }
  stack.tcp.bind(80, {}, () => handler)
  const far = '2001:db8:7::7'
  router.tcp({ flags: 2, seq: 1000 }, { source: far })
  await world.run(5)
  router.tcp({ seq: 1001, ack: router.tcps()[0].readUInt32BE(58) + 1 }, { source: far })
  await world.run(5)
  for (const valid of [0, 1, 60]) await advertise(9000, prefixOption('2001:db8:1::', { valid, preferred: 0 }))
  await world.run(2 * HOUR * 1000 - 1_000)
  t.deepEqual(texts(), [OWN])
  t.deepEqual(closed, [])
  await world.run(2_000)
  t.deepEqual(texts(), [])
  t.deepEqual(closed, [`connection to [${far}]:5000 is reset, the network was changed: its address ${OWN} is lost. Connect again.`])
  t.deepEqual(told, [OWN, undefined])
})

test('a deprecated address serves, but nothing new is begun from it while there is another', async t => {
  const { stack, advertise, texts } = await setUp()
  await advertise(1800, [...prefixOption('2001:db8:1::'), ...prefixOption('2001:db8:2::')])
  t.is(texts().length, 2)
  t.is(stack.link.sourceFor('2001:db8:1::9'), OWN)
  await advertise(1800, prefixOption('2001:db8:1::', { preferred: 0 }))
  t.regex(stack.link.sourceFor('2001:db8:1::9')!, /^2001:db8:2:/)
  t.is(texts().length, 2)
})

test('a router that goes is not used any more, and others are asked for', async t => {
  const { world, router, stack, advertise } = await setUp()
  await advertise(120, prefixOption('2001:db8:1::', { flags: 0x40 }))
  t.is(stack.link.sourceFor('2001:db8:9::1'), OWN)
  t.is(stack.addresses[0].prefix, 128) // nobody said that others of the prefix are on the link
  await advertise(0, [])
  t.is(stack.link.sourceFor('2001:db8:9::1'), undefined)
  await advertise(120, [])
  t.is(stack.link.sourceFor('2001:db8:9::1'), OWN)
  router.frames.length = 0
  await world.run(125_000)
  t.is(stack.link.sourceFor('2001:db8:9::1'), undefined)
  t.is(router.icmps(133).length, 2)
})

test('advertisements that nobody should believe, and more of them than anybody needs', async t => {
  const { world, device, stack, advertise, texts } = await setUp({ address: 'fd00::2', prefix: 64 })
  const good = prefixOption('2001:db8:1::')
  const { counters } = stack
  const malformed: [number[], PacketOptions?][] = [
    [good, { hopLimit: 254 }],
    [good, { source: '2001:db8:1::1' }],
    [good.slice(0, 31)],
    [[3, 0, ...good.slice(2)]],
  ]
  for (const [i, [options, packet]] of malformed.entries()) {
    const before = counters.malformed
    await advertise(1800, options, packet)
    t.is(counters.malformed, before + 1, String(i))
  }
  const useless = [
    prefixOption('2001:db8:1::', { bits: 60 }),
    prefixOption('2001:db8:1::', { flags: 0x80 }),
    prefixOption('2001:db8:1::', { valid: 30, preferred: 30 }),
    prefixOption('2001:db8:1::', { valid: 100, preferred: 200 }),
    prefixOption('fe80::'),
    prefixOption('ff02::'),
    [3, 1, 64, 0xc0, 0, 0, 0, 0],
    mtuOption(1279),
    mtuOption(9000),
    dnsOption(1800, 'ff02::1', '::1'),
    [25, 1, 0, 0, 0, 0, 7, 8],
    [200, 1, 0, 0, 0, 0, 0, 0],
  ]
  for (const options of useless) await advertise(1800, options)
  t.deepEqual([texts(), stack.dns, stack.link.ipv6.mtu], [['fd00::2'], [], 1500])
  for (let i = 1; i < 40; i++) {
    const many = prefixOption(`2001:db8:${i.toString(16)}::`)
    await advertise(1800, [...many, ...dnsOption(1800, `2001:db8::${i}`)], { source: `fe80::${i}` })
  }
  t.is(texts().length, 5)
  t.is(stack.dns.length, 3)
  t.true(world.logLines.length < 20)
  stack.configure({ ipv6: { address: 'fd00::2', prefix: 64 } })
  t.deepEqual([texts(), stack.dns], [['fd00::2'], []])
  const before = counters.ndpIgnored
  await advertise(1800, good)
  t.is(counters.ndpIgnored, before + 1)
  await world.run(200_000_000)
  t.is(device.reserved, 0)
})

test('a router that is none, or none any more, does not end the question for others', async t => {
  const { world, router, advertise } = await setUp()
  await advertise(0, [])
  router.frames.length = 0
  await world.run(10_000)
  t.true(router.icmps(133).length > 0)
  await advertise(1800, [])
  await world.run(3_600_000)
  router.frames.length = 0
  await advertise(1800, [])
  await world.run(100_000)
  t.is(router.icmps(133).length, 0)
  await advertise(0, [])
  await world.run(5_000)
  t.is(router.icmps(133).length, 1)
  // Nobody can have us ask more often.
  for (let i = 0; i < 500; i++) await advertise(i % 2 === 0 ? 1800 : 0, [])
  t.true(router.icmps(133).length <= 1)
})

test('who advertises other things again and again neither fills the log nor keeps names from being resolved', async t => {
  const { world, wire, router, stack, advertise } = await setUp({ address: 'fd00::2', prefix: 64 })
  const server = createStack(world.machine('server'), wire.device('02:00:00:00:00:01'), { ipv6: { address: 'fd00::1', prefix: 64 } })
  stack.configure({ ipv6: { auto: true, address: 'fd00::2', prefix: 64 }, dns: ['fd00::1'] })
  server.udp.bind(53, (bytes, offset, length, from, port) => {
    const question = readAsked(bytes.slice(offset, offset + length), false, port)
    world.at(20, () => {
      for (const answer of names(question) as Uint8Array[]) server.udp.send(53, from, port, answer)
    })
  })
  await world.run(2_000)
  let found: unknown
  stack.resolve('www.example.org').then(
    addresses => (found = addresses),
    error => (found = error),
  )
  for (let i = 0; i < 500; i++) await advertise(1800, dnsOption(i % 2 === 0 ? 600 : 0, 'fd00::9'))
  t.deepEqual(found, ['fd00::3'])
  // And addresses that somebody has as soon as they are there.
  for (let i = 0; i < 100; i++) {
    const prefix = `2001:db8:${i}::`
    await advertise(1800, prefixOption(prefix))
    router.advertise({ of: `2001:db8:${i}:0:216:3eff:fe5e:6c00`, flags: 0x20, target: 'ff02::1', mac: [...router.device.mac] })
    await world.run(5)
  }
  t.true(world.logLines.length < 60, `${world.logLines.length} lines`)
})
