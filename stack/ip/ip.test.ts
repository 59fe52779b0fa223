import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import type { CounterName } from '../counters.ts'
import { ipv4 } from '../hostile/frame.ts'
import { raw } from '../testing/raw.ts'

const echo = [0x12, 0x34, 0, 1, 1, 2, 3, 4, 5]

test('an echo request is answered with the same data, right addresses and checksums', async t => {
  const { world, peer, stack } = raw()
  peer.icmp(8, 0, echo)
  await world.run(10)
  const reply = peer.frames.find(frame => frame.readUInt16BE(12) === 0x800)!
  // Bytes worked out by hand.
  t.is(
    reply.toString('hex'),
    '02000000009900163e5e6c000800' + '45000021000040004001' + '26da' + '0a0000020a000001' + '0000' + 'e4c4' + '123400010102030405',
  )
  t.is(stack.counters.echoReplies, 1)
})

test('echo requests with IP options are answered; source routes are not', async t => {
  const { world, peer, stack } = raw()
  peer.icmp(8, 0, echo, undefined, [1, 1, 1, 0])
  peer.icmp(8, 0, echo, undefined, [131, 3, 4, 0])
  peer.icmp(8, 0, echo, undefined, [7, 9, 0, 0]) // runs over its end
  await world.run(10)
  t.is(stack.counters.echoReplies, 1)
  t.is(stack.counters.sourceRouted, 2)
})

test('what is wrong is dropped and counted by its reason', async t => {
  const { world, peer, stack } = raw()
  const { counters } = stack
  const icmp = Buffer.from([8, 0, 0xf7, 0xff, 0, 0, 0, 0])
  stack.tcp.bind(80, {}, () => ({ onData: () => 0, onEnd() {}, onWritable() {}, onClosed() {} }))
  /** The packet is to the stack's address, and the frame to all. */
  const broadcast = (send: () => void): void => {
    const mac = peer.targetMac.splice(0, 6, 255, 255, 255, 255, 255, 255)
    send()
    peer.targetMac.splice(0, 6, ...mac)
  }
  const cases: [CounterName, () => void][] = [
    ['malformed', () => peer.sendFrame(new Uint8Array([...peer.targetMac, ...peer.device.mac, 8, 0, 0x45, 0]))],
    [
      'malformed',
      () =>
        peer.ip4(1, icmp, packet => {
          packet[0] = 0x44
        }),
    ],
    [
      'malformed',
      () =>
        peer.ip4(1, icmp, packet => {
          packet[0] = 0x65
        }),
    ],
    [
      'malformed',
      () =>
        peer.ip4(1, icmp, packet => {
          packet[0] = 0x4f
        }),
    ],
    [
      'malformed',
      () =>
        peer.ip4(1, icmp, packet => {
          packet.writeUInt16BE(19, 2)
        }),
    ],
    [
      'malformed',
      () =>
        peer.ip4(1, icmp, packet => {
          packet.writeUInt16BE(29, 2)
        }),
    ],
    [
      'badChecksum',
      () =>
        peer.ip4(1, icmp, packet => {
          packet[8]--
        }),
    ],
    [
      'badChecksum',
      () =>
        peer.icmp(8, 0, echo, message => {
          message[7] ^= 1
        }),
    ],
    ['malformed', () => peer.ip4(1, icmp.subarray(0, 7))],
    ['fragments', () => peer.fragment(1, icmp.subarray(0, 7), { more: true })], // no multiple of 8 bytes
    ['malformed', () => peer.fragment(1, icmp, { offset: 65528 })], // ends beyond what a packet can have
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '127.0.0.1')],
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '224.0.0.1')],
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '255.255.255.255')],
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '10.0.0.2')],
    [
      'badAddress',
      () =>
        peer.ip4(1, icmp, packet => {
          packet[19] = 3
          packet[11]--
        }),
    ],
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '10.0.0.255')],
    ['badAddress', () => peer.ip4(1, icmp, undefined, [], '10.0.0.0')],
    ['badAddress', () => peer.tcp({ flags: 2 }, undefined, '10.0.0.255')],
    ['badAddress', () => peer.tcp({ flags: 2 }, undefined, '10.0.0.0')],
    ['badAddress', () => peer.tcp({ flags: 2 }, undefined, '240.0.0.1')],
    ['badAddress', () => broadcast(() => peer.icmp(8, 0, echo))], // RFC 1122 section 3.3.6
    ['badAddress', () => broadcast(() => peer.tcp({ flags: 2 }))],
    ['foreign', () => peer.sendFrame(new Uint8Array([...peer.targetMac, ...peer.device.mac, 0x86, 0xdd, 0, 0]))],
    ['foreign', () => peer.sendFrame(new Uint8Array([1, 0, 0x5e, 0, 0, 1, ...peer.device.mac, 8, 0, 0, 0]))],
    ['icmpIgnored', () => peer.icmp(13, 0, echo)],
    ['malformed', () => peer.icmp(3, 4, [0, 0, 5, 0, 0x45, 0, 0, 1])],
  ]
  for (const [i, [name, send]] of cases.entries()) {
    const before = counters[name]
    const answers = peer.frames.length
    send()
    await world.run(5)
    t.is(counters[name], before + 1, `case ${i}: ${name}`)
    t.is(peer.frames.length, answers, `case ${i} is not answered`)
  }
})

