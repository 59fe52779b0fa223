/** IPv6 as a host has it: packets that are answered, and those that are not, each with its reason. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import type { StackConfig } from '../config.ts'
import type { CounterName } from '../counters.ts'
import { createStack } from '../stack.ts'
import { octets6, RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'

const MAC = '00:16:3e:5e:6c:00'
const OWN = 'fd00::2'
const LINK_LOCAL = 'fe80::216:3eff:fe5e:6c00'
const ping = [128, 0, 0, 0, 0x12, 0x34, 0, 1, 1, 2, 3, 4, 5]

/** The stack at fd00::2/64, and a peer at fd00::1; what they said at the start is forgotten. */
async function setUp(ipv6: Partial<NonNullable<StackConfig['ipv6']>> = {}, config: Partial<StackConfig> = {}, ip = 'fd00::1') {
  const world = new World(1)
  const wire = new Wire(world, { delay: 0.1 })
  const device = wire.device(MAC)
  const peer = new RawPeer6(wire, ip, ipv6.address ?? OWN, MAC)
  const stack = createStack(world.machine('stack'), device, { ipv6: { address: OWN, prefix: 64, ...ipv6 }, ...config })
  await world.run(1_500)
  const started = peer.frames.splice(0)
  return { world, wire, device, peer, stack, started, logs: () => world.logLines.filter(line => !line.includes('DBG')) }
}
type Set = Awaited<ReturnType<typeof setUp>>

test('at the start: others are asked for the addresses, told of them, and switches of the groups', async t => {
  const { started, stack } = await setUp()
  const shown = started.map(frame => frame.toString('hex'))
  // DAD (RFC 4862): from ::, to the group of the address, without an option. Worked out by hand.
  const own =
    '02000000'.length &&
    octets6(OWN)
      .map(byte => byte.toString(16).padStart(2, '0'))
      .join('')
  t.is(
    shown[0],
    `3333ff00000200163e5e6c0086dd600000000018${'3aff'}${'00'.repeat(16)}ff0200000000000000000001ff000002${'8700'}7da3${'00000000'}${own}`,
  )
  const kinds = started.map(frame => (frame[20] === 0 ? 'report' : frame[54]))
  t.deepEqual(kinds, [135, 135, 'report', 136, 136, 'report'])
  const report = started[2]
  t.is(report.subarray(0, 6).toString('hex'), '333300000016')
  t.is(report[21], 1) // hop limit
  t.is(
    report
      .subarray(54)
      .toString('hex')
      .replace(/^(.{20})..../, '$1xxxx'),
    `3a000502000001008f00xxxx00000002${'04000000'}ff0200000000000000000001ff000002${'04000000'}ff0200000000000000000001ff5e6c00`,
  )
  t.deepEqual([...started[3].subarray(22, 38)], octets6(OWN))
  t.is(started[3][58], 0x20) // unsolicited: override only
  t.deepEqual(stack.addresses, [{ address: OWN, prefix: 64, family: 6 }])
  t.is(stack.address, OWN)
})

test('an echo request is answered with the same data, from the address it was sent to', async t => {
  const { world, peer, stack } = await setUp()
  peer.icmp(ping)
  await world.run(10)
  const [reply] = peer.icmps(129)
  t.is(
    reply.toString('hex'),
    `02000000009900163e5e6c0086dd60000000000d3a40${'fd00000000000000000000000000000'}2${'fd00000000000000000000000000000'}1${'8100'}6978${'123400010102030405'}`,
  )
  peer.icmp(ping, { target: LINK_LOCAL })
  await world.run(10)
  t.deepEqual([...peer.icmps(129)[0].subarray(22, 38)], octets6(LINK_LOCAL))
  peer.icmp(ping, { target: 'ff02::1', mac: [0x33, 0x33, 0, 0, 0, 1] })
  await world.run(10)
  t.deepEqual([...peer.icmps(129)[0].subarray(22, 38)], octets6(OWN))
  t.is(stack.counters.echoReplies, 3)
})

