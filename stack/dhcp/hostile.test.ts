/** What DHCP servers may lie, and what others may send in their name: each row says what comes of it. */
import test from 'ava'
import { World } from '../testing/world.ts'
import { options } from '../wire/dhcp.ts'
import { leaseConfig } from './lease.ts'
import {
  ADDRESS,
  type AnswerSpec,
  addresses,
  ascii,
  be32,
  goodOptions,
  goodServer,
  ip,
  link,
  MAC,
  type OptionSpec,
  SERVER,
  writeAnswer,
} from './testing.ts'

/** The good options but for those that are given; undefined takes one away. */
function but(...changes: [code: number, bytes: Uint8Array | undefined][]): AnswerSpec {
  const changed = new Map(changes)
  const kept = goodOptions().filter(([code]) => !changed.has(code))
  return { options: [...kept, ...changes.flatMap(([code, bytes]) => (bytes === undefined ? [] : [[code, bytes] as const]))] }
}

/** Answers that a client must not take: neither as an offer nor as an acknowledgment. */
const refused: Record<string, AnswerSpec> = {
  'a lease of 0 seconds': but([options.leaseTime, be32(0)]),
  'a lease of 9 seconds': but([options.leaseTime, be32(9)]),
  'no time of the lease': but([options.leaseTime, undefined]),
  'a time of the lease of 3 bytes': but([options.leaseTime, Uint8Array.of(0, 0, 99)]),
  'a time of the lease twice': { extra: [[options.leaseTime, be32(3600)]] },
  'no server': but([options.server, undefined]),
  'server 0.0.0.0': but([options.server, addresses('0.0.0.0')]),
  'a server that is a group': but([options.server, addresses('224.0.0.1')]),
  'a server of 5 bytes': but([options.server, Uint8Array.of(10, 0, 0, 1, 0)]),
  'two servers in one': { extra: [[options.server, addresses('10.0.0.2')]] },
  'address 0.0.0.0': { address: '0.0.0.0' },
  'address 0.1.2.3': { address: '0.1.2.3' },
  'address 127.0.0.1': { address: '127.0.0.1' },
  'address 224.0.0.1': { address: '224.0.0.1' },
  'address 255.255.255.255': { address: '255.255.255.255' },
  "the network's address": { address: '10.0.0.0' },
  "the network's broadcast": { address: '10.0.0.255' },
  'another xid': { xid: 1 },
  'another MAC': { mac: Uint8Array.of(...MAC.subarray(0, 5), 0x99) },
  'another hardware': { patch: bytes => set(bytes, 1, 6) },
  'another length of MAC': { patch: bytes => set(bytes, 2, 16) },
  'another cookie': { cookie: 0x63825364 },
  'a request instead of a reply': { operation: 1 },
  'an operation that does not exist': { operation: 3 },
  'a type that does not exist': { type: 77 },
  'the type twice': { extra: [[options.type, Uint8Array.of(2)]] },
  'a message without options': { patch: bytes => bytes.slice(0, 240) },
  'half a message': { patch: bytes => bytes.slice(0, 200) },
  'nothing at all': { patch: () => new Uint8Array(0) },
  'an option without its length': { end: false, patch: bytes => Uint8Array.of(...bytes, options.domain) },
  'an option that runs over the end': { end: false, patch: bytes => Uint8Array.of(...bytes, options.domain, 5, 97) },
  'an option that runs over the end of the file name': {
    file: [],
    patch: bytes => set(set(set(bytes, 108, 0), 234, options.domain), 235, 9),
  },
  'options that run out of the server name into the file name': { sname: [], patch: bytes => set(set(bytes, 44, options.domain), 45, 63) },
}

function set(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value
  return bytes
}

