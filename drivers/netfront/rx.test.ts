import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { grantCopy } from '../sim/grants.ts'
import { collect, connect, end, FIRST_SLOT, packet, respond, same, setUp, transmit, warnings } from './testing.ts'
import '../sim/leak-check.ts'

test('packets of every size come in, each once and in order, far more than there are buffers', async t => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 16 })
  const packets = collect(device)
  const sent = Array.from({ length: 1000 }, (_, i) => packet(14 + (i % 1500), i))
  for (const each of sent) set.netback.send(each)
  await set.xen.settle()
  t.is(packets.length, sent.length)
  t.true(packets.every((bytes, i) => bytes.length === sent[i].length && bytes.every((byte, k) => byte === sent[i][k])))
  await end(set, device)
})

test('a frame says whether its checksum needs a look, and blank ones come only to those who want them', async t => {
  const set = setUp()
  const device = await connect(set, { blankChecksums: true })
  const checked: (boolean | undefined)[] = []
  device.onReceive = frame => checked.push(frame.checked)
  for (const flags of [0, 1, 3]) set.netback.send(packet(60), flags)
  await set.xen.settle()
  t.deepEqual(checked, [false, true, true])
  t.is(set.xen.store.read(`${set.netback.frontendPath}/feature-no-csum-offload`), undefined)
  await end(set, device)
})

test('while many packets are looked at, the backend has the answers to the first of them already', async t => {
  const set = setUp()
  const device = await connect(set)
  let received = 0
  const events: number[] = []
  set.guest.hook = operation => {
    if (operation === 'evtchnSend') events.push(received)
  }
  device.onReceive = () => {
    received++
    transmit(device, packet(60))
  }
  for (let i = 0; i < 50; i++) set.netback.send(packet(60))
  await set.xen.settle()
  t.deepEqual([received, events], [50, [4]])
  await end(set, device)
})

test('what is sent in one turn goes out with one notification, and what came in is over with one onIdle', async t => {
  const set = setUp()
  const device = await connect(set)
  let events = 0
  set.guest.hook = operation => {
    if (operation === 'evtchnSend') events++
  }
  for (let i = 0; i < 100; i++) transmit(device, packet(60, i))
  await set.xen.settle()
  t.is(set.netback.received.length, 100)
  t.is(events, 1)
  t.is(set.netback.notifications, 1) // for the one response the ring's first setting asks for

  let idle = 0
  const order: string[] = []
  device.onReceive = () => {
    order.push('r')
    transmit(device, packet(60))
  }
  device.onIdle = () => {
    idle++
    transmit(device, packet(60))
  }
  events = 0
  for (let i = 0; i < 50; i++) set.netback.send(packet(60))
  await set.xen.settle()
  t.deepEqual([order.length, idle, set.netback.received.length], [50, 1, 151])
  t.is(events, 1)
  await end(set, device)
})

test('a packet, or a buffer that is back, between the last look and going to sleep is not overlooked', async t => {
  const set = setUp()
  const device = await connect(set, { sendBuffers: 2 })
  const packets = collect(device)
  let fences = 0
  set.guest.hook = operation => {
    if (operation === 'fence' && ++fences === 2) set.netback.send(packet(60, 2))
  } // the fence of the last look
  set.netback.send(packet(60, 1))
  await set.xen.settle()
  t.is(packets.length, 2)

  set.netback.holdResponses = true
  for (let i = 0; i < 2; i++) transmit(device, packet(60))
  await set.xen.settle()
  set.guest.hook = operation => {
    if (operation === 'fence' && set.netback.holdResponses) set.netback.releaseResponses()
  }
  const frame = device.reserve()
  t.not(frame, undefined)
  if (frame !== undefined) device.discard(frame)
  await set.xen.settle()
  set.guest.hook = undefined
  await end(set, device)
})

test('a flood gives timers and others their turn', async t => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 256 })
  let count = 0
  let before = 0
  device.onReceive = () => {
    if (++count < 2000) set.netback.send(packet(60)) // a packet for each packet, without end
    if (count === 1)
      set.drivers.machine.timers.set(0, () => {
        before = count
      })
  }
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(count, 2000)
  t.true(before > 0 && before <= 300, `${before}`)
  await end(set, device)
})