test('extension headers before an echo request', async t => {
  const { world, peer, stack } = await setUp()
  const options = (next: number, ...bytes: number[]): number[] => [next, 0, ...bytes]
  const padding = [1, 4, 0, 0, 0, 0]
  const good: [number, number[]][] = [
    [0, options(58, ...padding)],
    [60, options(58, 0x1e, 4, 0, 0, 0, 0)],
    [43, [58, 0, 4, 0, 0, 0, 0, 0]],
    [44, [58, 0, 0, 0, 0, 0, 0, 9]],
  ]
  for (const [first, headers] of good) peer.icmp(ping, { first, headers })
  await world.run(10)
  t.is(peer.icmps(129).length, good.length)
  /** Type, code and the value of the answer. */
  const bad: [CounterName, number, number[], number[]?][] = [
    ['sourceRouted', 43, [58, 2, 0, 1, 0, 0, 0, 0, ...octets6('fd00::5')], [4, 0, 42]],
    ['badExtension', 60, options(58, 0x9e, 4, 0, 0, 0, 0), [4, 2, 42]],
    ['badExtension', 60, options(58, 0x5e, 4, 0, 0, 0, 0)],
    ['badExtension', 60, [...options(0, ...padding), ...options(58, ...padding)], [4, 1, 40]],
    ['malformed', 60, options(58, 1, 5, 0, 0, 0, 0)],
    ['foreign', 99, [], [4, 1, 6]],
    ['foreign', 60, options(99, ...padding), [4, 1, 40]],
    ['foreign', 60, options(59, ...padding)],
  ]
  for (const [counter, first, headers, answer] of bad) {
    const before = stack.counters[counter]
    peer.icmp(ping, { first, headers })
    await world.run(10)
    t.is(stack.counters[counter], before + 1, counter)
    const answers = peer.icmps(4).map(frame => [frame[54], frame[55], frame.readUInt32BE(58)])
    t.deepEqual(answers, answer === undefined ? [] : [answer], String([first, headers]))
  }
})

test('what is wrong is dropped and counted by its reason', async t => {
  const { world, peer, stack } = await setUp()
  const { counters } = stack
  stack.tcp.bind(80, {}, () => ({ onData: () => 0, onEnd() {}, onWritable() {}, onClosed() {} }))
  stack.udp.bind(53, () => {})
  const all = [0x33, 0x33, 0, 0, 0, 1]
  const cases: [CounterName, () => void][] = [
    ['malformed', () => peer.sendFrame(new Uint8Array([...peer.targetMac, ...peer.device.mac, 0x86, 0xdd, 0x60]))],
    ['malformed', () => peer.icmp(ping, { change: packet => void (packet[0] = 0x40) })],
    ['malformed', () => peer.icmp(ping, { change: packet => void packet[5]++ })],
    ['malformed', () => peer.icmp(ping, { change: packet => void packet.writeUInt16BE(0, 4) })],
    ['malformed', () => peer.ip6(58, Buffer.from(ping.slice(0, 7)))],
    ['malformed', () => peer.ip6(6, Buffer.alloc(19))],
    ['badChecksum', () => peer.icmp(ping, { checksum: false })],
    ['badChecksum', () => peer.udp(1, 53, new Uint8Array(4), { change: packet => void (packet[47] ^= 1) })],
    // Over IPv6 there is no UDP without a checksum (RFC 8200 section 8.1).
    ['badChecksum', () => peer.udp(1, 53, new Uint8Array(4), { change: packet => void packet.writeUInt16BE(0, 46) })],
    ['badAddress', () => peer.icmp(ping, { source: '::' })],
    ['badAddress', () => peer.icmp(ping, { source: '::1' })],
    ['badAddress', () => peer.icmp(ping, { source: 'ff02::1' })],
    ['badAddress', () => peer.icmp(ping, { source: '::ffff:10.0.0.1' })],
    ['badAddress', () => peer.icmp(ping, { source: OWN })],
    ['badAddress', () => peer.icmp(ping, { source: LINK_LOCAL })],
    ['badAddress', () => peer.icmp(ping, { target: 'fd00::3' })],
    ['badAddress', () => peer.icmp(ping, { target: 'ff02::1' })],
    ['badAddress', () => peer.tcp({ flags: 2 }, { source: 'ff02::1' })],
    ['badAddress', () => peer.tcp({ flags: 2 }, { target: 'ff02::1', mac: all })],
    ['badAddress', () => peer.udp(1, 53, new Uint8Array(4), { target: 'ff02::1', mac: all })],
    ['badAddress', () => peer.icmp(ping, { source: 'ff02::2', target: 'ff02::1', mac: all })],
    ['foreign', () => peer.icmp(ping, { mac: all })], // a packet to one host in a frame to all
    ['foreign', () => peer.icmp(ping, { target: 'ff02::5', mac: [0x33, 0x33, 0, 0, 0, 5] })],
    ['icmpIgnored', () => peer.icmp([200, 0, 0, 0, 0, 0, 0, 0])],
    ['icmpIgnored', () => peer.icmp([137, 0, 0, 0, 0, 0, 0, 0, ...octets6('fd00::9'), ...octets6('fd00::9')], { hopLimit: 255 })],
    ['malformed', () => peer.icmp([1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0])],
    ['icmpIgnored', () => peer.icmp([1, 4, 0, 0, 0, 0, 0, 0, 0x60, ...new Array(47).fill(0)])],
    ['malformed', () => peer.icmp([130, 0, 0, 0, ...new Array(20).fill(0)])], // a query from beyond the link
    ['tcpNoConnection', () => peer.tcp({ destinationPort: 81, flags: 4 })],
  ]
  for (const [i, [name, send]] of cases.entries()) {
    const before = counters[name]
    peer.frames.length = 0
    send()
    await world.run(5)
    t.is(counters[name], before + 1, `case ${i}: ${name}`)
    t.is(peer.frames.length, 0, `case ${i} is not answered`)
  }
})

