/** IPv6 as a host has it: packets that are answered, and those that are not, each with its reason. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import type { CounterName } from '../counters.ts'
import { createStack } from '../stack.ts'
import { octets6, RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { LINK_LOCAL, MAC, OWN, ping, setUp } from './testing.ts'

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
