/** How connections begin, and who gets none, segment by segment. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import test from 'ava'
import { createStack } from '../stack.ts'
import { raw } from '../testing/raw.ts'
import { record, text } from '../testing/session.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { ACK, RST, SYN } from '../wire/tcp.ts'

test('handshake: MSS always, window scale and SACK only when the client offers them', async t => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => record([]))
  peer.tcp({ seq: 7, flags: SYN })
  peer.tcp({ seq: 7, flags: SYN, sourcePort: 5001, options: [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0] })
  await world.run(5)
  const [plain, scaled] = peer.segments()
  t.is(plain.flags, SYN | ACK)
  t.is(plain.ack, 8)
  t.deepEqual(plain.options, [2, 4, 5, 0xb4])
  t.deepEqual(scaled.options, [2, 4, 5, 0xb4, 1, 3, 3, 3, 1, 1, 4, 2])
  t.is(scaled.window, 65535, 'the window of a SYN is not scaled')
  peer.tcp({ seq: 7, flags: SYN, sourcePort: 5002, options: [3, 3, 10, 1, 2, 4, 1, 9, 8, 10, 255, 255, 255, 255, 0, 0, 0, 0, 4, 2] }) // as nmap asks
  await world.run(5)
  const [all] = peer.segments()
  t.deepEqual([...all.options.slice(0, 12), ...all.options.slice(16)], [2, 4, 5, 0xb4, 1, 3, 3, 3, 4, 2, 8, 10, 255, 255, 255, 255])
  t.not(plain.seq, scaled.seq)
})

test('a listener resets what is not a SYN, and ignores a SYN with FIN or RST', async t => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => record([]))
  peer.tcp({ seq: 1, ack: 9, flags: ACK })
  peer.tcp({ seq: 1, ack: 9, flags: SYN | ACK })
  peer.tcp({ seq: 1, flags: SYN | RST })
  await world.run(5)
  t.deepEqual(
    peer.segments().map(({ seq, flags }) => [seq, flags]),
    [
      [9, RST],
      [9, RST],
    ],
  )
  t.is(stack.tcp.connections, 0)
})

test('SYN flood: half-open connections are bounded, real clients are served in the middle of it, and all is forgotten in the end', async t => {
  const { world, peer, stack, device } = raw({ address: '10.0.0.2', prefix: 32, gateway: '10.0.0.1' })
  let accepted = 0
  const events: string[] = []
  stack.tcp.bind(80, { backlog: 32 }, () => (accepted++, record(events)))
  for (let i = 0; i < 5000; i++) {
    peer.tcp({ seq: i, flags: SYN, sourcePort: 1024 + i }, undefined, `172.16.${i >> 8}.${i & 255}`)
    if (i % 50 === 0) await world.run(1)
  }
  await world.run(5)
  t.is(stack.tcp.connections, 32)
  peer.segments()
  peer.tcp({ seq: 9, flags: SYN, sourcePort: 7, options: [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0] })
  await world.run(5)
  const { seq, options } = peer.segments().find(({ destinationPort }) => destinationPort === 7)!
  t.deepEqual(options, [2, 4, 5, 0xb4], 'what a cookie cannot remember is not offered')
  t.is(stack.tcp.connections, 32, 'nothing is kept of it')
  peer.tcp({ seq: 10, ack: seq + 1, sourcePort: 7 })
  peer.tcp({ seq: 10, ack: seq + 1, sourcePort: 7, payload: text('a real client') })
  await world.run(5)
  t.is(accepted, 1)
  t.deepEqual(events, ['data a real client'])
  await world.run(100_000)
  t.is(stack.tcp.connections, 1)
  t.is(device.reserved, 0)
})

test('two hundred clients at once, with little room for half-open ones: all are served, none is reset', async t => {
  for (const backlog of [8, undefined]) {
    const { world, peer, stack } = raw()
    let accepted = 0
    stack.tcp.bind(80, { backlog }, () => (accepted++, record([])))
    peer.arp(1)
    await world.run(2)
    for (let i = 0; i < 200; i++) peer.tcp({ seq: 1000 * i, flags: SYN, sourcePort: 2000 + i })
    await world.run(20)
    const answers = peer.segments().filter(({ flags }) => flags === (SYN | ACK))
    for (const { destinationPort, seq } of answers)
      peer.tcp({ seq: 1000 * (destinationPort - 2000) + 1, ack: seq + 1, sourcePort: destinationPort })
    await world.run(20)
    t.is(accepted, 200)
    t.false(peer.segments().some(({ flags }) => (flags & RST) !== 0))
  }
})

test('SYN cookies: good for a minute or two, for the client that got them, its segment size remembered; forged ones connect nothing', async t => {
  const { world, peer, stack } = raw()
  const sockets: import('../socket.ts').ByteSocket[] = []
  stack.tcp.bind(80, { backlog: 1 }, socket => (sockets.push(socket), record([])))
  peer.tcp({ seq: 1, flags: SYN, sourcePort: 99 })
  await world.run(5)
  const cookie = async (sourcePort: number, options: number[] = []): Promise<number> => {
    peer.segments()
    peer.tcp({ seq: 500, flags: SYN, sourcePort, options })
    await world.run(5)
    return peer.segments().find(({ destinationPort }) => destinationPort === sourcePort)!.seq
  }
  const old = await cookie(100)
  const mine = await cookie(101, [2, 4, 2, 24])
  peer.tcp({ seq: 501, ack: mine + 2, sourcePort: 101 })
  peer.tcp({ seq: 502, ack: mine + 1, sourcePort: 101 })
  peer.tcp({ seq: 501, ack: mine + 1, sourcePort: 102 })
  for (let i = 0; i < 100; i++) peer.tcp({ seq: 501, ack: mine + 1 + (i << 8), sourcePort: 103 })
  await world.run(5)
  t.is(sockets.length, 0)
  peer.tcp({ seq: 501, ack: mine + 1, sourcePort: 101, window: 5000 })
  await world.run(5)
  t.is(sockets.length, 1)
  peer.segments()
  sockets[0].queue(new Uint8Array(2000), 0, 2000)
  sockets[0].flush()
  await world.run(5)
  t.is(peer.segments()[0].payload.length, 536, 'the greatest of a few sizes that is not above 536')
  await world.run(180_000)
  peer.tcp({ seq: 501, ack: old + 1, sourcePort: 100 })
  await world.run(5)
  t.is(sockets.length, 1)
})

test('connections are bounded: beyond the limit a SYN is not answered', async t => {
  const { world, peer, stack } = raw({ limits: { connections: 3 } })
  stack.tcp.bind(80, {}, () => record([]))
  for (let i = 0; i < 6; i++) {
    peer.tcp({ seq: 0, flags: SYN, sourcePort: 100 + i })
    await world.run(2)
    const synAck = peer.segments().at(-1)
    if (synAck !== undefined) peer.tcp({ seq: 1, ack: synAck.seq + 1, sourcePort: 100 + i })
    await world.run(2)
  }
  t.is(stack.tcp.connections, 3)
  await t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 1 }), { message: /3 connections are open, the limit/ })
})

test('a SYN-ACK that is lost is repeated, by the timer and for a repeated SYN; a wrong ACK resets', async t => {
  const { world, peer, stack } = raw()
  const events: string[] = []
  stack.tcp.bind(80, {}, () => record(events))
  peer.tcp({ seq: 1000, flags: SYN })
  await world.run(2)
  peer.tcp({ seq: 1000, flags: SYN })
  await world.run(1200)
  const answers = peer.segments()
  t.is(answers.length, 3)
  t.true(answers.every(({ seq, flags }) => flags === (SYN | ACK) && seq === answers[0].seq))
  peer.tcp({ seq: 1001, ack: answers[0].seq + 2 })
  await world.run(2)
  t.deepEqual(
    peer.segments().map(({ seq, flags }) => [seq, flags]),
    [[answers[0].seq + 2, RST]],
  )
  peer.tcp({ seq: 1001, ack: answers[0].seq + 1, payload: text('with the ACK') })
  await world.run(2)
  t.deepEqual(events, ['data with the ACK'])
})

test('connect: SYN, SYN-ACK, ACK; a wrong ACK in between is reset; timeout and abort end it', async t => {
  const { world, peer, stack } = raw()
  let opened = false
  const attempt = stack.tcp.connect({ host: '10.0.0.1', port: 4000 })
  void attempt.then(() => {
    opened = true
  })
  await world.run(5)
  const [syn] = peer.segments()
  t.is(syn.flags, SYN)
  t.true(syn.sourcePort >= 49152)
  const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
  peer.tcp({ ...reply, seq: 77, ack: syn.seq + 5, flags: ACK })
  await world.run(2)
  t.deepEqual(
    peer.segments().map(({ seq, flags }) => [seq, flags]),
    [[(syn.seq + 5) >>> 0, RST]],
  )
  peer.tcp({ ...reply, seq: 77, ack: syn.seq + 1, flags: SYN | ACK, options: [2, 4, 5, 0xb4] })
  await world.run(2)
  t.true(opened)
  t.deepEqual(
    peer.segments().map(({ ack, flags }) => [ack, flags]),
    [[78, ACK]],
  )

  const slow = t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 4001, timeout: 3000 }), {
    message: /10\.0\.0\.1:4001 was not answered in time/,
  })
  await world.run(3100)
  await slow
  const controller = new AbortController()
  const given = t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 4002, signal: controller.signal }), { message: 'enough' })
  await world.run(100)
  controller.abort(new Error('enough'))
  await given
  await t.throwsAsync(stack.tcp.connect({ host: 'example.org', port: 1 }), { code: 'ENOSERVER' })
  await t.throwsAsync(stack.tcp.connect({ host: '192.168.1.1', port: 1 }), { message: /no route to 192\.168\.1\.1/ })
  t.is(stack.tcp.connections, 1)
})

test('both sides connect to each other at the same time (RFC 9293 figure 8)', async t => {
  const { world, peer, stack } = raw()
  let opened = false
  void stack.tcp.connect({ host: '10.0.0.1', port: 4000 }).then(() => {
    opened = true
  })
  await world.run(5)
  const [syn] = peer.segments()
  const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
  peer.tcp({ ...reply, seq: 77, flags: SYN })
  await world.run(2)
  t.deepEqual(
    peer.segments().map(({ seq, ack, flags }) => [seq, ack, flags]),
    [[syn.seq, 78, SYN | ACK]],
  )
  peer.tcp({ ...reply, seq: 78, ack: syn.seq + 1 })
  await world.run(2)
  t.true(opened)
})

/** Two stacks that call each other from the same port, which they draw with the same dice. */
async function callEachOther(filter: (flags: number, fromA: boolean) => boolean = () => true) {
  const world = new World(4)
  const wire = new Wire(world, { delay: 5 })
  const [a, b] = ['02:00:00:00:00:01', '02:00:00:00:00:02'].map((mac, i) => {
    const machine = world.machine(`stack ${i}`)
    const { checksum, copy, packetIn, segmentOut, halfSipHash } = machine.abi
    const random = (into: Uint8Array): void => void into.fill(i === 0 ? 3 : 9, 2).fill(0, 0, 2)
    const abi: Partial<HostFunctions> = { checksum, copy, random, packetIn, segmentOut, halfSipHash }
    return createStack({ ...machine, abi: abi as HostFunctions }, wire.device(mac), { address: `10.0.0.${i + 1}`, prefix: 24 })
  })
  let segments = 0
  wire.filter = (frame, from) => {
    if (frame[13] !== 0) return true
    segments++
    return filter(frame[47], from === wire.devices[0])
  }
  const connecting = Promise.all([a.tcp.connect({ host: '10.0.0.2', port: 49152 }), b.tcp.connect({ host: '10.0.0.1', port: 49152 })])
  await world.run(20_000)
  return { world, connecting, a, b, segments: () => segments }
}

