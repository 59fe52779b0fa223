import { runs } from '@xen-ts/boot/fuzz'
import { CHECKSUM, COMPLETE, type Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import fc from 'fast-check'
import { connect, end, packet, same, setUp, transmit, transmitLarge, warnings } from './testing.ts'
import '../sim/leak-check.ts'

test('large packets of every size go out as one, with what the backend needs to cut them', async t => {
  const set = setUp()
  const device = await connect(set)
  t.true(device.checksums)
  t.is(device.largest(), 65_535)
  const sizes = [1515, 2048, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 30_000, 65_534, 65_535]
  for (const size of sizes) {
    transmitLarge(device, packet(size, size), 1448)
    transmit(device, packet(60, size))
    await set.xen.settle()
  }
  t.deepEqual(
    set.netback.received.filter((_, i) => i % 2 === 0),
    sizes.map(size => packet(size, size)),
  )
  t.deepEqual(
    set.netback.receivedAs.filter((_, i) => i % 2 === 0),
    sizes.map(size => ({ segment: 1448, blank: true, slots: Math.ceil(size / 4096) })),
  )
  t.deepEqual(set.netback.receivedAs[1], { segment: 0, blank: false, slots: 1 })
  await end(set, device)
  t.is(set.netback.fatal, undefined)
  t.is(set.netback.errors, 0)
})

test('large packets take no more than there is, and what was reserved for them and not used comes back', async t => {
  const set = setUp()
  const device = await connect(set)
  for (let round = 0; round < 3; round++) {
    set.netback.holdResponses = true
    for (const size of [63_000, 4097, 63_000, 40_000, 63_000]) t.not(transmitLarge(device, packet(size), 1448), undefined)
    set.guest.abi.fence() // what the backend did becomes visible
    t.is(device.largest(), 4 * 4096)
    t.is(device.reserve(20_000), undefined)
    t.not(transmitLarge(device, packet(4 * 4096), 1448), undefined)
    t.is(device.largest(), 0)
    t.is(device.reserve(3000), undefined)
    while (transmit(device, packet(100))) {
      /* as long as there are buffers */
    }
    await set.xen.settle()
    t.is(set.netback.received.splice(0).length, 6 + 128)
    set.netback.releaseResponses()
    await set.xen.settle()
    for (let i = 0; i < 20; i++) {
      t.is(device.largest(), 65_535)
      device.discard(device.reserve(65_535) as Frame)
    }
  }
  t.is(set.netback.errors, 0)
  await end(set, device)
  t.is(set.netback.fatal, undefined)
})

test('property: large and small packets in any order, answered early or late, arrive as they were', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(0x7fffffff),
      fc.integer({ min: 2, max: 240 }),
      fc.array(fc.tuple(fc.integer({ min: 60, max: 70_000 }), fc.constantFrom('send', 'discard', 'hold', 'settle')), { maxLength: 60 }),
      async (seed, sendBuffers, steps) => {
        const set = setUp(undefined, { seed })
        const device = await connect(set, { sendBuffers })
        const sent: Uint8Array[] = []
        for (const [size, step] of steps) {
          if (step === 'hold') set.netback.holdResponses = true
          const room = device.largest()
          const length = Math.min(size, room === 0 ? 1514 : room)
          const isLarge = length > 1514
          const bytes = packet(length, size)
          if (step === 'discard') {
            const frame = device.reserve(isLarge ? length : 0)
            if (frame !== undefined) device.discard(frame)
          } else if (isLarge ? transmitLarge(device, bytes, 1448) !== undefined : transmit(device, bytes)) {
            sent.push(bytes)
          }
          if (step === 'settle') {
            await set.xen.settle()
            set.netback.releaseResponses()
          }
        }
        set.netback.releaseResponses()
        await set.xen.settle()
        const good = set.netback.received.length === sent.length && set.netback.received.every((bytes, i) => same(bytes, sent[i]))
        await end(set, device)
        return good && set.netback.fatal === undefined && set.netback.errors === 0
      },
    ),
    runs({ few: 40, cost: 100 }),
  )
  t.pass()
})