test('answers that are not taken', async t => {
  for (const [title, spec] of Object.entries(refused)) {
    const world = new World(1)
    // As an offer, then as an acknowledgment of a good offer.
    const offers = link(world, ({ message }) => (message.type === 'discover' ? [{ type: 'offer', ...spec }] : []))
    offers.client.start()
    await world.run(30_000)
    t.deepEqual([...new Set(offers.types())], ['discover'], title)
    t.is(offers.client.state, 'selecting', title)

    const acks = link(world, ({ message }) => (message.type === 'discover' ? [{ type: 'offer' }] : [{ type: 'ack', ...spec }]))
    acks.client.start()
    await world.run(30_000)
    t.deepEqual(acks.events, [], title)
    t.is(acks.client.state, 'requesting', title)
    const { malformed, unasked, refused: judged } = acks.client.counters
    t.true(malformed + unasked + judged >= 1, `${title}: it is counted`)

    // And with the true one behind it, the lie does no harm.
    const both = link(world, sent =>
      [spec, ...goodServer()(sent)].map(answer => ({ type: sent.message.type === 'discover' ? 'offer' : 'ack', ...answer })),
    )
    both.client.start()
    await world.run(1_000)
    t.is(both.leases.length, 1, title)
    for (const { client } of [offers, acks, both]) client.close()
  }
})