test('who pings from many addresses of the link does not use up the frames of the device', async t => {
  const { world, device } = raw()
  for (let k = 0; k < 280; k++) {
    device.arrive(ipv4(`10.0.0.${100 + ((k >> 2) % 64)}`, 1, [8, 0, 0, 0, 0, 1, 0, 1]))
    if (k % 13 === 12) await world.run(1)
  }
  t.true(device.reserved <= 40, String(device.reserved))
  await world.run(5_000)
  t.is(device.reserved, 0)
})

test('frames of random bytes, and right packets with random changes, never throw and never leave a frame behind', async t => {
  const { world, peer, stack, device } = raw()
  void stack.tcp.listen({ port: 80 }, () => {})
  stack.udp.bind(53, () => {})
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 0, maxLength: 100 }),
      fc.nat(3),
      fc.nat(99),
      fc.nat(255),
      async (bytes, kind, at, value) => {
        const change = (packet: Buffer): void => {
          packet[at % packet.length] = value
        }
        if (kind === 0) peer.sendFrame(new Uint8Array([...peer.targetMac, ...peer.device.mac, 8, value & 7, ...bytes]))
        else if (kind === 1) peer.tcp({ flags: value, payload: bytes, options: [...bytes.subarray(0, bytes.length & 0x1c)] }, change)
        else if (kind === 2) peer.icmp(value & 15, at, [...bytes], change)
        else peer.udp(1, 53, bytes, change)
        await world.run(1)
      },
    ),
    runs({ few: 2000, seed: 5 }),
  )
  await world.run(200_000)
  t.is(device.reserved, 0)
  t.is(stack.tcp.connections, 0)
})

test('ARP: a request for us is answered to who asked, others are not', async t => {
  const { world, peer, stack } = raw()
  peer.arp(1)
  await world.run(5)
  t.is(
    peer.frames
      .splice(0)
      .map(frame => frame.toString('hex'))
      .join(),
    '02000000009900163e5e6c0008060001080006040002' + '00163e5e6c000a000002' + '0200000000990a000001',
  )
  peer.arp(1, { targetIp: [10, 0, 0, 3] })
  peer.arp(2, { senderMac: [1, 0, 0, 0, 0, 1] })
  peer.arp(3)
  await world.run(5)
  t.is(peer.frames.length, 0)
  t.is(stack.counters.arpIgnored, 1)
  t.is(stack.counters.malformed, 1)
  peer.arp(1, { senderIp: [0, 0, 0, 0] }) // a probe: does anybody have this address?
  await world.run(5)
  t.is(peer.frames.length, 1)
})

