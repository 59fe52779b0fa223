import test from 'ava'
import fc from 'fast-check'
import { CHECKSUM, COMPLETE, type Frame, type Piece } from './ethernet.ts'
import { connectDrivers, connectNetfront } from './index.ts'
import type { Netfront, NetfrontOptions } from './index.ts'
import { SimulatedNetback, SimulatedXen } from './sim/index.ts'
import type { NetbackOptions, SimulationOptions } from './sim/index.ts'
import { XenbusState } from './xenbus.ts'

const FIRST_SLOT = 16

const setUp = (netbackOptions?: NetbackOptions, simulation?: SimulationOptions) => {
  const xen = new SimulatedXen(simulation)
  const dom0 = xen.createDomain(0)
  const guest = xen.createDomain(1)
  const backendDrivers = connectDrivers(dom0.machine)
  const drivers = connectDrivers(guest.machine)
  const attach = (options = netbackOptions): SimulatedNetback => new SimulatedNetback(dom0, backendDrivers, 1, options)
  return { xen, dom0, guest, drivers, attach, netback: attach() }
}
type Set = ReturnType<typeof setUp>

const connect = async (set: Set, options?: NetfrontOptions): Promise<Netfront> => {
  const device = await set.xen.run(connectNetfront(set.drivers, options))
  await set.xen.settle()
  return device
}

const packet = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 3 + seed)

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

const transmit = (device: Netfront, bytes: Uint8Array): boolean => {
  const frame = device.reserve()
  if (frame === undefined) return false
  frame.u8.set(bytes)
  device.send(frame, bytes.length)
  return true
}

const collect = (device: Netfront): Uint8Array[] => {
  const packets: Uint8Array[] = []
  device.onReceive = (frame: Frame, length: number) => packets.push(frame.u8.slice(0, length))
  return packets
}

/** Detaches by the toolstack's way, closes, and checks that nothing remains of either side. */
const end = async (set: Set, device: Netfront): Promise<void> => {
  await set.xen.run(device.close())
  set.netback.vanish()
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
}

const warnings = ({ guest }: Set): string[] => guest.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text)

test('it connects as the header says, with the address and MTU from xenstore', async (t) => {
  const set = setUp({ mac: '00:16:3E:01:02:fd', mtu: '1400', hotplugDelay: 3000 })
  const device = await connect(set)
  t.true(set.xen.now >= 3000) // usable only when the backend says so
  t.deepEqual([...device.mac], [0, 0x16, 0x3e, 1, 2, 0xfd])
  t.is(device.mtu, 1400)
  const key = (name: string): string | undefined => set.xen.store.read(`${set.netback.frontendPath}/${name}`)
  t.deepEqual(['request-rx-copy', 'feature-rx-notify', 'feature-no-csum-offload', 'feature-sg', 'state'].map(key), ['1', '1', '1', undefined, '4'])
  t.deepEqual(set.guest.log.filter(({ source }) => source === 'net-xen').map(({ text }) => text), ['vif 0: backend domain 0, MAC 00:16:3e:01:02:fd, MTU 1400'])
  await end(set, device)
  t.is(set.netback.fatal, undefined)
})

test('packets of every size go out as they were built', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const sizes = [14, 15, 60, 590, 1513, 1514, 2048]
  for (const size of sizes) t.true(transmit(device, packet(size, size)))
  await set.xen.settle()
  t.deepEqual(set.netback.received, sizes.map((size) => packet(size, size)))
  await end(set, device)
})

test('packets of every size come in, each once and in order, far more than there are buffers', async (t) => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 16 })
  const packets = collect(device)
  const sent = Array.from({ length: 1000 }, (_, i) => packet(14 + i % 1500, i))
  for (const each of sent) set.netback.send(each)
  await set.xen.settle()
  t.is(packets.length, sent.length)
  t.true(packets.every((bytes, i) => bytes.length === sent[i].length && bytes.every((byte, k) => byte === sent[i][k])))
  await end(set, device)
})