/** A packet that says that it is IPv6. */
const packet6 = (length: number, seed = 1): Uint8Array => {
  const bytes = packet(length, seed)
  bytes.set([0x86, 0xdd], 12)
  return bytes
}

test('a backend gets from us only what it offers, for IPv4 and IPv6', async t => {
  for (const [features, checksums, checksums6, large, large6] of [
    [[], true, false, false, false],
    [['sg'], true, false, false, false],
    [['gso-tcpv4', 'gso-tcpv6', 'ipv6-csum-offload'], true, true, false, false],
    [['sg', 'gso-tcpv4'], true, false, true, false],
    [['sg', 'gso-tcpv4', 'no-csum-offload'], false, false, false, false],
    [['sg', 'gso-tcpv6'], true, false, false, false],
    [['sg', 'gso-tcpv6', 'ipv6-csum-offload', 'no-csum-offload'], false, true, false, true],
    [['sg', 'gso-tcpv4', 'gso-tcpv6', 'ipv6-csum-offload'], true, true, true, true],
  ] as const) {
    const set = setUp({ features })
    const device = await connect(set)
    t.deepEqual(
      [device.checksums, device.checksums6, device.largest() > 0, device.largest(true) > 0],
      [checksums, checksums6, large, large6],
      features.join(),
    )
    const expected: typeof set.netback.receivedAs = []
    for (const [make, offloadsChecksum, cuts] of [
      [packet, checksums, large],
      [packet6, checksums6, large6],
    ] as const) {
      const frame = device.reserve() as Frame
      frame.u8.set(make(60))
      if (!offloadsChecksum) t.throws(() => device.send(frame, 60, CHECKSUM), { instanceOf: RangeError })
      device.send(frame, 60, offloadsChecksum ? CHECKSUM : COMPLETE)
      expected.push({ segment: 0, blank: offloadsChecksum, slots: 1 })
      const big = device.reserve(3000)
      t.is(big !== undefined, large || large6)
      if (big === undefined) continue
      big.u8.set(make(3000))
      if (!cuts) t.throws(() => device.send(big, 3000, 1448), { instanceOf: RangeError })
      if (!cuts) device.discard(big)
      else device.send(big, 3000, 1448)
      if (cuts) expected.push({ segment: 1448, blank: true, slots: 1 })
    }
    await set.xen.settle()
    t.deepEqual(set.netback.receivedAs, expected)
    await end(set, device)
    t.is(set.netback.errors, 0)
  }
})

test('large packets over IPv6 go both ways, with the protocol that they are of', async t => {
  const set = setUp()
  const device = await connect(set, { blankChecksums: true, largePackets: true, ipv6: true })
  t.deepEqual(
    ['sg', 'gso-tcpv4', 'gso-tcpv6', 'ipv6-csum-offload', 'no-csum-offload'].map(feature => set.netback.takes(feature)),
    [true, true, true, true, false],
  )
  device.onReceive = (frame, length) => {
    t.true(frame.checked)
    const answer = device.reserve(length) as Frame
    answer.u8.set(frame.u8.subarray(0, length))
    device.send(answer, length, frame.segment)
  }
  const sent = [packet6(65_535), packet(65_535), packet6(3000), packet6(60_000)]
  for (const bytes of sent) set.netback.send(bytes, 3, 1428)
  await set.xen.settle()
  t.deepEqual(set.netback.received, sent)
  t.is(set.netback.errors, 0) // an answer of the other protocol would be one
  await end(set, device)
})

test('a backend that cuts for a guest without IPv6 breaks the rules', async t => {
  const set = setUp()
  const device = await connect(set, { blankChecksums: true, largePackets: true })
  t.deepEqual(
    ['gso-tcpv6', 'ipv6-csum-offload'].map(feature => set.netback.takes(feature)),
    [false, false],
  )
  t.throws(() => set.netback.send(packet6(3000), 3, 1428))
  set.xen.store.write(`${set.netback.frontendPath}/feature-gso-tcpv6`, '1')
  set.netback.send(packet6(3000), 3, 1428)
  await set.xen.settle()
  t.regex(warnings(set).join(), /broke the ring/)
  await end(set, device)
})