test('without IPv6 in the configuration nothing is answered and nothing goes out', async t => {
  const world = new World(1)
  const wire = new Wire(world)
  const stack = createStack(world.machine('stack'), wire.device(MAC), { address: '10.0.0.2', prefix: 24 })
  const peer = new RawPeer6(wire, 'fd00::1', LINK_LOCAL, MAC)
  peer.icmp(ping)
  peer.solicit()
  peer.icmp(ping, { target: 'ff02::1', mac: [0x33, 0x33, 0, 0, 0, 1] })
  await world.run(2_000)
  t.deepEqual(peer.frames, [])
  t.is(stack.counters.foreign, 3)
  t.deepEqual(stack.addresses, [{ address: '10.0.0.2', prefix: 24, family: 4 }])
})

test('questions for our MAC address are answered, to who asked; wrong ones are not', async t => {
  const { world, peer, stack } = await setUp()
  for (const wanted of [OWN, LINK_LOCAL]) {
    peer.solicit({ wanted })
    await world.run(5)
    const [answer] = peer.icmps(136)
    t.is(answer.subarray(0, 6).toString('hex'), '020000000099')
    t.is(answer[21], 255)
    t.deepEqual([...answer.subarray(62)], [...octets6(wanted), 2, 1, 0, 0x16, 0x3e, 0x5e, 0x6c, 0])
    t.is(answer[58], 0x60)
  }
  peer.solicit({ target: OWN, mac: peer.targetMac }) // is it there still?
  await world.run(5)
  t.is(peer.icmps(136).length, 1)
  const wrong: [CounterName, Parameters<RawPeer6['solicit']>[0]][] = [
    ['malformed', { hopLimit: 254 }],
    ['malformed', { option: [1, 0] }],
    ['malformed', { option: [1, 2, 0, 0, 0, 0, 0, 0] }],
    ['malformed', { wanted: 'ff02::1', target: OWN, mac: peer.targetMac }],
    ['ndpIgnored', { option: [1, 1, 0x33, 0x33, 0, 0, 0, 1] }],
    ['ndpIgnored', { option: [1, 1, ...peer.targetMac] }],
    ['ndpIgnored', { wanted: 'fd00::3', target: OWN, mac: peer.targetMac }],
    ['ndpIgnored', { source: '::' }], // with an option
    ['ndpIgnored', { source: 'ff02::9' }],
  ]
  for (const [counter, options] of wrong) {
    const before = stack.counters[counter]
    peer.solicit(options)
    await world.run(5)
    t.is(stack.counters[counter], before + 1, JSON.stringify(options))
    t.is(peer.frames.length, 0, JSON.stringify(options))
  }
})

/** Sends an empty datagram to the peer; the MAC address it went to, if it went. */
async function sendTo({ world, stack, peer }: Set, to = peer.ip): Promise<string | undefined> {
  stack.udp.send(7, to, 7, new Uint8Array(1))
  await world.run(5)
  const frame = peer.frames.splice(0).find(each => each[20] === 17)
  return frame?.subarray(0, 6).toString('hex')
}

