/** Fragments of IPv4 that come and go, as a peer sees them. */
import test from 'ava'
import { testAbi } from '../testing/abi.ts'
import { pattern } from '../testing/pair.ts'
import { raw } from '../testing/raw.ts'

const abi = testAbi(0, () => 0)

/** Puts fragments together in the plainest way, and checks the header of each. */
function join(t: import('ava').ExecutionContext, frames: Buffer[]): { payload: Buffer; protocol: number; pieces: number } {
  const fragments = frames.filter(frame => frame.readUInt16BE(12) === 0x800)
  const ids = new Set(fragments.map(frame => frame.readUInt16BE(18)))
  t.is(ids.size, 1)
  const payload: number[] = []
  for (const [i, frame] of fragments.entries()) {
    const field = frame.readUInt16BE(20)
    const length = frame.readUInt16BE(16)
    t.is(abi.checksum(frame, 14, 20, 0), 0xffff)
    t.true(length <= 1500)
    t.is(length, frame.length - 14)
    t.is((field & 0x1fff) * 8, payload.length, 'in order, without holes')
    t.is((field & 0x2000) !== 0, i < fragments.length - 1)
    if (fragments.length > 1) t.is(field & 0x4000, 0, 'a router may cut it further')
    payload.push(...frame.subarray(34))
  }
  return { payload: Buffer.from(payload), protocol: fragments[0][23], pieces: fragments.length }
}

for (const size of [1472, 1473, 1480, 2952, 2953, 8000, 65_000, 65_507]) {
  test(`a ping of ${size} bytes is answered with all of it`, async t => {
    const { world, peer, stack, device } = raw()
    const data = pattern(size)
    peer.arp(1)
    peer.fragments(1, peer.message(8, 0, Buffer.concat([Buffer.from([1, 2, 3, 4]), data])), 1480)
    await world.run(10)
    const { payload, protocol } = join(t, peer.frames.slice(1))
    t.is(protocol, 1)
    t.is(payload[0], 0)
    t.is(abi.checksum(payload, 0, payload.length, 0), 0xffff)
    t.deepEqual(payload.subarray(8), Buffer.from(data))
    t.is(stack.counters.echoReplies, 1)
    await world.run(10)
    t.is(device.reserved, 0)
  })
}

test('a datagram of any size comes and goes; what no packet can hold is refused', async t => {
  const { world, peer, stack } = raw()
  const got: Uint8Array[] = []
  stack.udp.bind(53, (bytes, offset, length, from, port) => {
    got.push(bytes.slice(offset, offset + length))
    stack.udp.send(53, from, port, bytes.subarray(offset, offset + length))
  })
  peer.arp(1)
  await world.run(5)
  for (const size of [1473, 9000, 65_507]) {
    peer.frames.length = 0
    const data = pattern(size)
    peer.fragments(17, peer.datagram(1000, 53, data), 1400, size & 0xffff)
    await world.run(10)
    t.deepEqual(got.pop(), data)
    const { payload, protocol } = join(t, peer.frames)
    t.is(protocol, 17)
    t.deepEqual(payload.subarray(8), Buffer.from(data))
    const pseudo = Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 0, 17, payload.length >> 8, payload.length & 255])
    t.is(abi.checksum(payload, 0, payload.length, abi.checksum(pseudo, 0, 12, 0)), 0xffff)
  }
  t.throws(() => stack.udp.send(53, '10.0.0.1', 9, new Uint8Array(65_508)), { message: /at most 65507 fit/ })
})

test('a datagram whose sum is wrong once it is whole is dropped', async t => {
  const { world, peer, stack } = raw()
  stack.udp.bind(53, () => t.fail())
  const datagram = peer.datagram(1000, 53, pattern(3000))
  datagram[2500] ^= 1
  peer.fragments(17, datagram, 1400)
  await world.run(10)
  t.is(stack.counters.badChecksum, 1)
})

test('a segment of TCP in fragments opens a connection, and is answered in none', async t => {
  const { world, peer, stack } = raw()
  void stack.tcp.listen({ port: 80 }, () => {})
  let syn: Buffer | undefined
  const send = peer.fragment.bind(peer)
  peer.ip4 = (_protocol, payload) => void (syn = Buffer.from(payload))
  peer.tcp({ flags: 2, seq: 100, options: Array(20).fill(1) })
  Reflect.deleteProperty(peer, 'ip4')
  send(6, syn!.subarray(24), { offset: 24 })
  send(6, syn!.subarray(0, 24), { more: true })
  await world.run(10)
  const [answer] = peer.segments()
  t.is(answer.flags, 0x12)
  t.is(stack.counters.reassembled, 1)
})

test('when not all of it comes, the sender is told after 30 s, if the first fragment came', async t => {
  const { world, peer, stack } = raw()
  const message = peer.message(8, 0, pattern(3000))
  peer.arp(1)
  peer.fragment(1, message.subarray(0, 1480), { id: 1, more: true })
  peer.fragment(1, message.subarray(1480, 2960), { id: 2, offset: 1480, more: true })
  await world.run(31_000)
  const errors = peer.frames.filter(frame => frame[23] === 1)
  t.is(errors.length, 1)
  const [error] = errors
  t.deepEqual([...error.subarray(34, 36)], [11, 1])
  t.is(abi.checksum(error, 34, error.length - 34, 0), 0xffff)
  t.is(error.readUInt16BE(46), 1, 'the id of the fragment that it quotes')
  t.is(stack.counters.reassemblyTimeouts, 2)
})

test('the frames that fragments take are all given back when there are too few, and nothing is sent', async t => {
  const { world, peer, stack, device } = raw()
  peer.arp(1)
  await world.run(5)
  peer.frames.length = 0
  const taken = Array.from({ length: 230 }, () => device.reserve()!)
  t.false(stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(60_000)))
  t.is(device.reserved, 230)
  for (const frame of taken) device.discard(frame)
  t.true(stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(60_000)))
  await world.run(10)
  t.is(device.reserved, 0)
})

test('fragments to a neighbour whose address is not known yet do not wait by the dozen', async t => {
  const { world, stack, device } = raw()
  t.false(stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(60_000)))
  t.is(device.reserved, 1) // the question of ARP
  await world.run(10)
  t.true(stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(60_000)))
})

test('what came for another address does not become whole with what comes for this one', async t => {
  const { world, peer, stack } = raw()
  const message = peer.message(8, 0, pattern(2000))
  peer.fragment(1, message.subarray(0, 1480), { more: true })
  await world.run(5)
  stack.configure({ address: '10.0.0.3', prefix: 24 })
  peer.target = '10.0.0.3'
  peer.fragment(1, message.subarray(1480), { offset: 1480 })
  await world.run(5)
  t.is(stack.counters.reassembled, 0)
})