/** Answers that are taken, and what is made of what is wrong in them. */
const corrected: [string, AnswerSpec, Record<string, unknown>][] = [
  ['all is well', {}, { bits: 24, gateway: ip('10.0.0.1'), duration: 3600, renewAfter: 1800, rebindAfter: 3150 }],
  ['a mask with a hole', but([options.mask, addresses('255.0.255.0')]), { bits: 32 }],
  ['a mask of nothing', but([options.mask, addresses('0.0.0.0')]), { bits: 32 }],
  ['a mask of 3 bytes', but([options.mask, Uint8Array.of(255, 255, 255)]), { bits: 32 }],
  ['no mask', but([options.mask, undefined]), { bits: 32 }],
  ['T1 after T2', times(3000, 2000), { renewAfter: 1800, rebindAfter: 2000 }],
  ['T1 after T2, both early', times(300, 200), { renewAfter: 200, rebindAfter: 200 }],
  ['T2 after the end', times(1000, 9999), { renewAfter: 1000, rebindAfter: 3150 }],
  ['T1 after the end', times(9999, 9998), { renewAfter: 1800, rebindAfter: 3150 }],
  ['T1 and T2 at once', times(0, 0), { renewAfter: 1800, rebindAfter: 3150 }],
  ['T1 for ever', times(0xffffffff, 0xffffffff), { renewAfter: 1800, rebindAfter: 3150 }],
  ['a lease for ever', but([options.leaseTime, be32(0xffffffff)]), { duration: Infinity, renewAfter: Infinity, rebindAfter: Infinity }],
  ['a router outside of the network: Qubes has such', but([options.routers, addresses('10.99.0.1')]), { gateway: ip('10.99.0.1') }],
  ['a router that is the address', but([options.routers, addresses(ADDRESS)]), { gateway: undefined }],
  ['a router that is a group', but([options.routers, addresses('224.0.0.5')]), { gateway: undefined }],
  ['router 0.0.0.0', but([options.routers, addresses('0.0.0.0')]), { gateway: undefined }],
  ['router 255.255.255.255', but([options.routers, addresses('255.255.255.255')]), { gateway: undefined }],
  ['a router that is the network', but([options.routers, addresses('10.0.0.0')]), { gateway: undefined }],
  ['a router that is all hosts of it', but([options.routers, addresses('10.0.0.255')]), { gateway: undefined }],
  ['a server that is all hosts', but([options.nameServers, addresses('10.0.0.255', '10.9.0.255')]), { dns: [ip('10.9.0.255')] }],
  ['half a router', but([options.routers, Uint8Array.of(10, 0)]), { gateway: undefined }],
  ['no router', but([options.routers, undefined]), { gateway: undefined }],
  ['two routers', but([options.routers, addresses('10.0.0.1', '10.0.0.2')]), { gateway: ip('10.0.0.1') }],
  [
    'servers that are none',
    but([options.nameServers, addresses('127.0.0.1', '10.0.0.2', '224.0.0.1', '10.0.0.2')]),
    { dns: [ip('10.0.0.2')] },
  ],
  ['a server and a half', but([options.nameServers, Uint8Array.of(10, 0, 0, 2, 10, 0)]), { dns: [] }],
  [
    'sixty servers',
    but([options.nameServers, Uint8Array.from({ length: 240 }, (_, i) => (i % 4 === 3 ? i >> 2 : 10))]),
    { 'dns.length': 4 },
  ],
  ['MTU 0', but([options.mtu, Uint8Array.of(0, 0)]), { mtu: undefined }],
  ['MTU 68', but([options.mtu, Uint8Array.of(0, 68)]), { mtu: undefined }],
  ['MTU 9000', but([options.mtu, Uint8Array.of(0x23, 0x28)]), { mtu: undefined }],
  ['MTU 1400', but([options.mtu, Uint8Array.of(5, 0x78)]), { mtu: 1400 }],
  ['a domain', but([options.domain, ascii('Lab.example.org\0')]), { domain: 'lab.example.org' }],
  ['a domain that steers a terminal', but([options.domain, ascii('\x1b[2J')]), { domain: undefined }],
  ['a domain that is a command', but([options.domain, ascii('$(reboot)')]), { domain: undefined }],
  ['a domain of dots', but([options.domain, ascii('a..b')]), { domain: undefined }],
  ['an option of no bytes', { extra: [[options.domain, new Uint8Array(0)]] }, { domain: undefined }],
  ['no end', { end: false }, { bits: 24 }],
  ['options in the file name', { ...but([options.mask, undefined]), file: [[options.mask, addresses('255.255.0.0')]] }, { bits: 16 }],
  ['options in the server name', { ...but([options.mask, undefined]), sname: [[options.mask, addresses('255.255.0.0')]] }, { bits: 16 }],
  [
    'an option in three places is one (RFC 3396), in the order options, file, sname',
    {
      ...but([options.nameServers, addresses('10.0.0.2')]),
      file: [[options.nameServers, addresses('10.0.0.3')]],
      sname: [[options.nameServers, addresses('10.0.0.4')]],
    },
    { dns: [ip('10.0.0.2'), ip('10.0.0.3'), ip('10.0.0.4')] },
  ],
  [
    'file and server name without overload are not read',
    { patch: bytes => set(set(set(bytes, 108, options.domain), 109, 1), 110, 97) },
    { domain: undefined },
  ],
  [
    'routes',
    routes([16, 10, 1, 10, 0, 0, 9], [0, 10, 0, 0, 8]),
    { gateway: ip('10.0.0.8'), routes: [{ network: ip('10.1.0.0'), bits: 16, router: ip('10.0.0.9') }] },
  ],
  [
    'routes without a default: the router does not count (RFC 3442)',
    routes([16, 10, 1, 10, 0, 0, 9]),
    { gateway: undefined, 'routes.length': 1 },
  ],
  [
    'a route with bits beyond its prefix',
    routes([9, 10, 0xff, 10, 0, 0, 9]),
    { routes: [{ network: ip('10.128.0.0'), bits: 9, router: ip('10.0.0.9') }] },
  ],
  ['a route on the link', routes([24, 10, 1, 1, 0, 0, 0, 0]), { routes: [{ network: ip('10.1.1.0'), bits: 24, router: 0 }] }],
  ['a route of 33 bits', routes([33, 10, 1, 1, 1, 1, 10, 0, 0, 9]), { routes: [], gateway: ip('10.0.0.1') }],
  ['half a route', routes([24, 10, 1, 1, 10, 0]), { routes: [], gateway: ip('10.0.0.1') }],
  ['a route by way of ourselves', routes([8, 10, 10, 0, 0, 50]), { routes: [], gateway: undefined }],
  ['a route by way of all hosts', routes([8, 10, 10, 0, 0, 255]), { routes: [] }],
  [
    'two routes to one network',
    routes([16, 10, 1, 10, 0, 0, 9], [16, 10, 1, 10, 0, 0, 8]),
    { routes: [{ network: ip('10.1.0.0'), bits: 16, router: ip('10.0.0.9') }] },
  ],
  [
    'routes of 400 bytes',
    routes(...Array.from({ length: 33 }, (_, i) => [32, 10, 1, 1, i, 10, 0, 0, 9])),
    { routes: [], gateway: ip('10.0.0.1') },
  ],
  ['32 routes in two pieces', routes(...Array.from({ length: 32 }, (_, i) => [32, 10, 1, 1, i, 10, 0, 0, 9])), { 'routes.length': 32 }],
]