test('addresses that nobody can have: not answered in ARP, not learnt, not sent to, not configured', async t => {
  const { world, peer, stack, device } = raw()
  const group = [1, 0, 0x5e, 0, 0, 1]
  const all = [255, 255, 255, 255, 255, 255]
  const nobody = [0, 0, 0, 0, 0, 0]
  const ignored: Parameters<typeof peer.arp>[1][] = [
    { senderIp: [10, 0, 0, 255] }, // the subnet's broadcast address
    { senderIp: [10, 0, 0, 0] },
    { senderIp: [255, 255, 255, 255] },
    { senderIp: [127, 0, 0, 1] },
    { senderMac: group },
    { senderMac: all },
    { senderMac: nobody },
    { senderMac: [...device.mac] },
    { senderIp: [0, 0, 0, 0], senderMac: all }, // a probe, whose answer would go to all
    { senderIp: [0, 0, 0, 0], senderMac: nobody },
  ]
  for (const [i, fields] of ignored.entries()) {
    const before = stack.counters.arpIgnored
    peer.arp(1, fields)
    await world.run(2)
    t.is(stack.counters.arpIgnored, before + 1, `case ${i}`)
    t.is(peer.frames.length, 0, `case ${i}`)
  }
  // A question to all may come from the hardware of a host only.
  const request = new Uint8Array(42)
  request.set([...all, ...group, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...peer.device.mac, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2])
  peer.sendFrame(request)
  await world.run(2)
  t.is(peer.frames.length, 0)

  peer.arp(1)
  await world.run(2)
  peer.arp(2, { senderMac: group }) // a neighbour that is known already does not move to a group
  peer.arp(2, { senderMac: [...device.mac] })
  peer.frames.length = 0
  stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(1))
  await world.run(5)
  t.deepEqual([...peer.frames.at(-1)!.subarray(0, 6)], [...peer.device.mac])

  for (const to of ['10.0.0.255', '10.0.0.0', '255.255.255.255', '224.0.0.1', '0.0.0.0']) {
    const before = stack.counters.noRoute
    stack.udp.send(1, to, 2, new Uint8Array(1))
    t.is(stack.counters.noRoute, before + 1, to)
    await t.throwsAsync(stack.tcp.connect({ host: to, port: 1 }), { code: 'EHOSTUNREACH' }, to)
  }
  t.throws(() => stack.udp.send(1, 'example.org', 2, new Uint8Array(1)), { message: /"example\.org": it is not an address/ })
})

test('links of two and of one have no broadcast address (RFC 3021)', async t => {
  const { world, peer, stack } = raw({ address: '10.0.0.2', prefix: 31, gateway: '10.0.0.3' })
  peer.icmp(8, 0, echo, undefined, [], '10.0.0.3')
  await world.run(5)
  t.is(stack.counters.echoReplies, 1)
  const wide = raw({ address: '10.0.0.2', prefix: 32, gateway: '10.0.0.1' })
  wide.peer.icmp(8, 0, echo, undefined, [], '10.0.0.255')
  await wide.world.run(5)
  t.is(wide.stack.counters.echoReplies, 1)
})

test('ARP: packets wait for the answer, few of them, and are dropped when none comes', async t => {
  const { world, peer, stack, device } = raw()
  peer.answersArp = false
  for (let i = 0; i < 10; i++) stack.udp.send(1, '10.0.0.1', 2, new Uint8Array([i]))
  await world.run(100)
  t.is(device.reserved, 4)
  await world.run(2000)
  t.is(device.reserved, 0)
  t.is(stack.counters.noRoute, 10)
  t.is(peer.frames.filter(frame => frame.readUInt16BE(12) === 0x806).length, 3)
  peer.frames.length = 0
  peer.answersArp = true
  stack.udp.send(1, '10.0.0.1', 2, new Uint8Array([77]))
  await world.run(100)
  t.is(peer.frames.at(-1)!.at(-1), 77)
  t.deepEqual([...peer.frames.at(-1)!.subarray(0, 6)], [...peer.device.mac])
})

test('ARP: an answer is asked for again after a minute, and the old address serves meanwhile', async t => {
  const { world, peer, stack } = raw()
  const send = (): boolean => stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(1))
  send()
  await world.run(59_000)
  peer.frames.length = 0
  send()
  await world.run(10)
  t.is(peer.frames.length, 1)
  await world.run(60_000)
  peer.frames.length = 0
  send()
  await world.run(10)
  t.is(peer.frames.length, 2, 'the packet and a question')
})

