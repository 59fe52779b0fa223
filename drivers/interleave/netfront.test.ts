/** netfront and netback, interrupted at every access: see sim/interleave.ts. A failure names its seed. */
import test from 'ava'
import { connect, end, packet, same, setUp, transmit, transmitLarge, warnings } from '../netfront/testing.ts'
import { findDoubleFetches, generator, interleave, watchMemory } from '../sim/index.ts'
import { assertNone, forSeeds } from './testing.ts'
import '../sim/leak-check.ts'

watchMemory()

const RESPONSES = [
  {
    offset: 8,
    length: 4,
    why: 'rsp_prod: the look before going to sleep only says whether to look again; what that finds is checked anew',
  },
]

const start = async (seed: number) => {
  const random = generator(seed)
  const set = setUp(random(2) === 0 ? undefined : { features: ['sg', 'gso-tcpv4', 'rx-copy'] }, { seed, stepLimit: 50_000 }) // an event channel for each ring, or one
  const large = random(2) === 0
  const device = await connect(set, {
    sendBuffers: 4 + random(20),
    receiveBuffers: large ? 20 + random(30) : 2 + random(20),
    largePackets: large,
  })
  return { random, set, device, large }
}

/** REQ_CONS of the store's page: asked anew for each request, and checked each time; a store needs no barrier to be seen (drivers/xenstore/ring.ts). */
const STORE = { offset: 2048, length: 4, why: 'each request asks for room' }

const length = (random: (limit: number) => number, large: boolean): number =>
  large && random(4) === 0 ? 1515 + random(20_000) : 14 + random(1500)

test('packets arrive whole and in order both ways, however frontend and backend interrupt each other, and nothing is read twice', async t => {
  const { interruptions } = await forSeeds(t, 200, async seed => {
    const { random, set, device, large } = await start(seed)
    const { counts } = interleave(set.xen, { seed, every: 1 + random(8) })
    const found = findDoubleFetches(set.xen, set.guest, [...RESPONSES, STORE])
    const received: Uint8Array[] = []
    device.onReceive = (frame, length) => {
      received.push(frame.u8.slice(0, length))
    }
    const inbound = Array.from({ length: 40 }, (_, i) => packet(length(random, large), i))
    const outbound = Array.from({ length: 40 }, (_, i) => packet(length(random, true), i))
    for (const bytes of inbound) set.xen.enqueue(() => set.netback.send(bytes, 0, bytes.length > 1514 ? 1448 : 0), set.dom0)
    let sent = 0
    const send = (): void => {
      for (let good = true; good && sent < outbound.length; sent += good ? 1 : 0) {
        if (outbound[sent].length > Math.max(1514, device.largest())) outbound[sent] = packet(60, sent)
        good = outbound[sent].length > 1514 ? transmitLarge(device, outbound[sent], 1448) !== undefined : transmit(device, outbound[sent])
      }
    }
    device.onWritable = send
    set.xen.enqueue(send, set.guest)
    await set.xen.settle()
    const whole = (got: Uint8Array[], wanted: Uint8Array[]): boolean =>
      got.length === wanted.length && got.every((bytes, i) => same(bytes, wanted[i]))
    if (set.netback.fatal !== undefined) throw new Error(`the backend gave up: ${set.netback.fatal}`)
    if (!whole(set.netback.received, outbound)) throw new Error(`${set.netback.received.length} of ${outbound.length} packets went out`)
    // Which of several packets that were sent in the same moment comes first is the seed's choice.
    const byContent = (a: Uint8Array, b: Uint8Array): number => a.length - b.length || a[0] - b[0]
    if (!whole(received.toSorted(byContent), inbound.toSorted(byContent)))
      throw new Error(`${received.length} of ${inbound.length} packets came in`)
    await end(set, device)
    assertNone(found)
    return counts
  })
  t.true(interruptions > 3000)
})

test('a backend that changes what is about to be read does no more than end its connection', async t => {
  const { mutations, closed } = await forSeeds(t, 200, async seed => {
    const { random, set, device, large } = await start(seed)
    const { counts } = interleave(set.xen, { seed, victim: set.guest, mutateEvery: 10 + random(100) })
    device.onReceive = (frame, length) => {
      if (length < 14 || length > 65_535) throw new Error(`a packet of ${length} bytes`)
      if (frame.u8.length < length) throw new Error('a packet that is longer than its frame')
    }
    for (let i = 0; i < 60; i++) {
      set.xen.enqueue(() => set.netback.send(packet(length(random, large)), 0, 0), set.dom0)
      set.xen.enqueue(() => {
        const room = Math.min(device.largest(), 5000) // which may close the connection
        const frame = device.reserve(room)
        if (frame === undefined) return
        device.send(frame, room > 0 ? room : 60, room > 0 ? 1448 : 0)
      }, set.guest)
      if (i % 10 === 0) await set.xen.settle()
    }
    await set.xen.advance(100)
    const closed = warnings(set).filter(line => line.includes('broke the ring')).length
    if (closed > 1 || warnings(set).length > 2) throw new Error(`warnings: ${warnings(set).join('; ')}`)
    const result = { ...counts, closed }
    await end(set, device)
    return result
  })
  t.true(mutations > 300)
  t.true(closed > 50)
})
