import test from 'ava'
import { World } from '../testing/world.ts'
import { options } from '../wire/dhcp.ts'
import { ADDRESS, addresses, ascii, goodOptions, goodServer, ip, link, SERVER } from './testing.ts'

const BOUND = `0 bound ${ADDRESS}/24 via ${SERVER}`
const nak = { type: 'nak' as const, options: [[options.server, addresses(SERVER)] as const] }
const seconds = (times: readonly { at: number }[]): number[] => times.map(({ at }) => Math.floor(at / 1000))

test('four messages, and a lease', async t => {
  const world = new World(1)
  const { client, sent, events, leases, types } = link(world, goodServer(), { hostName: 'web-1' })
  client.start()
  t.is(client.state, 'selecting')
  await world.run(1_000)
  t.is(client.state, 'bound')
  t.deepEqual(types(), ['discover', 'request'])
  t.deepEqual(events, [BOUND])
  t.deepEqual(leases[0].dns, [ip('10.0.0.1'), ip('10.0.0.2')])
  for (const { to, from, message, bytes } of sent) {
    t.is(to, 'broadcast')
    t.is(from, '0.0.0.0')
    t.is(bytes[10], 0x80, 'the answer shall go to all')
    t.deepEqual(message.options.get(options.hostName), ascii('web-1'))
    t.deepEqual(message.options.get(options.largest), Uint8Array.of(5, 0xdc))
    const wanted = [...message.options.get(options.wanted)!]
    t.true(wanted.indexOf(options.routes) < wanted.indexOf(options.routers) && wanted.indexOf(options.routes) >= 0)
  }
  t.is(sent[0].message.xid, sent[1].message.xid)
  t.throws(() => client.start(), { message: /started before/ })
  for (const hostName of ['a b', '-'.repeat(64), 'a..b', `${'a.'.repeat(128)}b`])
    t.throws(() => link(world, goodServer(), { hostName }), { instanceOf: RangeError }, hostName)
})

test('nobody answers: the waits double up to a minute, each with a second of chance', async t => {
  const world = new World(2)
  const { client, sent } = link(world, () => [])
  client.start()
  await world.run(300_000)
  const waits = sent.slice(1).map(({ at }, i) => at - sent[i].at)
  const expected = [4, 8, 16, 32, 64, 64, 64]
  t.is(waits.length, expected.length)
  waits.forEach((wait, i) => t.true(Math.abs(wait - expected[i] * 1000) <= 1000, `${wait}`))
  t.true(
    waits.some(wait => Math.abs(wait % 1000) > 20),
    'there is chance in it',
  )
  t.is(new Set(sent.map(({ message }) => message.xid)).size, 1)
  t.deepEqual(
    sent.map(({ bytes, at }) => ((bytes[8] << 8) | bytes[9]) - Math.floor(at / 1000)),
    new Array(8).fill(0),
  )
})

test('an offer that nobody stands by is given up', async t => {
  const world = new World(3)
  const one = link(world, ({ message }) => (message.type === 'discover' ? [{ type: 'offer' }] : []))
  one.client.start()
  await world.run(61_000)
  t.deepEqual(one.types().slice(0, 6), ['discover', 'request', 'request', 'request', 'request', 'discover'])
  t.not(one.sent[4].message.xid, one.sent[5].message.xid)
  t.is(one.sent[4].bytes[9], one.sent[0].bytes[9], 'seconds as in the discovery')
})

test('a lease is renewed at T1, from its server', async t => {
  const world = new World(4)
  const { client, sent, events } = link(world, goodServer())
  client.start()
  await world.run(10_000_000)
  t.deepEqual(events, [BOUND], 'who uses it hears nothing of it')
  t.deepEqual(seconds(sent).slice(0, 5), [0, 0, 1800, 3600, 5400])
  for (const { to, from, message, bytes } of sent.slice(2)) {
    t.is(to, SERVER)
    t.is(from, 'its own')
    t.is(message.type, 'request')
    t.is(message.clientAddress, ip(ADDRESS))
    t.is(bytes[10], 0, 'the answer comes to the address')
    t.false(message.options.has(options.server) || message.options.has(options.requestedAddress), 'RFC 2131 table 5')
  }
})

test('the server is gone: renewing, rebinding, and the end', async t => {
  const world = new World(5)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = () => []
  await world.run(1_900_000)
  t.is(one.client.state, 'renewing')
  await world.run(1_400_000)
  t.is(one.client.state, 'rebinding')
  await world.run(300_500)
  t.is(one.client.state, 'selecting')
  t.deepEqual(one.events, [BOUND, '3600 lost: the lease is over, and no DHCP server prolongs it'])
  const asked = one.sent.slice(2).filter(({ message }) => message.type === 'request')
  t.deepEqual(
    asked.map(({ to, at }) => `${to} ${Math.floor(at / 1000)}`),
    [
      '10.0.0.1 1800',
      '10.0.0.1 2475',
      '10.0.0.1 2812',
      '10.0.0.1 2981',
      '10.0.0.1 3065',
      '10.0.0.1 3125',
      'broadcast 3150',
      'broadcast 3375',
      'broadcast 3487',
      'broadcast 3547',
    ],
  )
  t.deepEqual([...new Set(asked.slice(6).map(({ from }) => from))], [ADDRESS])
  one.server = goodServer()
  await world.run(100_000)
  t.is(one.client.state, 'bound')
  t.is(one.events.length, 3)
})

