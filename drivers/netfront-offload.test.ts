import test from 'ava'
import fc from 'fast-check'
import { CHECKSUM, COMPLETE, type Frame } from './ethernet.ts'
import { connect, end, packet, same, setUp, transmit, transmitLarge } from './testing/netfront.ts'
import './sim/leak-check.ts'

test('large packets of every size go out as one, with what the backend needs to cut them', async (t) => {
  const set = setUp()
  const device = await connect(set)
  t.true(device.checksums)
  t.is(device.largest(), 63_488)
  const sizes = [1600, 2048, 2049, 4096, 6143, 6144, 6145, 30_000, 63_487, 63_488]
  for (const size of sizes) {
    transmitLarge(device, packet(size, size), 1448)
    transmit(device, packet(60, size))
    await set.xen.settle()
  }
  t.deepEqual(set.netback.received.filter((_, i) => i % 2 === 0), sizes.map((size) => packet(size, size)))
  t.deepEqual(set.netback.receivedAs.filter((_, i) => i % 2 === 0), sizes.map((size) => ({ segment: 1448, blank: true, slots: 1 + Math.ceil((size - 2048) / 4096 > 0 ? (size - 2048) / 4096 : 0) })))
  t.deepEqual(set.netback.receivedAs[1], { segment: 0, blank: false, slots: 1 })
  await end(set, device)
  t.is(set.netback.fatal, undefined)
  t.is(set.netback.errors, 0)
})

test('large packets take no more than there is, and what was reserved for them and not used comes back', async (t) => {
  const set = setUp()
  const device = await connect(set)
  for (let round = 0; round < 3; round++) {
    set.netback.holdResponses = true
    for (let i = 0; i < 4; i++) t.not(transmitLarge(device, packet(63_000, i), 1448), undefined)
    set.guest.abi.fence() // what the backend did becomes visible
    t.is(device.largest(), 2048 + 4 * 4096)
    transmitLarge(device, packet(18_000), 1448)
    t.is(device.largest(), 0)
    while (transmit(device, packet(100))) { /* until the ring is full */ }
    await set.xen.settle()
    set.netback.releaseResponses()
    await set.xen.settle()
    const frame = device.reserve() as Frame
    t.is(device.largest(), 63_488)
    device.grow(frame, 63_488)
    device.discard(frame)
    const short = device.reserve() as Frame
    device.grow(short, 63_488)
    device.send(short, 5000, 1448)
    await set.xen.settle()
  }
  t.is(set.netback.errors, 0)
  await end(set, device)
  t.is(set.netback.fatal, undefined)
})

test('property: large and small packets in any order, answered early or late, arrive as they were', async (t) => {
  await fc.assert(fc.asyncProperty(
    fc.nat(0x7fffffff), fc.integer({ min: 2, max: 240 }), fc.array(fc.tuple(fc.integer({ min: 60, max: 70_000 }), fc.constantFrom('send', 'discard', 'hold', 'settle')), { maxLength: 60 }),
    async (seed, sendBuffers, steps) => {
      const set = setUp(undefined, { seed })
      const device = await connect(set, { sendBuffers })
      const sent: Uint8Array[] = []
      for (const [size, step] of steps) {
        if (step === 'hold') set.netback.holdResponses = true
        const frame = device.reserve()
        if (frame !== undefined) {
          const room = device.largest()
          const length = Math.min(size, room === 0 ? 1514 : room)
          const bytes = packet(length, size)
          if (step === 'discard') {
            if (room > 0) device.grow(frame, length)
            device.discard(frame)
          } else {
            device.discard(frame)
            if (length > 1514) transmitLarge(device, bytes, 1448)
            else transmit(device, bytes)
            sent.push(bytes)
          }
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
    }), { numRuns: 40 })
  t.pass()
})

test('a backend gets from us only what it offers', async (t) => {
  for (const [features, checksums, largest] of [
    [[], true, 0], [['sg'], true, 0], [['gso-tcpv4'], true, 0], [['sg', 'gso-tcpv4'], true, 63_488], [['sg', 'gso-tcpv4', 'no-csum-offload'], false, 0],
  ] as const) {
    const set = setUp({ features })
    const device = await connect(set)
    t.is(device.checksums, checksums)
    t.is(device.largest(), largest)
    const frame = device.reserve() as Frame
    if (largest === 0) t.throws(() => device.grow(frame, 3000), { instanceOf: RangeError })
    if (!checksums) t.throws(() => device.send(frame, 60, CHECKSUM), { instanceOf: RangeError })
    device.send(frame, 60, checksums ? CHECKSUM : COMPLETE)
    await set.xen.settle()
    t.deepEqual(set.netback.receivedAs, [{ segment: 0, blank: checksums, slots: 1 }])
    await end(set, device)
  }
})
