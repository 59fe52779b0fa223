/** Nothing that arrives is dropped without a counter that says why; and the counters as others read them. */
import type { StackCounters } from '@xen-ts/runtime'
import test from 'ava'
import { Counters, counterValues, describeCounters } from './counters.ts'
import { followDhcp } from './dhcp/host.ts'
import { HttpCounters } from './http/server/counters.ts'
import { bareServer, get, known } from './http/server/testing.ts'
import { createStack } from './stack.ts'
import { type Raw, raw } from './testing/raw.ts'
import { session, text, write } from './testing/session.ts'
import { ACK, FIN, PSH, RST, SYN } from './wire/tcp.ts'

/** They go up without a drop. */
const harmless = /^(framesIn|framesOut|arpIn|echoReplies|tcpRetransmits|dns\.(lookups|sent))$/

async function reasons({ world, stack }: Raw, send: () => void): Promise<string[]> {
  const before = counterValues(stack.counters)
  send()
  await world.run(5)
  const after = counterValues(stack.counters)
  return Object.keys(after).filter(name => after[name] !== before[name] && !harmless.test(name))
}

/** A program's own call: the stack has sent its SYN from `port`, with number `iss`. */
async function calling(): Promise<Raw & { port: number; iss: number }> {
  const set = raw()
  set.stack.tcp.connect({ host: '10.0.0.1', port: 80 }).catch(() => {})
  await set.world.run(20)
  const [syn] = set.peer.segments()
  return { ...set, port: syn.sourcePort, iss: syn.seq }
}

/** Destination unreachable, code 1 (host), for a packet of ours with this protocol, from this port to that one. */
const unreachable = (protocol: number, from: number, to: number, sequence = 0, peer = [10, 0, 0, 1]): number[] => [
  ...[0, 0, 0, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 2, ...peer],
  ...[from >>> 8, from & 255, to >>> 8, to & 255, sequence >>> 24, (sequence >>> 16) & 255, (sequence >>> 8) & 255, sequence & 255],
]

test('TCP: an established connection', async t => {
  const s = await session()
  const { peer, iss } = s
  t.deepEqual(await reasons(s, () => peer.tcp({ seq: 1001, flags: PSH, payload: text('no ACK') })), ['tcpUnacceptable'])
  t.deepEqual(await reasons(s, () => peer.tcp({ seq: 1001, ack: iss + 1000, flags: ACK })), ['tcpUnacceptable'])
  t.deepEqual(await reasons(s, () => peer.tcp({ seq: 900, ack: iss, flags: ACK, payload: text('old') })), ['tcpUnacceptable'])
  write(s.socket, 'in flight')
  await s.world.run(1)
  t.deepEqual(await reasons(s, () => peer.icmp(3, 1, unreachable(6, 80, 5000, iss))), ['icmpIgnored'])
  t.deepEqual(await reasons(s, () => peer.tcp({ seq: 1001, ack: iss + 9, flags: FIN | ACK })), [])
  t.deepEqual(await reasons(s, () => peer.tcp({ seq: 1002, ack: iss + 9, flags: ACK, payload: text('after the end') })), [
    'tcpUnacceptable',
  ])
})

test('TCP: more than the window holds is cut off', async t => {
  const s = await session({ kept: 5, limits: { receiveWindow: 8 } })
  t.deepEqual(await reasons(s, () => s.peer.tcp({ seq: 1001, ack: s.iss, flags: ACK, payload: text('0123456789') })), ['tcpCut'])
  t.deepEqual(s.events, ['data 01234567'])
})

test('TCP: answers to a SYN that are none', async t => {
  const s = await calling()
  const toUs = { sourcePort: 80, destinationPort: s.port }
  t.deepEqual(await reasons(s, () => s.peer.tcp({ ...toUs, seq: 1, flags: RST })), ['tcpUnacceptable'])
  t.deepEqual(await reasons(s, () => s.peer.tcp({ ...toUs, seq: 1, ack: s.iss + 7, flags: RST | ACK })), ['tcpUnacceptable'])
  t.deepEqual(await reasons(s, () => s.peer.tcp({ ...toUs, seq: 1, ack: s.iss + 7, flags: SYN | ACK })), ['tcpUnacceptable'])
  t.deepEqual(await reasons(s, () => s.peer.tcp({ ...toUs, seq: 1, ack: s.iss + 1, flags: ACK })), ['tcpUnacceptable'])
})