test('a frame says whether its checksum needs a look, and blank ones come only to those who want them', async (t) => {
  const set = setUp()
  const device = await connect(set, { blankChecksums: true })
  const checked: (boolean | undefined)[] = []
  device.onReceive = (frame) => checked.push(frame.checked)
  for (const flags of [0, 1, 3]) set.netback.send(packet(60), flags)
  await set.xen.settle()
  t.deepEqual(checked, [false, true, true])
  t.is(set.xen.store.read(`${set.netback.frontendPath}/feature-no-csum-offload`), undefined)
  await end(set, device)
})

test('when all send buffers are under way, onWritable tells of the first that are back', async (t) => {
  const set = setUp()
  const device = await connect(set, { sendBuffers: 8 })
  let writable = 0
  device.onWritable = () => writable++
  set.netback.holdResponses = true
  for (let i = 0; i < 8; i++) t.true(transmit(device, packet(100, i)))
  t.is(device.reserve(), undefined)
  await set.xen.settle()
  t.is(writable, 0)
  set.netback.releaseResponses()
  await set.xen.settle()
  t.is(writable, 1)
  for (let i = 0; i < 8; i++) t.true(transmit(device, packet(100, i)))
  await set.xen.settle()
  t.is(set.netback.received.length, 16)
  await end(set, device)
})

/** Builds a large frame and sends it. */
const transmitLarge = (device: Netfront, bytes: Uint8Array, segment: number): Frame | undefined => {
  const frame = device.reserve()
  if (frame === undefined) return undefined
  device.grow(frame, bytes.length)
  let at = 0
  for (let piece: Piece | undefined = frame; at < bytes.length && piece !== undefined; piece = piece.more) {
    piece.u8.set(bytes.subarray(at, at + piece.u8.length))
    at += piece.u8.length
  }
  device.send(frame, bytes.length, segment)
  return frame
}

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

test('what is sent in one turn goes out with one notification, and what came in is over with one onIdle', async (t) => {
  const set = setUp()
  const device = await connect(set)
  let events = 0
  set.guest.hook = (operation) => { if (operation === 'evtchnSend') events++ }
  for (let i = 0; i < 100; i++) transmit(device, packet(60, i))
  await set.xen.settle()
  t.is(set.netback.received.length, 100)
  t.is(events, 1)
  t.is(set.netback.notifications, 1) // for the one response the ring's first setting asks for

  let idle = 0
  const order: string[] = []
  device.onReceive = () => { order.push('r'); transmit(device, packet(60)) }
  device.onIdle = () => { idle++; transmit(device, packet(60)) }
  events = 0
  for (let i = 0; i < 50; i++) set.netback.send(packet(60))
  await set.xen.settle()
  t.deepEqual([order.length, idle, set.netback.received.length], [50, 1, 151])
  t.is(events, 1)
  await end(set, device)
})

test('a packet, or a buffer that is back, between the last look and going to sleep is not overlooked', async (t) => {
  const set = setUp()
  const device = await connect(set, { sendBuffers: 2 })
  const packets = collect(device)
  let fences = 0
  set.guest.hook = (operation) => { if (operation === 'fence' && ++fences === 2) set.netback.send(packet(60, 2)) } // the fence of the last look
  set.netback.send(packet(60, 1))
  await set.xen.settle()
  t.is(packets.length, 2)

  set.netback.holdResponses = true
  for (let i = 0; i < 2; i++) transmit(device, packet(60))
  await set.xen.settle()
  set.guest.hook = (operation) => { if (operation === 'fence' && set.netback.holdResponses) set.netback.releaseResponses() }
  t.not(device.reserve(), undefined)
  await set.xen.settle()
  set.guest.hook = undefined
  set.netback.vanish()
  await set.xen.settle()
  t.pass()
})

test('a flood gives timers and others their turn', async (t) => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 256 })
  let count = 0
  let before = 0
  device.onReceive = () => {
    if (++count < 2000) set.netback.send(packet(60)) // a packet for each packet, without end
    if (count === 1) set.drivers.machine.timers.set(0, () => { before = count })
  }
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(count, 2000)
  t.true(before > 0 && before <= 300, `${before}`)
  await end(set, device)
})