test('another server prolongs the lease in rebinding, not before', async t => {
  const world = new World(6)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = goodServer({ options: goodOptions('10.0.0.2') })
  await world.run(1_900_000)
  t.is(one.client.state, 'renewing')
  t.true(one.client.counters.refused > 0)
  await world.run(1_500_000)
  t.is(one.client.state, 'bound')
  t.is(one.client.lease!.server, ip('10.0.0.2'))
  t.deepEqual(one.events, [BOUND])
})

test('what a renewal changes is told; another address is not taken', async t => {
  const world = new World(7)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = ({ message }) => (message.type === 'request' ? [{ type: 'ack', address: '10.0.0.51' }] : [])
  await world.run(1_850_000)
  t.is(one.client.state, 'renewing')
  t.is(one.client.counters.refused, 1)
  one.server = goodServer({ extra: [[options.mtu, Uint8Array.of(5, 0x78)]] })
  await world.run(700_000)
  t.is(one.client.state, 'bound')
  t.is(one.events.length, 2)
  t.is(one.leases[1].mtu, 1400)
})

test('a refusal ends the lease, and another is asked for', async t => {
  const world = new World(8)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = sent => (sent.to === SERVER ? [nak] : goodServer({ address: '10.0.0.77' })(sent))
  await world.run(1_810_000)
  t.deepEqual(one.events, [
    BOUND,
    '1800 lost: DHCP server 10.0.0.1 says that it is not ours any more',
    '1801 bound 10.0.0.77/24 via 10.0.0.1',
  ])
})

test('a lease counts from when it was asked for, not from when it came', async t => {
  const world = new World(17)
  const one = link(world, ({ message }) =>
    message.type === 'discover' ? [{ type: 'offer', delay: 990 }] : [{ type: 'ack', delay: 2_990 }],
  )
  one.client.start()
  await world.run(5_000)
  one.server = () => []
  await world.run(4_000_000)
  t.is(one.sent[2].at, 1_801_000)
  t.regex(one.events[1], /^3601 lost/)
})

test('the pause after refusals begins small again once there was a lease', async t => {
  const world = new World(18)
  const one = link(world, ({ message }) => (message.type === 'discover' ? [{ type: 'offer' }] : [nak]))
  one.client.start()
  await world.run(6_000)
  t.deepEqual(seconds(one.sent.filter(({ message }) => message.type === 'discover')), [0, 1, 3])
  one.server = goodServer()
  await world.run(10_000)
  t.is(one.client.state, 'bound')
  one.server = ({ message }) => (message.type === 'discover' ? [] : [nak])
  const before = one.sent.length
  one.client.reconnect()
  await world.run(3_000)
  const [reboot, discover] = one.sent.slice(before)
  t.is(Math.round((discover.at - reboot.at) / 100), 10)
})

test('another wire ends the pause after a refusal; before the start it begins nothing', async t => {
  const world = new World(20)
  const one = link(world, ({ message }) => (message.type === 'discover' ? [{ type: 'offer' }] : [nak]))
  one.client.reconnect()
  t.is(one.sent.length, 0)
  one.client.start()
  await world.run(6_000)
  t.is(one.client.state, 'init')
  one.server = goodServer()
  one.client.reconnect()
  await world.run(500)
  t.is(one.client.state, 'bound')
})

test('a refusal that does not say whose it is counts for nothing', async t => {
  const world = new World(19)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = () => [{ type: 'nak', options: [] }]
  one.client.reconnect()
  await world.run(1_000)
  t.is(one.client.state, 'rebooting')
  t.is(one.client.counters.refused, 1)
})

test('a refusal in rebinding may come from any server', async t => {
  const world = new World(9)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.server = sent => (sent.to === 'broadcast' ? [{ type: 'nak', options: [[options.server, addresses('10.0.0.9')]] }] : [])
  await world.run(3_151_000)
  t.is(one.events.length, 2)
  t.regex(one.events[1], /^3150 lost: DHCP server/)
})