test('neighbours: asked once, believed for a minute, then asked where they were; moved by what they say', async t => {
  const set = await setUp()
  const { world, peer, stack } = set
  stack.udp.send(7, peer.ip, 7, new Uint8Array(1))
  await world.run(5)
  const [question, datagram] = peer.frames.splice(0)
  t.is(question.subarray(0, 6).toString('hex'), '3333ff000001')
  t.deepEqual([...question.subarray(22, 38)], octets6(OWN)) // not from the link-local address: netvms of Qubes drop that
  t.deepEqual([...question.subarray(78)], [1, 1, 0, 0x16, 0x3e, 0x5e, 0x6c, 0])
  t.is(datagram[20], 17)
  await world.run(61_000)
  stack.udp.send(7, peer.ip, 7, new Uint8Array(1))
  await world.run(5)
  const again = peer.frames.splice(0)
  t.is(
    again
      .filter(frame => frame[54] === 135)[0]
      .subarray(0, 6)
      .toString('hex'),
    '020000000099',
  )

  const moved = [2, 0, 0, 0, 0, 0x77]
  peer.advertise({ mac: moved, flags: 0x40 }) // without override: doubt, and the old one
  await world.run(1)
  t.is(await sendTo(set), '020000000099')
  peer.advertise({ mac: moved, flags: 0x20 }) // unsolicited
  await world.run(1)
  t.is(await sendTo(set), '020000000077')
  await world.run(2_000)
  // Nobody has asked for this answer: who it is about is asked, and has the last word.
  peer.advertise({})
  await world.run(1)
  await sendTo(set)
  await world.run(5)
  peer.advertise({ mac: moved, flags: 0x60 })
  await world.run(1)
  t.is(await sendTo(set), '020000000077')
  await world.run(5)
  t.is(await sendTo(set), '020000000099')
  peer.advertise({ mac: [0x33, 0x33, 0, 0, 0, 1] })
  peer.advertise({ mac: peer.targetMac })
  peer.advertise({ of: 'fd00::4' }) // nobody asked
  await world.run(5)
  t.is(stack.counters.ndpIgnored, 3)
})

test('neighbours that say nothing: few frames wait, and are dropped; and the cache is bounded', async t => {
  const { world, peer, stack, device } = await setUp({}, { limits: { neighbours: 8 } })
  peer.answers = false
  for (let i = 0; i < 10; i++) stack.udp.send(7, 'fd00::9', 7, new Uint8Array(1))
  await world.run(2_000)
  t.is(peer.icmps(135).length, 3)
  t.is(stack.counters.noRoute, 10)
  t.is(device.reserved, 0)
  for (let i = 0; i < 40; i++) stack.udp.send(7, `fd00::1:${i.toString(16)}`, 7, new Uint8Array(1))
  for (let i = 0; i < 40; i++) peer.solicit({ source: `fd00::2:${i.toString(16)}` })
  await world.run(5_000)
  t.is(device.reserved, 0)
  t.is(world.pending <= 8, true)
})

test('as in Qubes: /128, the gateway is off the link, is asked from our own address, and is fe:ff:ff:ff:ff:ff when it says nothing', async t => {
  const gateway = 'fe80::fcff:ffff:feff:ffff'
  const address = 'fd09:24ef:4179::a89:10'
  const set = await setUp({ address, prefix: 128, gateway }, {}, gateway)
  const { started, peer, world, logs } = set
  const questions = started.filter(frame => frame[54] === 135 && frame.subarray(62, 78).equals(Buffer.from(octets6(gateway))))
  t.deepEqual([...questions[0].subarray(22, 38)], octets6(address))
  t.is(await sendTo(set, '2001:db8::1'), '020000000099')
  peer.answers = false
  await world.run(70_000)
  t.is(await sendTo(set, '2001:db8::1'), '020000000099') // where it was
  t.deepEqual(logs(), ['0.000 stack: INF [stack] fd09:24ef:4179::a89:10/128 via fe80::fcff:ffff:feff:ffff'])

  const silent = await setUp({ address, prefix: 128, gateway })
  t.is(await sendTo(silent, '2001:db8::1'), 'feffffffffff')
  t.regex(silent.logs()[1], /gateway fe80::fcff:ffff:feff:ffff answers no neighbour solicitation, using fe:ff:ff:ff:ff:ff/)
})