test('what a backend writes into its buffers after it delivered a packet does not reach who looks at the packet', async t => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 20, largePackets: true })
  const table = new Uint16Array(set.guest.grantTableFrames[0])
  const seen: Uint8Array[] = []
  device.onReceive = (frame, length) => {
    // The buffers are granted for writing, and nobody has them mapped as the rings.
    const buffers = Array.from({ length: 512 }, (_, ref) => ref).filter(ref => table[ref * 4] === 1)
    t.is(buffers.length, 20)
    for (const ref of buffers) t.is(grantCopy(set.dom0, 1, ref, 0, packet(4096, 77), 'write'), 0)
    seen.push(frame.u8.slice(0, length))
  }
  const sent = [60, 1514, 4096, 9000, 60].map(length => packet(length, length))
  for (const bytes of sent) {
    set.netback.send(bytes, bytes.length > 1514 ? 3 : 0, bytes.length > 1514 ? 1448 : 0)
    await set.xen.settle()
  }
  t.deepEqual(seen, sent)
  await end(set, device)
})

test('property: in whatever order events come, an echo answers every packet', async t => {
  await fc.assert(
    fc.asyncProperty(fc.nat(0x7fffffff), fc.integer({ min: 2, max: 12 }), fc.nat(100), async (seed, buffers, count) => {
      const set = setUp(undefined, { seed })
      const device = await connect(set, { receiveBuffers: buffers, sendBuffers: buffers })
      const waiting: Uint8Array[] = []
      const sendWaiting = (): void => {
        while (waiting.length > 0 && transmit(device, waiting[0])) waiting.shift()
      }
      device.onReceive = (frame, length) => {
        waiting.push(frame.u8.slice(0, length))
      }
      device.onIdle = device.onWritable = sendWaiting
      for (let i = 0; i < count; i++) {
        set.netback.send(packet(60, i))
        if (i % 7 === 0) await set.xen.settle()
      }
      await set.xen.settle()
      const good = set.netback.received.length === count && set.netback.received.every((bytes, i) => bytes[0] === (i & 255))
      await end(set, device)
      return good && set.netback.fatal === undefined
    }),
    runs({ few: 40, cost: 100 }),
  )
  t.pass()
})

test('large packets of every size come in, each once and in order, between small ones, far more than there are buffers', async t => {
  const set = setUp()
  const device = await connect(set, { receiveBuffers: 40, largePackets: true })
  t.deepEqual(
    ['sg', 'gso-tcpv4', 'gso-tcpv6'].map(feature => set.netback.takes(feature)),
    [true, true, false],
  )
  const packets: Uint8Array[] = []
  const lengths: number[] = []
  device.onReceive = (frame, length) => {
    lengths.push(length)
    packets.push(frame.u8.slice(0, length))
    t.is(frame.segment, length > 1514 ? 1448 : 0)
    if (length > 1514) t.true(frame.checked)
  }
  const sizes = [1514, 2000, 4095, 4096, 4097, 8191, 8192, 8193, 40_000, 65_535]
  const sent = Array.from({ length: 60 }, (_, i) => packet(i % 3 === 2 ? 60 + i : sizes[i % sizes.length], i))
  for (const each of sent) set.netback.send(each, each.length > 1514 ? 3 : 0, each.length > 1514 ? 1448 : 0)
  await set.xen.settle()
  t.deepEqual(
    lengths,
    sent.map(({ length }) => length),
  )
  t.true(packets.every((bytes, i) => same(bytes, sent[i])))
  await end(set, device)
  t.deepEqual(warnings(set), [])
})

test('a packet that the backend put into two pages although it fits one comes whole', async t => {
  const set = setUp()
  const device = await connect(set, { largePackets: true })
  const packets: Uint8Array[] = []
  device.onReceive = (frame, length) => packets.push(frame.u8.slice(0, length))
  const { rx, channel } = set.netback
  if (rx === undefined) return t.fail('not connected')
  set.dom0.abi.fence()
  for (const [status, flags] of [
    [100, 4],
    [50, 0],
  ]) {
    const index = rx.consumed++ % 256
    respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, flags, status)
    rx.words[2] = ++rx.produced
  }
  channel?.notify()
  await set.xen.settle()
  t.deepEqual(
    packets.map(({ length }) => length),
    [150],
  )
  await end(set, device)
})