test('TCP: TIME-WAIT', async t => {
  const s = await session()
  s.socket.end()
  await s.world.run(1)
  s.peer.tcp({ seq: 1001, ack: s.iss + 1, flags: FIN | ACK })
  await s.world.run(1)
  t.is(s.state(), 'TIME-WAIT')
  t.deepEqual(await reasons(s, () => s.peer.tcp({ seq: 1002, flags: RST })), ['tcpUnacceptable'])
})

test('DNS: what is for no question, or says that another peer is not there', async t => {
  const s = raw({ dns: ['10.0.0.1'] })
  const asked = s.stack.resolve('www.example.org').catch(() => 'no answer')
  await s.world.run(20)
  const question = s.peer.frames.find(frame => frame[23] === 17)!
  const port = question.readUInt16BE(34)
  t.deepEqual(await reasons(s, () => s.peer.udp(54, port, text('too short'))), ['dns.foreign'])
  t.deepEqual(await reasons(s, () => s.peer.udp(53, port, text('too short'))), ['dns.malformed'])
  t.deepEqual(await reasons(s, () => s.peer.udp(53, port, new Uint8Array(12))), ['dns.unasked'])
  t.deepEqual(await reasons(s, () => s.peer.icmp(3, 3, unreachable(17, port, 99))), ['icmpIgnored'])
  t.deepEqual(await reasons(s, () => s.peer.icmp(3, 3, unreachable(17, port, 53, 0, [10, 0, 0, 9]))), ['icmpIgnored'])
  s.stack.close()
  t.is(await asked, 'no answer')
})

test('DHCP: what is from no server, or broken, to an address that is ours or not yet', async t => {
  const s = raw()
  const dhcp = followDhcp(s.world.machine('guest'), s.device, s.stack)
  t.deepEqual(await reasons(s, () => s.peer.udp(66, 68, new Uint8Array(300))), ['dhcp.foreign'])
  t.deepEqual(await reasons(s, () => s.peer.udp(67, 68, new Uint8Array(300))), ['dhcp.malformed'])
  dhcp.close()
  const without = raw()
  without.stack.configure(undefined)
  followDhcp(without.world.machine('guest'), without.device, without.stack)
  const { peer } = without
  t.deepEqual(await reasons(without, () => peer.udp(67, 68, new Uint8Array(300))), ['dhcp.malformed'])
  t.deepEqual(await reasons(without, () => peer.udp(67, 68, new Uint8Array(300), datagram => (datagram[9] ^= 1))), ['badChecksum'])
  t.deepEqual(await reasons(without, () => peer.udp(67, 68, new Uint8Array(300), datagram => datagram.writeUInt16BE(999, 4))), [
    'malformed',
  ])
  t.deepEqual(await reasons(without, () => peer.udp(67, 69, new Uint8Array(300))), ['badAddress'])
})

test('the counters as plain numbers by their names, as JSON, and as a line', async t => {
  const { stack, peer, world } = raw()
  peer.arp(1)
  await world.run(5)
  t.is(describeCounters(stack.counters), 'framesIn 1, framesOut 1, arpIn 1')
  const values = counterValues(stack.counters)
  t.is(values.framesOut, 1)
  t.is(values['dns.lookups'], 0)
  t.is(values['dhcp.refused'], 0)
  t.is(values['http.tooLarge'], 0)
  t.true(Object.values(values).every(value => typeof value === 'number'))
  t.deepEqual(counterValues(JSON.parse(JSON.stringify(stack.counters))), values)
  t.is(describeCounters({ a: 0, b: { c: 0 } }), 'all 0')
})

