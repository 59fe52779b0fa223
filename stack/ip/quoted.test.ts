/** ICMP errors and the packets that they quote: what they are about is found also where that was a fragment, or has extension headers. */
import test from 'ava'
import { createStack, type IpStack } from '../stack.ts'
import { raw } from '../testing/raw.ts'
import { octets6, RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'

const MAC = '00:16:3e:5e:6c:00'
const OWN = 'fd00::2'

async function ipv6(): Promise<{ world: World; peer: RawPeer6; stack: IpStack }> {
  const world = new World(1)
  const wire = new Wire(world, { delay: 0.1 })
  const peer = new RawPeer6(wire, 'fd00::1', OWN, MAC)
  const stack = createStack(world.machine('stack'), wire.device(MAC), { ipv6: { address: OWN, prefix: 64 } })
  peer.solicit()
  await world.run(1_500)
  peer.frames.length = 0
  return { world, peer, stack }
}

const packets = (frames: Buffer[]): Buffer[] => frames.splice(0).map(frame => frame.subarray(14))

test('IPv6: a report that the fragments of a datagram are too big makes smaller ones of the next', async t => {
  const { world, peer, stack } = await ipv6()
  const socket = await stack.udp.connect({ host: 'fd00::1', port: 7 })
  await socket.send(new Uint8Array(2000))
  await world.run(5)
  const [first, last] = packets(peer.frames)
  t.is(first.length, 1496)
  peer.icmp([2, 0, 0, 0, 0, 0, 5, 0, ...last]) // it has no ports: it says nothing
  await world.run(5)
  t.is(stack.counters.icmpIgnored, 1)
  peer.icmp([2, 0, 0, 0, 0, 0, 5, 0, ...first.subarray(0, 1232)], { source: 'fd00::77' })
  await world.run(5)
  t.is(stack.counters.icmpIgnored, 1)
  await socket.send(new Uint8Array(2000))
  await world.run(5)
  t.true(packets(peer.frames).every(packet => packet.length <= 1280))
})

test('IPv6: a fragmented datagram for a port without a receiver is refused, and its sender told', async t => {
  const { world, peer, stack } = await ipv6()
  const socket = await stack.udp.connect({ host: 'fd00::1', port: 7 })
  await socket.send(new Uint8Array(2000))
  await world.run(5)
  const [first] = packets(peer.frames)
  peer.icmp([1, 4, 0, 0, 0, 0, 0, 0, ...first.subarray(0, 1232)])
  const refused = t.throwsAsync(socket.receive(), { code: 'ECONNREFUSED' })
  await world.run(5)
  await refused
})

test('IPv4: what is quoted of a later fragment has no ports, whatever it reads like', async t => {
  const { world, peer, stack } = raw()
  peer.arp(1)
  await world.run(5)
  const socket = await stack.udp.connect({ host: '10.0.0.1', port: 7 })
  const later = Buffer.alloc(28)
  later.set([0x45, 0, 5, 0, 0, 9, 0x20, 10, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1])
  later.writeUInt16BE(socket.port, 20)
  later.writeUInt16BE(7, 22)
  let told = false
  const reading = socket.receive().then(
    () => {},
    () => {
      told = true
    },
  )
  peer.icmp(3, 3, [0, 0, 0, 0, ...later])
  await world.run(5)
  t.false(told)
  t.is(stack.counters.icmpIgnored, 1)
  later.writeUInt16BE(0x2000, 6) // the first one has them
  peer.icmp(3, 3, [0, 0, 0, 0, ...later])
  await world.run(5)
  await reading
  t.true(told)
})

for (const [code, error] of [
  [3, 'ECONNREFUSED'],
  [2, 'ECONNREFUSED'],
  [1, 'EHOSTUNREACH'],
  [13, 'EHOSTUNREACH'],
] as const) {
  test(`IPv4: a SYN that is answered with ICMP code ${code} fails with ${error}`, async t => {
    const { world, peer, stack } = raw()
    const failed = t.throwsAsync(stack.tcp.connect({ host: '10.0.0.1', port: 4 }), { code: error })
    await world.run(5)
    peer.icmp(3, code, [0, 0, 0, 0, ...peer.frames.at(-1)!.subarray(14, 42)])
    await world.run(5)
    await failed
    t.is(stack.tcp.connections, 0)
  })
}

test('IPv6: bad extension headers before an error of ICMPv6 are not answered (RFC 4443 section 2.4 (e))', async t => {
  const { world, peer, stack } = await ipv6()
  const error = [1, 4, 0, 0, 0, 0, 0, 0, ...Buffer.alloc(48)]
  const echo = [128, 0, 0, 0, 0, 1, 0, 1]
  const unknown = (next: number): number[] => [next, 0, 0x9e, 4, 0, 0, 0, 0]
  const routed = (next: number): number[] => [next, 2, 0, 1, 0, 0, 0, 0, ...octets6('fd00::5')]
  const padding = (next: number): number[] => [next, 0, 1, 4, 0, 0, 0, 0]
  const cases: [number, (next: number) => number[]][] = [
    [60, unknown],
    [43, routed],
    [60, next => [...padding(0), ...padding(next)]], // hop-by-hop options that are not the first
    [60, next => [...unknown(60), ...padding(next)]],
    [44, next => [60, 0, 0, 0, 0, 0, 0, 1, ...unknown(next)]], // the only fragment
  ]
  for (const [first, headers] of cases) {
    const before = stack.counters.icmpErrors
    peer.icmp(echo, { first, headers: headers(58) })
    await world.run(100)
    t.is(stack.counters.icmpErrors, before + 1, `${headers(58)}`)
    peer.icmp(error, { first, headers: headers(58) })
    peer.icmp([137, 0, 0, 0, 0, 0, 0, 0], { first, headers: headers(58) }) // a redirect is as good as an error
    await world.run(100)
    t.is(stack.counters.icmpErrors, before + 1, `${headers(58)}`)
  }
  // Cut off before one can see what it is.
  peer.ip6(58, new Uint8Array(0), { first: 60, headers: unknown(58) })
  await world.run(100)
  t.is(stack.counters.icmpErrors, cases.length)
})