test('an address that another host has is not used; later claims are told, now and then', async t => {
  const world = new World(1)
  const wire = new Wire(world)
  const peer = new RawPeer6(wire, 'fd00::1', OWN, MAC)
  const stack = createStack(world.machine('stack'), wire.device(MAC), { ipv6: { address: OWN, prefix: 64 } })
  const told: unknown[] = []
  stack.watch(address => told.push(address))
  await world.run(100)
  peer.advertise({ of: OWN, source: OWN, target: 'ff02::1', flags: 0x20, change: undefined })
  await world.run(100)
  t.is(stack.address, OWN) // it was sent to our own MAC address: no answer to a claim, and no host could

  const claim = (of: string): void => {
    const to = { source: of, target: 'ff02::1' }
    const message = [136, 0, 0, 0, 0x20, 0, 0, 0, ...octets6(of), 2, 1, 2, 0, 0, 0, 0, 0x99]
    peer.icmp(message, { hopLimit: 255, mac: [0x33, 0x33, 0, 0, 0, 1], ...to })
  }
  claim(OWN)
  await world.run(100)
  t.deepEqual(stack.addresses, [])
  t.deepEqual(told, [undefined])
  t.regex(world.logLines.join('\n'), /ERR \[stack:ndp\] address fd00::2 is not used: the host at 02:00:00:00:00:99 has it already; give/)
  peer.icmp(ping)
  await world.run(100)
  t.is(peer.icmps(129).length, 0)
  // The other address is ours by now.
  await world.run(2_000)
  claim(LINK_LOCAL)
  claim(LINK_LOCAL)
  await world.run(100)
  const neighbour = new RawPeer6(wire, 'fe80::98', LINK_LOCAL, MAC, '02:00:00:00:00:98')
  neighbour.icmp(ping)
  await world.run(100)
  t.is(neighbour.icmps(129).length, 1)
  t.is(world.logLines.filter(line => /WRN .*says that it has our address fe80::216:3eff:fe5e:6c00/.test(line)).length, 1)
})

test('somebody who asks whether an address of ours is taken hears that it is', async t => {
  const { world, peer } = await setUp()
  peer.solicit({ source: '::', option: [] })
  await world.run(5)
  const [answer] = peer.icmps(136)
  t.is(answer.subarray(0, 6).toString('hex'), '333300000001')
  t.is(answer[58], 0x20)
})

test('messages of the link in fragments are not taken (RFC 6980)', async t => {
  const { world, peer, stack } = await setUp()
  const { counters } = stack
  const whole = [58, 0, 0, 0, 0, 0, 0, 9] // even as the only fragment
  const before = stack.link.ipv6.ndp.size
  peer.solicit({ first: 44, headers: whole })
  peer.advertise({ first: 44, headers: whole })
  peer.icmp([134, 0, 0, 0, 64, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0], { first: 44, headers: whole, hopLimit: 255, source: 'fe80::1' })
  await world.run(10)
  t.is(counters.ndpIgnored, 3)
  t.is(peer.icmps(136).length, 0)
  t.is(stack.link.ipv6.ndp.size, before)
  const message = Buffer.from([135, 0, 0, 0, 0, 0, 0, 0, ...octets6(OWN), 1, 1, ...peer.device.mac])
  message.writeUInt16LE(peer.sum(58, message), 2)
  peer.ip6(58, message.subarray(0, 16), { first: 44, headers: [58, 0, 0, 1, 0, 0, 0, 7], hopLimit: 255 })
  peer.ip6(58, message.subarray(16), { first: 44, headers: [58, 0, 0, 16, 0, 0, 0, 7], hopLimit: 255 })
  await world.run(10)
  t.is(counters.reassembled, 1)
  t.is(counters.ndpIgnored, 4)
  t.is(peer.icmps(136).length, 0)
  peer.solicit()
  await world.run(10)
  t.is(peer.icmps(136).length, 1)
})

test('a question of a router for groups is answered, once for many', async t => {
  const { world, peer } = await setUp()
  const query = (): void =>
    peer.icmp([130, 0, 0, 0, 0x03, 0xe8, 0, 0, ...new Array(16).fill(0), 2, 125, 0, 0], {
      hopLimit: 1,
      source: 'fe80::1',
      target: 'ff02::1',
      mac: [0x33, 0x33, 0, 0, 0, 1],
      headers: [58, 0, 5, 2, 0, 0, 1, 0],
      first: 0,
    })
  query()
  query()
  await world.run(1_100)
  const reports = peer.frames.splice(0).filter(frame => frame[20] === 0)
  t.is(reports.length, 1)
  t.is(reports[0][70], 2) // current state: exclude
})