function times(t1: number, t2: number): AnswerSpec {
  return {
    extra: [
      [options.renewTime, be32(t1)],
      [options.rebindTime, be32(t2)],
    ] as OptionSpec,
  }
}

function routes(...list: number[][]): AnswerSpec {
  return { extra: [[options.routes, Uint8Array.from(list.flat())]] }
}

test('answers that are taken, with what is wrong in them left out', async t => {
  for (const [title, spec, expected] of corrected) {
    const world = new World(2)
    const { client, leases } = link(world, goodServer(spec))
    client.start()
    await world.run(1_000)
    t.is(leases.length, 1, title)
    for (const [key, value] of Object.entries(expected)) {
      const got = key.split('.').reduce((part: any, name) => part[name], leases[0])
      t.deepEqual(got, value, `${title}: ${key}`)
    }
    client.close()
    await world.run(1_000)
    t.is(world.pending, 0, title)
  }
})

test('two servers: the first offer is taken, and only its server may acknowledge or refuse', async t => {
  const world = new World(3)
  const other = goodOptions('10.0.0.2')
  const { client, events, sent } = link(world, ({ message }) => {
    if (message.type === 'discover') return [{ type: 'offer' }, { type: 'offer', address: '10.0.0.60', options: other }]
    return [
      { type: 'nak', options: [[options.server, addresses('10.0.0.2')]] },
      { type: 'nak', options: [] },
      { type: 'ack', options: other },
      { type: 'ack', address: '10.0.0.60' },
      { type: 'ack' },
    ]
  })
  client.start()
  await world.run(1_000)
  t.deepEqual(events, [`0 bound ${ADDRESS}/24 via ${SERVER}`])
  t.deepEqual(sent[1].message.options.get(options.server), addresses(SERVER))
  t.deepEqual(sent[1].message.options.get(options.requestedAddress), addresses(ADDRESS))
  t.is(client.counters.refused, 4)
  t.is(client.counters.unasked, 1)
})

test('a server that refuses what it offered, for ever, is asked less and less', async t => {
  const world = new World(4)
  const { client, sent } = link(world, ({ message }) =>
    message.type === 'discover' ? [{ type: 'offer' }] : [{ type: 'nak', options: [[options.server, addresses(SERVER)]] }],
  )
  client.start()
  await world.run(3_600_000)
  t.true(sent.length < 140, `${sent.length} messages in an hour`)
  t.true(sent.length > 80, `${sent.length} messages in an hour`)
})

test('nothing is answered when nothing was asked', async t => {
  const world = new World(5)
  const { client, events, sent } = link(world, goodServer())
  client.start()
  await world.run(1_000)
  const lease = leaseConfig(client.lease!)
  const { xid } = sent[1].message // what is late, or repeated
  for (const type of ['offer', 'ack', 'nak', 'discover', 'release'] as const) client.receive(writeAnswer({ xid, mac: MAC }, { type }))
  t.is(client.counters.unasked, 5)
  t.deepEqual(leaseConfig(client.lease!), lease)
  t.is(events.length, 1)
})