test('ARP: who says unasked that a neighbour has moved is believed until that answers itself', async t => {
  const { world, peer, stack } = raw()
  const moved = [2, 0, 0, 0, 0, 0x66]
  const send = async (): Promise<number[][]> => {
    peer.frames.length = 0
    stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(1))
    await world.run(10)
    return peer.frames.filter(frame => frame.readUInt16BE(12) === 0x800).map(frame => [...frame.subarray(0, 6)])
  }
  await send()
  for (const operation of [1, 2]) {
    peer.arp(operation, { senderMac: moved })
    await world.run(1)
    t.deepEqual(await send(), [moved])
    t.is(peer.frames.filter(frame => frame.readUInt16BE(12) === 0x806).length, 1, 'asks whether that is so')
    t.deepEqual(await send(), [[...peer.device.mac]])
  }
  // Without an objection it is so.
  peer.answersArp = false
  peer.arp(2, { senderMac: moved })
  await world.run(1)
  await send()
  peer.arp(2, { senderMac: moved })
  await world.run(2000)
  t.deepEqual(await send(), [moved])
  t.is(peer.frames.length, 1)
})

test('a gateway outside the prefix, as in Qubes: asked for at once; when it answers no ARP, fe:ff:ff:ff:ff:ff is used and ARP tried again later', async t => {
  const { world, peer, stack } = raw({ address: '10.0.0.2', prefix: 32, gateway: '10.0.0.1' })
  peer.answersArp = false
  stack.udp.send(1, '8.8.8.8', 53, new Uint8Array([1]))
  await world.run(2000)
  t.is(peer.frames.filter(frame => frame.readUInt16BE(12) === 0x806).length, 3)
  t.deepEqual([...peer.frames.at(-1)!.subarray(0, 6)], [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff])
  t.true(world.logLines.some(line => line.includes('gateway 10.0.0.1 answers no ARP')))
  peer.answersArp = true
  await world.run(61_000)
  stack.udp.send(1, '8.8.8.8', 53, new Uint8Array([1]))
  await world.run(10)
  stack.udp.send(1, '8.8.8.8', 53, new Uint8Array([1]))
  await world.run(10)
  t.deepEqual([...peer.frames.at(-1)!.subarray(0, 6)], [...peer.device.mac])
})

test('the ARP cache is bounded however many neighbours ask', async t => {
  const { world, peer, stack, device } = raw({ prefix: 8, limits: { neighbours: 16 } })
  for (let i = 0; i < 500; i++) {
    peer.arp(1, { senderIp: [10, 1, i >> 8, i & 255] })
    await world.run(0.1)
  }
  for (let i = 0; i < 500; i++) stack.udp.send(1, `10.2.${i >> 8}.${i & 255}`, 9, new Uint8Array(1))
  await world.run(10)
  t.true(device.reserved <= 16 * 4)
  await world.run(5000)
  t.is(device.reserved, 0)
})

test('UDP: datagrams arrive with their sender, wrong ones are dropped, a checksum of 0 means none', async t => {
  const { world, peer, stack } = raw()
  const got: string[] = []
  const unbind = stack.udp.bind(53, (bytes, offset, length, { peer }, port) =>
    got.push(`${Buffer.from(bytes.slice(offset, offset + length))} ${peer} ${port}`),
  )
  t.throws(() => stack.udp.bind(53, () => {}), { message: /in use already/ })
  peer.udp(1000, 53, Buffer.from('one'))
  peer.udp(1000, 53, Buffer.from('two'), datagram => {
    datagram[9] ^= 1
  })
  peer.udp(1000, 53, Buffer.from('three'), datagram => {
    datagram.writeUInt16BE(0, 6)
  })
  peer.udp(1000, 53, Buffer.from('four'), datagram => {
    datagram.writeUInt16BE(13, 4)
  })
  peer.udp(1000, 54, Buffer.from('five'))
  await world.run(10)
  t.deepEqual(got, ['one 10.0.0.1 1000', 'three 10.0.0.1 1000'])
  t.is(stack.counters.badChecksum, 1)
  t.is(stack.counters.malformed, 1)
  t.is(stack.counters.udpNoPort, 1)
  unbind()
  stack.udp.send(53, '10.0.0.1', 1000, Buffer.from('answer'))
  await world.run(10)
  t.true(peer.frames.at(-1)!.includes('answer'))
  t.throws(() => stack.udp.send(53, '10.0.0.1', 1000, new Uint8Array(65508)), { message: /at most 65507 fit/ })
})