test('a port without a receiver is told so, with the packet, within a limit', async t => {
  const { world, peer, stack } = await setUp()
  peer.udp(1000, 9, new Uint8Array(2000).subarray(0, 1300))
  await world.run(10)
  const [error] = peer.icmps(1)
  t.is(error[55], 4)
  t.is(error.length, 14 + 1280)
  t.is(error.readUInt16BE(62 + 40), 1000)
  for (let i = 0; i < 200; i++) peer.udp(1000, 9, new Uint8Array(4))
  await world.run(10)
  t.true(peer.icmps(1).length < 60)
  t.true(stack.counters.icmpErrorsLimited > 140)
})

test('the largest datagram is 65,527 bytes: the header does not count, as it does in IPv4', async t => {
  const { world, peer, stack } = await setUp()
  peer.solicit()
  await world.run(5)
  peer.frames.length = 0
  const data = Uint8Array.from({ length: 65_527 }, (_, i) => i % 251)
  t.true(stack.udp.send(53, peer.ip, 9, data))
  await world.run(50)
  const answer = Buffer.alloc(65_535)
  for (const frame of peer.frames) if (frame[20] === 44) answer.set(frame.subarray(62), frame.readUInt16BE(56) & 0xfff8)
  t.true(answer.subarray(8).equals(data))
  t.is(peer.sum(17, answer, { source: OWN, target: peer.ip }), 0)
  t.throws(() => stack.udp.send(53, peer.ip, 9, new Uint8Array(65_528)), { message: /at most 65527 fit/ })
})

test('fragments are put together: an echo of 20,000 bytes, both ways', async t => {
  const { world, peer, stack, device } = await setUp()
  peer.solicit() // our answer need not wait
  const message = Buffer.from([...ping.slice(0, 8), ...Array.from({ length: 20_000 }, (_, i) => i % 251)])
  message.writeUInt16LE(peer.sum(58, message), 2)
  const size = 1400
  for (let at = 0; at < message.length; at += size) {
    const more = at + size < message.length ? 1 : 0
    peer.ip6(58, message.subarray(at, at + size), { first: 44, headers: [58, 0, at >> 8, (at & 0xf8) | more, 0, 0, 0, 7] })
  }
  await world.run(50)
  const pieces = peer.frames.splice(0).filter(frame => frame[20] === 44)
  const answer = Buffer.alloc(message.length)
  for (const frame of pieces) answer.set(frame.subarray(62), frame.readUInt16BE(56) & 0xfff8)
  t.true(answer.subarray(8).equals(message.subarray(8)))
  t.is(answer[0], 129)
  t.is(peer.sum(58, answer, { source: OWN, target: peer.ip }), 0)
  t.is(stack.counters.reassembled, 1)
  t.is(device.reserved, 0)
  // The rest never comes: the sender is told.
  peer.ip6(58, message.subarray(0, size), { first: 44, headers: [58, 0, 0, 1, 0, 0, 0, 8] })
  await world.run(61_000)
  const [late] = peer.icmps(3)
  t.is(late[55], 1)
})

test('too big: believed of what is in flight, never below 1280; unreachable ends an attempt, not a connection', async t => {
  const { world, peer, stack } = await setUp()
  let socket: { queue(bytes: Uint8Array, offset: number, length: number): void; flush(): void } | undefined
  const closed: unknown[] = []
  stack.tcp.bind(80, {}, accepted => {
    socket = accepted
    return { onData: () => 0, onEnd() {}, onWritable() {}, onClosed: error => void closed.push(error) }
  })
  peer.solicit() // so that our answers need not wait
  peer.tcp({ flags: 2, seq: 1000 })
  await world.run(5)
  const seq = peer.tcps()[0].readUInt32BE(58) + 1
  peer.tcp({ seq: 1001, ack: seq })
  await world.run(5)
  socket!.queue(new Uint8Array(3000), 0, 3000)
  socket!.flush()
  await world.run(5)
  const sent = peer.tcps()
  t.is(sent[0].length, 74 + 536) // the MSS of who names none
  const quote = (frame: Buffer): number[] => [...frame.subarray(14, 14 + 100)]
  const tooBig = (mtu: number): number[] => [2, 0, 0, 0, 0, 0, mtu >> 8, mtu & 255]
  peer.icmp([...tooBig(1280), ...quote(sent[0]).map((byte, i) => (i === 45 ? byte ^ 0xff : byte))], { source: 'fd00::77' })
  peer.icmp([1, 0, 0, 0, 0, 0, 0, 0, ...quote(sent[0])])
  await world.run(5)
  t.deepEqual(closed, [])
  t.is(stack.counters.icmpIgnored, 2)

  const refused = t.throwsAsync(stack.tcp.connect({ host: 'fd00::1', port: 4 }), { code: 'ECONNREFUSED' })
  await world.run(5)
  peer.icmp([1, 4, 0, 0, 0, 0, 0, 0, ...quote(peer.tcps().at(-1)!)])
  await world.run(5)
  t.regex((await refused)!.message, /connection to \[fd00::1\]:4 was refused: nobody listens there, says the network \(ICMP code 3\)/)
})

