import { CHECKSUM, COMPLETE, type Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import { connect, end, packet, setUp, transmit, transmitLarge } from './testing.ts'
import '../sim/leak-check.ts'

test('packets of every size go out as they were built', async t => {
  const set = setUp()
  const device = await connect(set)
  const sizes = [14, 15, 60, 590, 1513, 1514, 2048]
  for (const size of sizes) t.true(transmit(device, packet(size, size)))
  await set.xen.settle()
  t.deepEqual(
    set.netback.received,
    sizes.map(size => packet(size, size)),
  )
  await end(set, device)
})

test('when all send buffers are under way, onWritable tells of the first that are back', async t => {
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

test('who was told that there is no buffer hears of the first, also when somebody else found it before the event', async t => {
  const set = setUp()
  const device = await connect(set, { sendBuffers: 8 })
  let writable = 0
  device.onWritable = () => writable++
  set.netback.holdResponses = true
  for (let i = 0; i < 8; i++) t.true(transmit(device, packet(100, i)))
  t.is(device.reserve(), undefined)
  await set.xen.settle()
  set.netback.releaseResponses()
  t.true(transmit(device, packet(100)))
  t.is(writable, 0)
  await set.xen.settle()
  t.is(writable, 1)
  await end(set, device)
})

test('an event that brings back large frames only is not the last one for who waits for a usual frame', async t => {
  const set = setUp()
  const device = await connect(set, { sendBuffers: 4 })
  let writable = 0
  device.onWritable = () => writable++
  set.netback.holdResponses = true
  for (let i = 0; i < 3; i++) t.not(transmitLarge(device, packet(30_000, i), 1448), undefined)
  for (let i = 0; i < 4; i++) t.true(transmit(device, packet(100, i)))
  t.is(device.reserve(), undefined)
  await set.xen.settle()
  set.netback.releaseResponses(false, 3 * 9) // eight pages and extra info each
  await set.xen.settle()
  t.is(writable, 0)
  set.netback.releaseResponses()
  await set.xen.settle()
  t.is(writable, 1)
  t.true(transmit(device, packet(60)))
  await end(set, device)
})

test('misuse of frames is an error, not a packet', async t => {
  const set = setUp()
  const device = await connect(set)
  const frame = device.reserve() as Frame
  for (const length of [0, 13, 2049, NaN]) t.throws(() => device.send(frame, length), { instanceOf: RangeError })
  for (const offload of [2, 1448, -1, NaN]) t.throws(() => device.send(frame, 60, offload), { instanceOf: RangeError })
  for (const length of [65_536, -1, NaN]) t.throws(() => device.reserve(length), { instanceOf: RangeError })
  const large = device.reserve(10_000) as Frame
  for (const length of [0, 13, 65_536, NaN]) t.throws(() => device.send(large, length, 1448), { instanceOf: RangeError })
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

test('what was not sent is counted: what the backend could not, and what was built or under way when it went', async t => {
  const set = setUp()
  const device = await connect(set)
  set.netback.holdResponses = true
  for (let i = 0; i < 3; i++) transmit(device, packet(60, i))
  await set.xen.settle()
  set.netback.releaseResponses(true)
  await set.xen.settle()
  set.netback.holdResponses = true
  for (let i = 0; i < 5; i++) transmit(device, packet(60, i))
  const built = device.reserve()!
  await set.xen.settle()
  set.netback.releaseResponses(false, 1)
  set.netback.vanish()
  await set.xen.advance(1000)
  device.send(built, 60)
  t.deepEqual({ ...device.counters }, { receiveErrors: 0, sendErrors: 3, sendLost: 5, broken: 0 })
  await end(set, device)
})