test('a packet under examination cannot be changed by the backend any more, and its buffer serves again afterwards', async (t) => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 2 })
  const { dom0, guest } = set
  let shut = 0
  device.onReceive = () => {
    // The grants of the guest: of two receive buffers one is with us now.
    const table = new Uint16Array(guest.grantTableFrames[0])
    shut = 0
    for (let ref = 8; ref < 512; ref++) if (table[ref * 4 + 1] === dom0.domid && table[ref * 4] === 0 && new Uint32Array(guest.grantTableFrames[0])[ref * 2 + 1] !== 0) shut++
  }
  for (let i = 0; i < 10; i++) {
    set.netback.send(packet(60))
    await set.xen.settle()
    t.is(shut, 1)
  }
  await end(set, device)
})

test('misuse of frames is an error, not a packet', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const frame = device.reserve() as Frame
  for (const length of [0, 13, 2049, NaN]) t.throws(() => device.send(frame, length), { instanceOf: RangeError })
  for (const offload of [2, 1448, -1, NaN]) t.throws(() => device.send(frame, 60, offload), { instanceOf: RangeError })
  const large = device.reserve() as Frame
  for (const length of [63_489, NaN]) t.throws(() => device.grow(large, length), { instanceOf: RangeError })
  device.grow(large, 10_000)
  t.throws(() => device.grow(large, 10_000), { instanceOf: RangeError })
  for (const offload of [COMPLETE, CHECKSUM, 65_536, NaN]) t.throws(() => device.send(large, 10_000, offload), { instanceOf: RangeError })
  device.discard(large)
  device.send(frame, 60)
  t.throws(() => device.send(frame, 60), { message: /or twice/ })
  t.throws(() => device.discard(frame), { message: /or twice/ })
  t.throws(() => device.send({ u8: new Uint8Array(60), u16: new Uint16Array(30) }, 60), { instanceOf: TypeError })
  const other = device.reserve() as Frame
  device.discard(other)
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  await end(set, device)
})

test('property: in whatever order events come, an echo answers every packet', async (t) => {
  await fc.assert(fc.asyncProperty(fc.nat(0x7fffffff), fc.integer({ min: 2, max: 12 }), fc.nat(100), async (seed, buffers, count) => {
    const set = setUp(undefined, { seed })
    const device = await connect(set, { receiveBuffers: buffers, sendBuffers: buffers })
    const waiting: Uint8Array[] = []
    const sendWaiting = (): void => {
      while (waiting.length > 0 && transmit(device, waiting[0])) waiting.shift()
    }
    device.onReceive = (frame, length) => { waiting.push(frame.u8.slice(0, length)) }
    device.onIdle = device.onWritable = sendWaiting
    for (let i = 0; i < count; i++) {
      set.netback.send(packet(60, i))
      if (i % 7 === 0) await set.xen.settle()
    }
    await set.xen.settle()
    const good = set.netback.received.length === count && set.netback.received.every((bytes, i) => bytes[0] === (i & 255))
    await end(set, device)
    return good && set.netback.fatal === undefined
  }), { numRuns: 40 })
  t.pass()
})

// Life.

test('a detach is answered with states 5 and 6, soon, and everything is given back', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const held = device.reserve() as Frame
  set.netback.detach()
  await set.xen.settle()
  t.is(set.netback.state, XenbusState.closed)
  t.is(set.xen.store.read(set.netback.frontendPath), undefined)
  t.is(device.reserve(), undefined)
  held.u8.fill(1) // the stack is still building: its memory is still there
  device.send(held, 60)
  await set.xen.run(device.close())
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('twenty times detached and attached again, the device goes on with each new backend', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const packets = collect(device)
  let writable = 0
  device.onWritable = () => writable++
  for (let round = 0; round < 20; round++) {
    set.netback.send(packet(60, round))
    t.true(transmit(device, packet(80, round)))
    await set.xen.settle()
    t.deepEqual(set.netback.received, [packet(80, round)])
    if (round % 2 === 0) set.netback.detach()
    else set.netback.vanish()
    await set.xen.settle()
    t.is(device.reserve(), undefined)
    set.netback = set.attach()
    await set.xen.advance(100)
    t.is(writable, round + 1)
  }
  t.is(packets.length, 20)
  await end(set, device)
})