test('another address: its connections are reset, those of the other family and to the same address go on', async t => {
  const { world, wire, stack, peer } = await setUp({}, { address: '10.0.0.2', prefix: 24 })
  const closed: string[] = []
  stack.tcp.bind(80, {}, socket => ({
    onData: () => 0,
    onEnd() {},
    onWritable() {},
    onClosed: error => void closed.push(`${socket.local.address} ${(error as { code?: string } | undefined)?.code}`),
  }))
  const open = async (from: RawPeer6, target = OWN): Promise<void> => {
    from.solicit({ wanted: target })
    from.tcp({ flags: 2, seq: 1000 }, { target })
    await world.run(5)
    from.tcp({ seq: 1001, ack: from.tcps()[0].readUInt32BE(58) + 1 }, { target })
    await world.run(5)
  }
  await open(peer)
  await open(peer, LINK_LOCAL)
  t.is(stack.tcp.connections, 2)
  const both = { address: '10.0.0.2', prefix: 24 }
  stack.configure({ ...both, gateway: '10.0.0.1', ipv6: { address: OWN, prefix: 64 } })
  stack.configure({ ...both, gateway: '10.0.0.1', ipv6: { address: OWN, prefix: 64, gateway: 'fd00::99' } })
  t.deepEqual(closed, [])
  peer.solicit()
  await world.run(5)
  stack.configure({ ...both, ipv6: { address: 'fd00::3', prefix: 64 } })
  t.deepEqual(closed, [`${OWN} ENETRESET`])
  await world.run(5)
  t.is(peer.tcps().length, 1) // RST
  t.is(stack.tcp.connections, 1)
  const other = new RawPeer6(wire, 'fd00::5', 'fd00::3', MAC, '02:00:00:00:00:98')
  await open(other, 'fd00::3')
  t.is(stack.tcp.connections, 2)
  stack.configure(both)
  t.is(stack.tcp.connections, 0)
  t.deepEqual(
    stack.addresses.map(({ family }) => family),
    [4],
  )
})

test('frames of random bytes, and right packets with random changes, never throw and never leave a frame behind', async t => {
  const { world, peer, stack, device } = await setUp()
  void stack.tcp.listen({ port: 80 }, () => {})
  stack.udp.bind(53, () => {})
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 0, maxLength: 100 }),
      fc.nat(6),
      fc.nat(150),
      fc.nat(255),
      async (bytes, kind, at, value) => {
        const change = (packet: Buffer): void => {
          packet[at % packet.length] = value
        }
        const icmp = (...message: number[]): void => peer.icmp([...message, ...bytes], { change, hopLimit: 255 })
        if (kind === 0) peer.sendFrame(new Uint8Array([...peer.targetMac, ...peer.device.mac, 0x86, 0xdd, 0x60, 0, 0, 0, ...bytes]))
        else if (kind === 1) peer.tcp({ flags: value, payload: bytes }, { change })
        else if (kind === 2) icmp(value, at, 0, 0)
        else if (kind === 3) peer.udp(1, 53, bytes, { change })
        else if (kind === 4) peer.ip6(58, bytes, { first: [0, 43, 44, 60][value & 3] })
        else if (kind === 5) icmp(135 + (value & 1), 0, 0, 0, value, 0, 0, 0, ...octets6(value & 2 ? OWN : 'fd00::1'))
        else icmp(1 + (value & 3), 4, 0, 0, 0, 0, 5, value, 0x60, 0, 0, 0, 0, 20, 6, 64, ...octets6(OWN), ...octets6('fd00::1'))
        await world.run(1)
      },
    ),
    runs({ few: 2000, seed: 5 }),
  )
  await world.run(200_000)
  t.is(device.reserved, 0)
  t.is(stack.tcp.connections, 0)
})