test('HTTP: what the program does not see, and what its clients do not', async t => {
  const counters = new HttpCounters()
  const never = new Promise<Response>(() => {})
  const server = bareServer(
    request => (request.url.endsWith('/never') ? never : request.url.endsWith('/fails') ? fail() : known('ok')),
    {},
    undefined,
    counters,
  )
  function fail(): never {
    throw new Error('a bug')
  }
  const told: [string, Partial<HttpCounters>][] = [
    ['GET / HTTP/1.1\r\n\r\n', { refused: 1 }],
    [get('/', `X: ${'x'.repeat(70_000)}\r\n`), { tooLarge: 1 }],
    [get('/', 'Content-Length: 99999999\r\n'), { tooLarge: 2 }],
    ['GET / HT', { tooSlow: 1 }],
    [get('/fails'), { failed: 1 }],
    [get('/'), {}],
  ]
  for (const [request, expected] of told) {
    const before = { ...counters }
    const client = server.connect()
    client.send(request)
    await server.seconds(12)
    const changed = Object.entries(counters).filter(([name, value]) => value !== before[name as keyof HttpCounters])
    t.deepEqual(Object.fromEntries(changed), expected as Record<string, number>, request.slice(0, 40))
  }
  const gone = server.connect()
  gone.send(get('/never'))
  gone.finish()
  await server.seconds(12)
  t.is(gone.state, 'aborted')
  t.is(counters.abandoned, 1)
  const cut = server.connect()
  cut.send(get('/never'))
  server.stop()
  await server.seconds(5)
  t.is(cut.state, 'aborted')
  t.is(counters.abandoned, 2)
})

test('what packets cause in the log is limited: a handler that throws, MAC addresses that change, offers that cannot be', async t => {
  const { world, peer, stack } = raw()
  stack.tcp.bind(80, {}, () => {
    throw new Error('a bug')
  })
  const lines = (word: string) => world.logLines.filter(line => line.includes(word)).length
  for (let i = 0; i < 100; i++) {
    peer.tcp({ sourcePort: 1000 + i, seq: 1, flags: SYN })
    await world.run(5)
    const [synAck] = peer.segments()
    peer.tcp({ sourcePort: 1000 + i, seq: 2, ack: synAck.seq + 1 })
    peer.arp(1, { senderMac: [2, 0, 0, 0, 0, i] })
    await world.run(5)
    peer.segments()
  }
  t.is(lines('is reset: Error: a bug'), 10)
  t.is(lines('10.0.0.1 is at'), 10)
  world.machine('clock').timers.set(60_000, () => {})
  await world.run(60_000)
  peer.arp(1, { senderMac: [2, 0, 0, 0, 1, 0] })
  await world.run(5)
  // Between two of them it has moved back, for it is asked.
  t.is(lines('is at'), 11)
  const [left] = world.logLines.flatMap(line => /DBG \[stack:arp\] left out since: (\d+) lines such as the next/.exec(line)?.[1] ?? [])
  t.true(Number(left) >= 180, left)
})

test('what is counted is what programs can see, by the same names', t => {
  type Hidden<Own, Public> = Exclude<keyof Own, keyof Public>
  const hidden: [Hidden<Counters, StackCounters>, Hidden<Counters['dns'], StackCounters['dns']>][] = []
  const more: [Hidden<Counters['http'], StackCounters['http']>, Hidden<Counters['dhcp'], StackCounters['dhcp']>][] = []
  t.deepEqual([hidden, more], [[], []])
  const { device } = new Counters() satisfies StackCounters
  t.deepEqual(device, { receiveErrors: 0, sendErrors: 0, sendLost: 0, broken: 0 })
})

test('the counters of the network device stand among those of the stack, as they are when somebody looks', t => {
  const { world, wire, stack } = raw()
  t.is(stack.counters.device.receiveErrors, 0, 'one that counts nothing')
  const counters = { receiveErrors: 0, sendErrors: 0, sendLost: 0, broken: 0 }
  const device = Object.assign(wire.device('00:16:3e:5e:6c:01'), { counters })
  const counting = createStack(world.machine('counting'), device, { address: '10.0.0.3', prefix: 24 })
  counters.receiveErrors = 3
  t.is(counterValues(counting.counters)['device.receiveErrors'], 3)
  t.regex(describeCounters(counting.counters), /device\.receiveErrors 3/)
})