test('a backend in another domain, that dies, is noticed and replaced', async (t) => {
  const set = setUp()
  set.netback.vanish()
  await set.xen.settle()
  const netvm = set.xen.createDomain(5)
  const first = new SimulatedNetback(netvm, connectDrivers(netvm.machine), 1)
  const device = await connect(set)
  transmit(device, packet(60))
  await set.xen.settle()
  t.is(first.received.length, 1)
  first.vanish()
  netvm.destroy()
  await set.xen.settle()
  set.netback = set.attach()
  await set.xen.advance(100)
  t.true(transmit(device, packet(60)))
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  await end(set, device)
})

test('what an earlier kernel left connected is closed first and then connected anew', async (t) => {
  for (const left of [XenbusState.connected, XenbusState.closing, XenbusState.closed]) {
    const set = setUp()
    await set.xen.settle()
    set.netback.setState(left)
    set.xen.store.write(`${set.netback.frontendPath}/state`, String(left))
    const device = await connect(set)
    t.true(transmit(device, packet(60)))
    await set.xen.settle()
    t.is(set.netback.received.length, 1)
    await end(set, device)
  }
})

test('closing ends within half a second with a backend that does not answer', async (t) => {
  const set = setUp()
  const device = await connect(set)
  set.netback.vanish() // no watch any more: nobody answers
  set.xen.store.write(`${set.netback.frontendPath}/backend`, set.netback.path, [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.frontendPath}/backend-id`, '0', [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.frontendPath}/state`, '4', [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.path}/state`, '4', [{ domid: 1, access: 1 }])
  const start = set.xen.now
  await set.xen.run(device.close())
  t.true(set.xen.now - start <= 500)
  t.is(set.xen.store.read(`${set.netback.frontendPath}/state`), '6')
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('no device, a wrong MAC, too little memory and an abort are errors, and nothing remains', async (t) => {
  const set = setUp({ mac: 'ff:ff:ff:ff:ff:ff' })
  await t.throwsAsync(connect(set, { index: 3 }), { message: /no network device 3 .*netvm/ })
  await t.throwsAsync(connect(set), { message: /device\/vif\/0\/mac is "ff:ff.*not the address/ })
  set.netback.vanish()
  set.netback = set.attach({})
  set.guest.freePages = 100
  await t.throwsAsync(connect(set), { message: /vif 0: allocating 128 pages to share: ENOMEM/ })
  set.guest.freePages = 10_000
  await t.throwsAsync(connect(set, { receiveBuffers: 257 }), { instanceOf: RangeError })
  set.xen.store.write(`${set.netback.path}/state`, '1')
  const controller = new AbortController()
  const connecting = connectNetfront(set.drivers, { signal: controller.signal })
  await set.xen.advance(1000)
  controller.abort(new Error('enough'))
  await t.throwsAsync(set.xen.run(connecting), { message: 'enough' })
  set.netback.vanish()
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('once it is connected, the signal that waited for the backend ends nothing', async (t) => {
  const set = setUp()
  const controller = new AbortController()
  const device = await connect(set, { signal: controller.signal })
  controller.abort(new Error('shutdown'))
  await set.xen.advance(1000)
  t.true(transmit(device, packet(60)))
  await end(set, device)
  t.deepEqual(warnings(set), [])
})

for (const keys of [{ mtu: '99999' }, { mtu: 'many' }, { mtu: '' }, { mtu: '3' }, { mtu: '-1' }, { mtu: '9000' }]) {
  test(`an MTU of ${JSON.stringify(keys.mtu)} is taken as 1500`, async (t) => {
    const set = setUp(keys)
    const device = await connect(set)
    t.is(device.mtu, 1500)
    await end(set, device)
  })
}

// Hostile backends. Expected of each: no crash, no hang, no leak, one warning, the connection closed or the packet dropped.

interface Rings { tx: Uint32Array; rx: Uint32Array; set: Set }

const respond = ({ rx }: Rings, index: number, id: number, offset: number, flags: number, status: number): void => {
  rx[FIRST_SLOT + index * 2] = id | offset << 16
  rx[FIRST_SLOT + index * 2 + 1] = flags | status << 16
}

const fatal: Record<string, (rings: Rings) => void> = {
  'a receive index that jumps': ({ rx }) => { rx[2] += 1000 },
  'a receive index that passes what was posted by one': ({ rx }) => { rx[2] += 129 },
  'a receive index that goes back': ({ rx }) => { rx[2] -= 1 },
  'a receive id that does not exist': (rings) => { respond(rings, 0, 4000, 0, 0, 60); rings.rx[2]++ },
  'a receive id answered twice': (rings) => { respond(rings, 0, 5, 0, 0, 60); respond(rings, 1, 5, 0, 0, 60); respond(rings, 2, 5, 0, 0, 60); rings.rx[2] += 140 },
  'a packet beyond the end of its page': (rings) => { respond(rings, 0, 0, 4090, 0, 60); rings.rx[2]++ },
  'a packet longer than a page': (rings) => { respond(rings, 0, 0, 0, 0, 5000); rings.rx[2]++ },
  'an offset out of the page': (rings) => { respond(rings, 0, 0, 65535, 0, 60); rings.rx[2]++ },
  'more slots than were agreed on': (rings) => { respond(rings, 0, 0, 0, 4, 60); rings.rx[2]++ },
  'extra info that was not agreed on': (rings) => { respond(rings, 0, 0, 0, 8, 60); rings.rx[2]++ },
  'a send index that jumps': ({ tx }) => { tx[2] += 1000 },
  'a send response without a request': ({ tx }) => { tx[2] += 1 },
  'a send answer to extra info that does not exist': ({ tx, set }) => { set.netback.holdResponses = true; tx[FIRST_SLOT] = 4000 | 1 << 16 },
  'a send id that does not exist': ({ tx, set }) => { set.netback.holdResponses = true; tx[FIRST_SLOT] = 4000 },
}

for (const [name, spoil] of Object.entries(fatal)) {
  test(`hostile backend: ${name} closes the connection with one warning`, async (t) => {
    const set = setUp()
    const device = await connect(set, { sendBuffers: 4 })
    collect(device)
    device.onWritable = () => {}
    set.netback.holdResponses = true
    if (name.startsWith('a send')) {
      for (let i = 0; i < 4; i++) transmit(device, packet(60))
      t.is(device.reserve(), undefined)
      await set.xen.settle()
    }
    const { tx, rx, channel } = set.netback
    set.dom0.abi.fence()
    if (tx === undefined || rx === undefined) return t.fail('not connected')
    spoil({ tx: tx.words, rx: rx.words, set })
    if (name.includes('that does not exist') && name.startsWith('a send')) tx.words[2] += 1
    if (name === 'a send response without a request') tx.words[2] += 4
    channel?.notify()
    await set.xen.settle()
    t.is(warnings(set).length, 1, warnings(set).join('\n'))
    t.regex(warnings(set)[0], /backend in domain 0 broke the ring: /)
    t.is(device.reserve(), undefined)
    t.is(set.xen.store.read(`${set.netback.frontendPath}/state`), '6')
    await end(set, device)
  })
}

/** Extra info in slot `index`. */
const inform = ({ rx }: Rings, index: number, type: number, flags: number, size: number, segments: number): void => {
  rx[FIRST_SLOT + index * 2] = type | flags << 8 | size << 16
  rx[FIRST_SLOT + index * 2 + 1] = segments
}

const fatalLarge: Record<string, (rings: Rings) => number> = {
  'extra info without end': (rings) => { respond(rings, 0, 0, 0, 8, 60); for (let i = 1; i < 100; i++) inform(rings, i, 1, 1, 1448, 1); return 100 },
  'extra info that is announced and not there': (rings) => { respond(rings, 0, 0, 0, 8, 60); return 1 },
  'extra info of an unknown type': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 9, 0, 1448, 1); return 2 },
  'extra info in the middle of a packet': (rings) => { respond(rings, 0, 0, 0, 4, 60); respond(rings, 1, 1, 0, 8, 60); inform(rings, 2, 1, 0, 1448, 1); return 3 },
  'segments of size 0': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 1, 0, 0, 1); return 2 },
  'segments of an unknown type': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 1, 0, 1448, 2); return 2 },
  'more data promised on the last slot': (rings) => { respond(rings, 0, 0, 0, 4, 4096); return 1 },
  'more slots than a packet can have': (rings) => { for (let i = 0; i < 20; i++) respond(rings, i, i, 0, i < 19 ? 4 : 0, 4096); return 20 },
  'a packet without end': (rings) => { for (let i = 0; i < 128; i++) respond(rings, i, i, 0, 4, 0); return 128 },
  'a piece beyond the end of its page': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 1, 4000, 0, 200); return 2 },
  'a piece longer than a page': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 1, 0, 0, 4097); return 2 },
  'a piece in the same page as the one before': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 0, 0, 0, 200); return 2 },
  'a piece in a page that does not exist': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 4000, 0, 0, 200); return 2 },
}

for (const [name, spoil] of Object.entries(fatalLarge)) {
  test(`hostile backend: ${name} closes the connection with one warning`, async (t) => {
    const set = setUp()
    const device = await connect(set, { largePackets: true })
    const packets = collect(device)
    const { tx, rx, channel } = set.netback
    set.dom0.abi.fence()
    if (tx === undefined || rx === undefined) return t.fail('not connected')
    rx.words[2] += spoil({ tx: tx.words, rx: rx.words, set })
    channel?.notify()
    await set.xen.settle()
    t.is(packets.length, 0)
    t.is(warnings(set).length, 1, warnings(set).join('\n'))
    t.regex(warnings(set)[0], /backend in domain 0 broke the ring: /)
    await end(set, device)
  })
}

/** All of a packet that arrived in one or more pieces. */
const gathered = (frame: Frame, length: number): Uint8Array => {
  if (frame.more === undefined) return frame.u8.slice(0, length)
  const parts: number[] = []
  for (let piece: Piece | undefined = frame; piece !== undefined; piece = piece.more) for (const byte of piece.u8.subarray(0, piece.filled)) parts.push(byte)
  return Uint8Array.from(parts)
}

test('large packets of every size come in, each once and in order, between small ones, far more than there are buffers', async (t) => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 40, largePackets: true })
  t.deepEqual(['sg', 'gso-tcpv4', 'gso-tcpv6'].map((feature) => set.netback.takes(feature)), [true, true, false])
  const packets: Uint8Array[] = []
  const lengths: number[] = []
  device.onReceive = (frame, length) => { lengths.push(length); packets.push(gathered(frame, length)); if (length > 4096) t.true(frame.checked) }
  const sizes = [1514, 2000, 4095, 4096, 4097, 8191, 8192, 8193, 40_000, 65_535]
  const sent = Array.from({ length: 60 }, (_, i) => packet(i % 3 === 2 ? 60 + i : sizes[i % sizes.length], i))
  for (const each of sent) set.netback.send(each, each.length > 1514 ? 3 : 0, each.length > 1514 ? 1448 : 0)
  await set.xen.settle()
  t.deepEqual(lengths, sent.map(({ length }) => length))
  t.true(packets.every((bytes, i) => same(bytes, sent[i])))
  await end(set, device)
  t.deepEqual(warnings(set), [])
})

test('hostile backend: a large packet with a piece that failed, or with nothing in it, is dropped, and its pages serve again', async (t) => {
  const set = setUp()
  const device = await connect(set, { largePackets: true })
  const packets = collect(device)
  for (let round = 0; round < 100; round++) {
    const { rx, channel } = set.netback
    if (rx === undefined) return t.fail('not connected')
    set.dom0.abi.fence()
    const statuses = [[4096, -1, 100], [-1, 4096, 100], [0, 0, 0], [5, 0, 5]][round % 4]
    statuses.forEach((status, i) => {
      const index = rx.consumed++ % 256
      respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, i < 2 ? 4 : 0, status)
      rx.words[2] = ++rx.produced
    })
    channel?.notify()
    await set.xen.settle()
  }
  t.is(packets.length, 0)
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(packets.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

test('a packet that the backend put into two pages and fits one comes in one piece', async (t) => {
  const set = setUp()
  const device = await connect(set, { largePackets: true })
  let pieces = 0
  const packets: Uint8Array[] = []
  device.onReceive = (frame, length) => { pieces += frame.more === undefined ? 1 : 2; packets.push(frame.u8.slice(0, length)) }
  const { rx, channel } = set.netback
  if (rx === undefined) return t.fail('not connected')
  set.dom0.abi.fence()
  for (const [status, flags] of [[100, 4], [50, 0]]) {
    const index = rx.consumed++ % 256
    respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, flags, status)
    rx.words[2] = ++rx.produced
  }
  channel?.notify()
  await set.xen.settle()
  t.deepEqual([packets.length, pieces, packets[0]?.length], [1, 1, 150])
  await end(set, device)
})

test('hostile backend: packets that are none are dropped, the connection lives', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const packets = collect(device)
  for (const status of [0, 13, -1, -2, -32768]) {
    const { rx, channel } = set.netback
    if (rx === undefined) return t.fail('not connected')
    set.dom0.abi.fence()
    const index = rx.consumed++ % 256
    respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, 0, status)
    rx.words[2] = ++rx.produced
    channel?.notify()
    await set.xen.settle()
  }
  t.is(packets.length, 0)
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(packets.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

test('hostile backend: a storm of events and state changes without a reason costs nothing', async (t) => {
  const set = setUp()
  const device = await connect(set)
  for (let i = 0; i < 200; i++) {
    set.netback.channel?.notify()
    set.xen.store.write(`${set.netback.path}/state`, ['4', '3', '4', '8', '7', '4'][i % 6])
    await set.xen.settle()
  }
  t.true(transmit(device, packet(60)))
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

for (const state of ['', 'connected', '99999999999', '0', '-4', '4.0']) {
  test(`hostile backend: state ${JSON.stringify(state)} counts as gone`, async (t) => {
    const set = setUp()
    const device = await connect(set)
    set.xen.store.write(`${set.netback.path}/state`, state)
    await set.xen.settle()
    t.is(device.reserve(), undefined)
    await end(set, device)
  })
}

test('hostile backend: one that breaks the rules again and again is not tried more than once a second', async (t) => {
  const set = setUp()
  const device = await connect(set)
  for (let i = 0; i < 100; i++) {
    set.dom0.abi.fence()
    if (set.netback.rx !== undefined) set.netback.rx.words[2] += 1000
    set.netback.channel?.notify()
    await set.xen.settle()
    if (set.netback.state === XenbusState.closed) set.netback.setState(XenbusState.initWait)
    await set.xen.advance(100)
  }
  t.true(warnings(set).length >= 5 && warnings(set).length <= 11, `${warnings(set).length}`)
  await end(set, device)
})

test('property: whatever a backend writes into the rings, nothing crashes and nothing is lost', async (t) => {
  const word = fc.oneof(fc.nat(0xffffffff), fc.nat(300), fc.nat(127).map((id) => id | 60 << 16))
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), fc.nat(60), word), { maxLength: 40 }), fc.nat(40), fc.nat(40), async (writes, rxCount, txCount) => {
    const set = setUp()
    const device = await connect(set, { sendBuffers: 4, receiveBuffers: 64, largePackets: true })
    collect(device)
    for (let i = 0; i < 5; i++) transmit(device, packet(60))
    set.netback.holdResponses = true
    await set.xen.settle()
    set.dom0.abi.fence()
    const { tx, rx, channel } = set.netback
    if (tx === undefined || rx === undefined) return false
    for (const [which, index, value] of writes) (which === 0 ? tx : rx).words[FIRST_SLOT + index] = value
    rx.words[2] += rxCount
    tx.words[2] += txCount
    channel?.notify()
    await set.xen.settle()
    for (let i = 0; i < 5; i++) transmit(device, packet(60))
    await end(set, device)
    return warnings(set).length <= 1
  }), { numRuns: 60 })
  t.pass()
})
