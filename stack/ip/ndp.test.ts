/** Neighbour discovery: who is asked and answered, what is believed, addresses that somebody else has, groups. */
import test from 'ava'
import type { CounterName } from '../counters.ts'
import { createStack } from '../stack.ts'
import { octets6, RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { LINK_LOCAL, MAC, OWN, ping, type Set, setUp } from './testing.ts'

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

/** Sends an empty datagram to the peer; the MAC address it went to, if it went. */
async function sendTo({ world, stack, peer }: Set, to = peer.ip): Promise<string | undefined> {
  stack.udp.send(7, to, 7, new Uint8Array(1))
  await world.run(5)
  const frame = peer.frames.splice(0).find(each => each[20] === 17)
  return frame?.subarray(0, 6).toString('hex')
}

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
