/** What routers say of the path serves all that goes there (RFC 1191). */
import test from 'ava'
import { testAbi } from '../testing/abi.ts'
import { pattern } from '../testing/pair.ts'
import { type Raw, raw } from '../testing/raw.ts'
import { World } from '../testing/world.ts'
import { PathMtus } from './path-mtu.ts'

const abi = testAbi(0, () => 0)

async function ready(): Promise<Raw & { datagrams(size: number): Promise<number[]> }> {
  const made = raw()
  const { world, peer, stack } = made
  peer.arp(1)
  stack.udp.bind(53, () => {})
  await world.run(5)
  const datagrams = async (size: number): Promise<number[]> => {
    peer.frames.length = 0
    stack.udp.send(53, '10.0.0.1', 9, pattern(size))
    await world.run(2)
    return peer.frames.filter(frame => frame.readUInt16BE(12) === 0x800).map(frame => frame.readUInt16BE(16))
  }
  return { ...made, datagrams }
}

/** A router's report about a packet that came. */
function report({ peer }: Raw, mtu: number, frame: Buffer, source?: string): void {
  peer.icmp(3, 4, [0, 0, mtu >> 8, mtu & 255, ...frame.subarray(14, 42)], undefined, [], source)
}

test('datagrams go in fragments after a report, for ten minutes', async t => {
  const r = await ready()
  t.deepEqual(await r.datagrams(1400), [1428])
  t.is(r.peer.frames[0].readUInt16BE(20), 0x4000)
  report(r, 1000, r.peer.frames[0], '10.0.0.77')
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [996, 452])
  t.deepEqual(await r.datagrams(972), [1000])
  t.deepEqual(
    r.peer.frames.map(frame => abi.checksum(frame, 14, 20, 0)),
    [0xffff],
  )
  r.world.at(610_000, () => {}) // or there is nothing to run for
  await r.world.run(590_000)
  t.is((await r.datagrams(1400)).at(-1), 452)
  await r.world.run(20_000)
  t.is((await r.datagrams(1400)).at(-1), 1428)
})

test('reports that nobody should believe change nothing', async t => {
  const r = await ready()
  await r.datagrams(1400)
  const [frame] = r.peer.frames
  const forged = (change: (frame: Buffer) => void): void => {
    const copy = Buffer.from(frame)
    change(copy)
    report(r, 1000, copy)
  }
  forged(copy => copy.writeUInt16BE(99, 34)) // from a port that nobody has
  forged(copy => copy.set([10, 0, 0, 3], 26)) // from another host
  forged(copy => copy.set([1], 23)) // of ICMP
  forged(copy => copy.writeUInt16BE(1000, 16)) // which was not larger
  report(r, 1600, frame)
  report(r, 65_535, frame)
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [1428])
})

test('no report makes crumbs, and none makes packets larger again', async t => {
  const r = await ready()
  await r.datagrams(1400)
  const [frame] = r.peer.frames
  report(r, 68, frame)
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [572, 572, 324])
  report(r, 1200, frame)
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [572, 572, 324])
})

test('an old router that does not say: the next likely size below that of the packet', async t => {
  const r = await ready()
  await r.datagrams(1400)
  report(r, 0, r.peer.frames[0])
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [1004, 444])
})

test('a new connection begins with what is known, and still offers the MSS of the link', async t => {
  const r = await ready()
  await r.datagrams(1400)
  report(r, 1000, r.peer.frames[0])
  await r.world.run(2)
  r.peer.frames.length = 0
  r.stack.tcp.bind(80, {}, socket => {
    const bytes = pattern(3000)
    socket.queue(bytes, 0, bytes.length)
    socket.flush()
    return { onData: (_, __, length) => length, onEnd() {}, onWritable() {}, onClosed() {} }
  })
  r.peer.tcp({ flags: 2, seq: 100, options: [2, 4, 5, 0xb4] })
  await r.world.run(5)
  const [synAck] = r.peer.segments()
  t.deepEqual(synAck.options.slice(0, 4), [2, 4, 5, 0xb4])
  r.peer.tcp({ flags: 0x10, seq: 101, ack: synAck.seq + 1 })
  await r.world.run(5)
  t.deepEqual(
    r.peer.segments().map(({ payload }) => payload.length),
    [960, 960, 960, 120].slice(0, 4),
  )
})

test('what a connection hears serves datagrams to the same peer', async t => {
  const r = await ready()
  r.stack.tcp.bind(80, {}, socket => {
    const bytes = pattern(1460)
    socket.queue(bytes, 0, bytes.length)
    socket.flush()
    return { onData: (_, __, length) => length, onEnd() {}, onWritable() {}, onClosed() {} }
  })
  r.peer.tcp({ flags: 2, seq: 100, options: [2, 4, 5, 0xb4] })
  await r.world.run(5)
  const [{ seq }] = r.peer.segments()
  r.peer.tcp({ flags: 0x10, seq: 101, ack: seq + 1 })
  await r.world.run(5)
  report(r, 1000, r.peer.frames.find(frame => frame.length > 1400)!)
  await r.world.run(2)
  t.deepEqual(await r.datagrams(1400), [996, 452])
})

test('a network that was changed is another path', async t => {
  const r = await ready()
  await r.datagrams(1400)
  report(r, 1000, r.peer.frames[0])
  await r.world.run(2)
  r.stack.configure({ address: '10.0.0.2', prefix: 16 })
  await r.world.run(5)
  r.stack.udp.send(53, '10.0.0.1', 9, pattern(1))
  await r.world.run(5)
  t.deepEqual(await r.datagrams(1400), [1428])
})

test('bounded: of too many peers the oldest is forgotten', t => {
  const paths = new PathMtus(new World(1).machine('host').timers)
  for (let i = 0; i < 1000; i++) paths.set(`${i}`, 1000)
  t.is(paths.size, 256)
  t.is(paths.get('0'), Infinity)
  t.is(paths.get('999'), 1000)
})
