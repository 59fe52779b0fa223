/** ICMP errors that a host sends, and those it must not (RFC 1122 section 3.2.2). */
import test from 'ava'
import { counterValues } from '../counters.ts'
import { testAbi } from '../testing/abi.ts'
import { pattern } from '../testing/pair.ts'
import { type Raw, raw } from '../testing/raw.ts'

const abi = testAbi(0, () => 0)
const isError = (frame: Buffer): boolean => frame.readUInt16BE(12) === 0x800 && frame[23] === 1 && frame[34] !== 0 && frame[34] !== 8

async function ready(config: Parameters<typeof raw>[0] = {}): Promise<Raw> {
  const made = raw(config)
  made.peer.arp(1)
  await made.world.run(5)
  made.peer.frames.length = 0
  return made
}

test('a datagram without a receiver: port unreachable, with as much of it as fits in 576 bytes', async t => {
  const { world, peer, stack } = await ready()
  for (const size of [0, 5, 600]) {
    const datagram = peer.datagram(1000, 54, pattern(size))
    peer.frames.length = 0
    peer.ip4(17, datagram)
    await world.run(5)
    const [error, ...more] = peer.frames
    t.is(more.length, 0)
    t.is(error.readUInt16BE(16), Math.min(56 + size, 576))
    t.is(abi.checksum(error, 14, 20, 0), 0xffff)
    t.is(abi.checksum(error, 34, error.length - 34, 0), 0xffff)
    t.deepEqual([...error.subarray(34, 36), ...error.subarray(38, 42)], [3, 3, 0, 0, 0, 0])
    const quoted = error.subarray(42)
    t.deepEqual([...quoted.subarray(9, 10), ...quoted.subarray(12, 20)], [17, 10, 0, 0, 1, 10, 0, 0, 2])
    t.deepEqual(quoted.subarray(20), datagram.subarray(0, 528))
  }
  t.is(stack.counters.icmpErrors, 3)
})

test('a datagram in fragments without a receiver is refused once, and quoted as a whole', async t => {
  const { world, peer } = await ready()
  peer.fragments(17, peer.datagram(1000, 54, pattern(3000)), 1400)
  await world.run(5)
  t.is(peer.frames.length, 1)
  const quoted = peer.frames[0].subarray(42)
  t.deepEqual([quoted.readUInt16BE(2), quoted.readUInt16BE(6)], [3028, 0])
  t.is(abi.checksum(quoted, 0, 20, 0), 0xffff)
})

test('another transport: protocol unreachable', async t => {
  const { world, peer, stack } = await ready()
  peer.ip4(47, pattern(20))
  await world.run(5)
  t.deepEqual([...peer.frames[0].subarray(34, 36)], [3, 2])
  t.is(stack.counters.foreign, 1)
})

const silent: [why: string, send: (peer: Raw['peer']) => void][] = [
  ['in a frame to all', peer => (peer.targetMac.fill(255), peer.udp(1, 54, pattern(4)))],
  ['to all hosts', peer => (peer.targetMac.fill(255), (peer.target = '255.255.255.255'), peer.udp(1, 54, pattern(4)))],
  ['to all hosts of the network', peer => (peer.targetMac.fill(255), (peer.target = '10.0.0.255'), peer.udp(1, 54, pattern(4)))],
  ['to all in a frame to us', peer => ((peer.target = '255.255.255.255'), peer.udp(1, 54, pattern(4)))],
  ['to a group', peer => ((peer.target = '224.0.0.1'), peer.udp(1, 54, pattern(4)))],
  ['from a group', peer => peer.ip4(47, pattern(8), undefined, [], '224.0.0.1')],
  ['from all', peer => peer.ip4(47, pattern(8), undefined, [], '255.255.255.255')],
  ['from nobody', peer => peer.ip4(47, pattern(8), undefined, [], '0.0.0.0')],
  ['from ourselves', peer => peer.ip4(47, pattern(8), undefined, [], '10.0.0.2')],
  ['from the loopback', peer => peer.ip4(47, pattern(8), undefined, [], '127.0.0.1')],
  ['an ICMP error', peer => peer.icmp(3, 3, [0, 0, 0, 0, 0x45, ...Array(30).fill(0)])],
  ['an unknown ICMP message', peer => peer.icmp(40, 0, [0, 0, 0, 0])],
  ['a fragment that is not the first', peer => peer.fragment(47, pattern(8), { offset: 8 })],
  ['fragments that overlap', peer => (peer.fragment(17, pattern(16), { more: true }), peer.fragment(17, pattern(16), { offset: 8 }))],
  ['a datagram with a wrong sum', peer => peer.udp(1, 54, pattern(4), datagram => void (datagram[9] ^= 1))],
]

for (const [why, send] of silent) {
  test(`nothing is sent about what comes ${why}`, async t => {
    const { world, peer, stack } = await ready()
    send(peer)
    await world.run(5)
    t.is(peer.frames.length, 0)
    t.is(stack.counters.icmpErrors, 0)
    const { framesIn: _, ...counted } = stack.counters
    t.true(Object.values(counterValues(counted)).some(value => value > 0))
  })
}

test('the time of fragments is over: an ICMP error is not answered, an echo request is', async t => {
  const { world, peer } = await ready()
  const error = peer.message(3, 3, pattern(100))
  peer.fragment(1, error.subarray(0, 64), { id: 1, more: true })
  const request = peer.message(8, 0, pattern(100))
  peer.fragment(1, request.subarray(0, 64), { id: 2, more: true })
  peer.fragment(17, peer.datagram(1, 54, pattern(100)).subarray(0, 64), { id: 3, more: true })
  await world.run(31_000)
  const errors = peer.frames.filter(isError)
  t.deepEqual(
    errors.map(frame => [frame[34], frame[35], frame.readUInt16BE(46)]),
    [
      [11, 1, 2],
      [11, 1, 3],
    ],
  )
})

test('errors have a limit: 50 at once and 100 a second', async t => {
  const { world, peer, stack } = await ready()
  const flood = async (count: number): Promise<number> => {
    peer.frames.length = 0
    for (let i = 0; i < count; i++) peer.udp(1, 54, pattern(4))
    await world.run(1)
    return peer.frames.filter(isError).length
  }
  t.is(await flood(200), 50)
  t.is(stack.counters.icmpErrorsLimited, 150)
  await world.run(99)
  t.is(await flood(200), 10)
  await world.run(60_000)
  t.is(await flood(200), 50)
})