test('two of our stacks connect to each other at the same time: a few segments, and both are connected (RFC 9293 figure 7)', async t => {
  const { world, connecting, segments } = await callEachOther()
  t.is(segments(), 6, 'two SYNs, two SYN-ACKs, two ACKs')
  const [one, other] = await connecting
  await one.write(text('hello'))
  const read = other.read()
  await world.run(100)
  t.deepEqual(Buffer.from((await read)!).toString(), 'hello')
  await world.run(20_000)
  t.true(segments() < 10, `${segments()}`)
})

test('at the same time, and a SYN-ACK is lost: repeated, acknowledged, connected', async t => {
  let lost = false
  const { connecting, segments } = await callEachOther((flags, fromA) => {
    if (lost || !fromA || flags !== (SYN | ACK)) return true
    lost = true
    return false
  })
  t.true(lost)
  t.true(segments() < 10, `${segments()}`)
  await connecting
})

test('in SYN-RECEIVED a SYN-ACK that acknowledges something else connects nothing, and is not answered for ever', async t => {
  const { world, peer, stack } = raw()
  let opened = false
  void stack.tcp.connect({ host: '10.0.0.1', port: 4000 }).then(() => {
    opened = true
  })
  await world.run(5)
  const [syn] = peer.segments()
  const reply = { sourcePort: 4000, destinationPort: syn.sourcePort }
  peer.tcp({ ...reply, seq: 77, flags: SYN })
  await world.run(2)
  peer.segments()
  for (let i = 0; i < 20; i++) peer.tcp({ ...reply, seq: 77, ack: syn.seq + 5, flags: SYN | ACK })
  await world.run(2)
  t.false(opened)
  t.true(peer.segments().length <= 1)
  peer.tcp({ ...reply, seq: 77, ack: syn.seq + 1, flags: SYN | ACK, window: 1000, options: [2, 4, 5, 0xb4, 1, 3, 3, 7] })
  await world.run(2)
  t.true(opened)
  t.deepEqual(
    peer.segments().map(({ seq, ack, flags }) => [seq, ack, flags]),
    [[(syn.seq + 1) >>> 0, 78, ACK]],
  )
})

test('ports: taken ones and impossible ones are refused with a sentence', async t => {
  const { stack } = raw()
  const controller = new AbortController()
  stack.tcp.bind(80, { signal: controller.signal }, () => record([]))
  t.throws(() => stack.tcp.bind(80, {}, () => record([])), { message: /port 80 of this stack is listened to already/ })
  t.throws(() => stack.tcp.bind(0, {}, () => record([])), { message: /port 0 does not exist/ })
  controller.abort()
  t.notThrows(() => stack.tcp.bind(80, {}, () => record([])))
})
