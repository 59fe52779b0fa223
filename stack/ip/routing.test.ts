/** The next hop: the longest prefix, and what a change of it does to those who are on their way. */
import test from 'ava'
import { raw } from '../testing/raw.ts'
import { RawPeer } from '../testing/raw-peer.ts'

/** Who is asked by ARP, and so is the next hop. */
function asked(peer: RawPeer): string | undefined {
  const frames = peer.frames.splice(0).filter(frame => frame.readUInt16BE(12) === 0x806)
  return frames.at(-1)?.subarray(38, 42).join('.')
}

test('the longest prefix counts, in whatever order routes are given; without one it is the gateway', async t => {
  const { world, peer, stack } = raw({
    address: '10.0.0.2',
    prefix: 24,
    gateway: '10.0.0.1',
    routes: [
      { to: '10.1.0.0/16', via: '10.0.0.3' },
      { to: '10.1.2.0/24', via: '10.0.0.4' },
      { to: '10.1.2.3/32', via: '10.0.0.5' },
      { to: '10.0.0.128/25', via: '10.0.0.6' },
      { to: '192.168.0.0/16' },
      { to: '0.0.0.0/1', via: '10.0.0.7' },
    ],
  })
  await world.run(5)
  peer.answersArp = false
  for (const [destination, hop] of [
    ['10.1.9.9', '10.0.0.3'],
    ['10.1.2.9', '10.0.0.4'],
    ['10.1.2.3', '10.0.0.5'],
    ['10.0.0.9', '10.0.0.9'],
    ['10.0.0.130', '10.0.0.6'],
    ['192.168.7.7', '192.168.7.7'],
    ['9.9.9.9', '10.0.0.7'],
  ]) {
    asked(peer)
    stack.udp.send(1, destination, 2, new Uint8Array(1))
    await world.run(5)
    t.is(asked(peer), hop, destination)
  }
  peer.answersArp = true
  stack.udp.send(1, '200.1.1.1', 2, new Uint8Array(1))
  await world.run(5)
  t.is(stack.counters.noRoute, 0)
})

test('without a gateway there is no way but the routes', t => {
  const { stack } = raw({ address: '10.0.0.2', prefix: 32, routes: [{ to: '10.1.0.0/16', via: '10.0.0.3' }] })
  t.notThrows(() => stack.udp.routeTo('10.1.1.1'))
  t.throws(() => stack.udp.routeTo('10.2.1.1'), { code: 'EHOSTUNREACH' })
  t.throws(() => stack.udp.routeTo('10.0.0.9'), { code: 'EHOSTUNREACH' })
})

test('other routes or another MTU for the same address: connections go on, by the new way', async t => {
  const { world, wire, peer, stack } = raw({ gateway: '10.0.0.1' })
  const router = new RawPeer(wire, '10.0.0.8', '10.0.0.2', '00:16:3e:5e:6c:00')
  router.device.mac.set([2, 0, 0, 0, 0, 0x88])
  let closed = false
  const sockets: { queue(bytes: Uint8Array, at: number, length: number): void; flush(): void }[] = []
  stack.tcp.bind(80, {}, socket => {
    sockets.push(socket)
    return { onData: (_, __, length) => length, onEnd() {}, onWritable() {}, onClosed: () => void (closed = true) }
  })
  peer.tcp({ flags: 2, seq: 100 }, undefined, '10.9.0.1')
  await world.run(5)
  const [{ seq }] = peer.segments()
  peer.tcp({ flags: 0x10, seq: 101, ack: seq + 1 }, undefined, '10.9.0.1')
  await world.run(5)
  stack.configure({
    address: '10.0.0.2',
    prefix: 24,
    gateway: '10.0.0.1',
    routes: [{ to: '10.9.0.0/16', via: '10.0.0.8' }, { to: '10.8.0.0/16' }],
    mtu: 1400,
  })
  await world.run(5)
  t.false(closed)
  peer.frames.length = 0
  sockets[0].queue(new Uint8Array(10), 0, 10)
  sockets[0].flush()
  await world.run(5)
  const [segment] = peer.frames.filter(frame => frame[23] === 6)
  t.deepEqual([...segment.subarray(0, 6)], [...router.device.mac])
  t.true(
    world.logLines.some(line =>
      line.endsWith('the network was changed: 10.0.0.2/24 via 10.0.0.1, 10.9.0.0/16 via 10.0.0.8, 10.8.0.0/16 on the link, MTU 1400'),
    ),
  )
  peer.frames.length = 0
  stack.udp.send(1, '10.0.0.1', 2, new Uint8Array(1400))
  await world.run(5)
  t.is(peer.frames.filter(frame => frame[23] === 17).length, 2)
})

test('the MTU that is given bounds segments too, and is bounded by that of the device', async t => {
  for (const [mtu, mss] of [
    [1000, 960],
    [9000, 1460],
  ]) {
    const { world, peer, stack } = raw({ mtu })
    void stack.tcp.listen({ port: 80 }, () => {})
    peer.tcp({ flags: 2, seq: 100 })
    await world.run(5)
    const [{ options }] = peer.segments()
    t.deepEqual(options.slice(0, 4), [2, 4, mss >> 8, mss & 255])
  }
})