test('an address that somebody has is declined, and asked for again after ten seconds', async t => {
  const world = new World(10)
  let taken = true
  const one = link(world, goodServer(), { probe: () => taken })
  one.client.start()
  await world.run(500)
  t.is(one.client.state, 'probing')
  await world.run(5_000)
  t.deepEqual(one.types(), ['discover', 'request', 'decline'])
  const decline = one.sent[2]
  t.is(decline.to, 'broadcast')
  t.deepEqual(decline.message.options.get(options.requestedAddress), addresses(ADDRESS))
  t.deepEqual(decline.message.options.get(options.server), addresses(SERVER))
  t.false(decline.message.options.has(options.wanted) || decline.message.options.has(options.hostName), 'RFC 2131 table 5')
  t.is(decline.message.clientAddress, 0)
  t.deepEqual(one.events, [])
  await world.run(60_000)
  t.deepEqual(seconds(one.sent.filter(({ message }) => message.type === 'discover')), [0, 11, 32], 'and less and less')
  taken = false
  await world.run(60_000)
  t.is(one.client.state, 'bound')
})

test('after a while on no wire the lease is confirmed, or lost', async t => {
  const world = new World(11)
  const one = link(world, goodServer())
  one.client.start()
  await world.run(1_000)
  one.client.reconnect()
  t.is(one.client.state, 'rebooting')
  await world.run(1_000)
  t.is(one.client.state, 'bound')
  const { message, to, from } = one.sent.at(-1)!
  t.is(`${to} ${from}`, 'broadcast 0.0.0.0')
  t.deepEqual(message.options.get(options.requestedAddress), addresses(ADDRESS))
  t.false(message.options.has(options.server), 'RFC 2131 table 5')
  t.deepEqual(one.events, [BOUND])
  one.server = () => [nak]
  one.client.reconnect()
  await world.run(500)
  t.regex(one.events[1], /lost: DHCP server/)

  const silent = link(world, goodServer())
  silent.client.start()
  await world.run(1_000)
  silent.server = () => []
  silent.client.reconnect()
  await world.run(20_000)
  t.is(silent.events.length, 1, 'it stays in use for the time being')
  await world.run(15_000)
  t.regex(silent.events[1], /lost: no DHCP server confirms 10\.0\.0\.50/)
  t.is(silent.client.state, 'selecting')
})

test('a lease that ends while it is confirmed has ended', async t => {
  const world = new World(12)
  const one = link(world, goodServer({ options: goodOptions(SERVER, 20) }))
  one.client.start()
  await world.run(5_000)
  one.server = () => []
  one.client.reconnect()
  await world.run(17_000)
  t.deepEqual(one.events.slice(1), ['20 lost: the lease is over, and no DHCP server prolongs it'])
})

test('an address of an earlier time is asked for first', async t => {
  const world = new World(13)
  const good = link(world, goodServer())
  good.client.start(ip(ADDRESS))
  await world.run(500)
  t.deepEqual(good.types(), ['request'])
  t.deepEqual(good.events, [BOUND])

  const refused = link(world, sent => (sent.message.type === 'request' && refused.sent.length === 1 ? [nak] : goodServer()(sent)))
  refused.client.start(ip(ADDRESS))
  await world.run(3_000)
  t.deepEqual(refused.types(), ['request', 'discover', 'request'])
  t.is(refused.events.length, 1)
  t.is(refused.client.state, 'bound')

  const special = link(world, goodServer())
  special.client.start(ip('127.0.0.1'))
  t.deepEqual(special.types(), ['discover'])
})

test('close gives the lease back, and is silent', async t => {
  for (const [when, messages] of [
    [1, ['discover']],
    [15, ['discover', 'request']],
    [500, ['discover', 'request']],
    [1_500, ['discover', 'request', 'release']],
  ] as const) {
    const world = new World(14)
    const one = link(world, goodServer(), { probe: () => false })
    one.client.start()
    await world.run(when)
    one.client.close()
    one.client.close()
    one.client.reconnect()
    await world.run(100_000)
    t.deepEqual(one.types(), [...messages], `${when}`)
    t.is(world.pending, 0)
    t.is(one.client.state, 'closed')
    if (when < 1_500) continue
    const { to, message } = one.sent[2]
    t.is(to, SERVER)
    t.is(message.clientAddress, ip(ADDRESS))
    t.deepEqual(message.options.get(options.server), addresses(SERVER))
  }
})

test('who closes it on the news of the loss hears no more', async t => {
  const world = new World(15)
  const one = link(world, goodServer(), { onLost: () => one.client.close() })
  one.client.start()
  await world.run(1_000)
  one.server = () => []
  await world.run(10_000_000)
  t.is(one.client.state, 'closed')
  t.is(world.pending, 0)
})

test('a lease for ever is never renewed; a long one in time', async t => {
  const world = new World(16)
  const ever = link(world, goodServer({ options: goodOptions(SERVER, 0xffffffff) }))
  ever.client.start()
  const long = link(world, goodServer({ options: goodOptions(SERVER, 0xfffffffe) }))
  long.client.start()
  await world.run(0x7fffffff * 1000 + 60_000)
  t.is(ever.sent.length, 2)
  t.is(long.sent.length, 3)
  t.true(long.longest < 2 ** 31, "Node's timers end at once beyond that")
})
