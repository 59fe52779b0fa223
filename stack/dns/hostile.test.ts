/** What servers may lie, and what others may send in their name: each row says what comes of it. */
import test from 'ava'
import { World } from '../testing/world.ts'
import { types } from '../wire/dns.ts'
import { DnsError } from './error.ts'
import {
  type Asked,
  address,
  alias,
  authority,
  type FakeServer,
  FIRST,
  framed,
  OPERATION_STATUS,
  type RecordSpec,
  SECOND,
  type Sent,
  site,
  TRUNCATED,
  writeReply,
} from './testing.ts'

const NAME = 'www.example.org'
const GOOD = '192.0.2.1'
const EVIL = '203.0.113.66'
const evil = [address(NAME, EVIL)]
const good = (asked: Asked): Sent => ({ bytes: asked.reply({ answers: [address(NAME, GOOD)] }), delay: 100 })

/** `counter`: which one goes up by one. `servers`: how many were told of in the error. */
interface Row {
  readonly server: FakeServer
  readonly addresses?: readonly string[]
  readonly code?: string
  readonly message?: RegExp
  readonly counter?: 'foreign' | 'unasked' | 'malformed' | 'timeouts'
}

const rows: Record<string, Row> = {
  // Those who guess, before the true answer comes.
  'another id': { server: a => [a.reply({ id: a.id ^ 1, answers: evil }), good(a)], addresses: [GOOD], counter: 'unasked' },
  'another address': {
    server: a => [{ bytes: a.reply({ answers: evil }), from: '10.139.1.9' }, good(a)],
    addresses: [GOOD],
    counter: 'foreign',
  },
  'another port': { server: a => [{ bytes: a.reply({ answers: evil }), port: 5353 }, good(a)], addresses: [GOOD], counter: 'foreign' },
  'another name': {
    server: a => [a.reply({ question: { name: 'evil.example.org', type: types.A }, answers: evil }), good(a)],
    addresses: [GOOD],
    counter: 'unasked',
  },
  'another type': {
    server: a => [a.reply({ question: { name: NAME, type: types.TXT }, answers: evil }), good(a)],
    addresses: [GOOD],
    counter: 'unasked',
  },
  'another class': {
    server: a => [a.reply({ question: { name: NAME, type: types.A, class: 3 }, answers: evil }), good(a)],
    addresses: [GOOD],
    counter: 'unasked',
  },
  'no question': { server: a => [a.reply({ question: null, answers: evil }), good(a)], addresses: [GOOD], counter: 'unasked' },
  'two questions': { server: a => [patch(a.reply({ answers: evil }), 5, 2), good(a)], addresses: [GOOD], counter: 'unasked' },
  'our own question': { server: a => [a.bytes, good(a)], addresses: [GOOD], counter: 'unasked' },
  'another operation': {
    server: a => [a.reply({ flags: OPERATION_STATUS, answers: evil }), good(a)],
    addresses: [GOOD],
    counter: 'unasked',
  },
  'nothing at all': { server: a => [new Uint8Array(0), good(a)], addresses: [GOOD], counter: 'malformed' },
  'half a header': { server: a => [a.bytes.slice(0, 11), good(a)], addresses: [GOOD], counter: 'malformed' },
  'a question that points to itself': {
    server: a => [Uint8Array.from([...a.reply({ question: null }).slice(0, 4), 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]), good(a)],
    addresses: [GOOD],
    counter: 'malformed',
  },
  'letters of another case are the same name (RFC 4343)': {
    server: a => [a.reply({ answers: [address(NAME, GOOD)] }).map((byte, i) => (i > 12 && i < 16 ? byte & ~0x20 : byte))],
    addresses: [GOOD],
  },

  // What the server itself says wrongly.
  'a record that runs over the end': {
    server: a => [a.reply({ answers: evil }).slice(0, -1)],
    code: 'ESERVFAIL',
    message: /broken answer/,
    counter: 'malformed',
  },
  'a record that points to itself': {
    server: a => {
      const bytes = a.reply({ answers: evil })
      const at = a.reply({}).length
      return [patch(patch(bytes, at, 0xc0), at + 1, at)]
    },
    code: 'ESERVFAIL',
    message: /broken answer.*not back/,
    counter: 'malformed',
  },
  'more records than it says': { server: a => [patch(a.reply({ answers: [address(NAME, GOOD), ...evil] }), 7, 1)], addresses: [GOOD] },
  'fewer records than it says': { server: a => [patch(a.reply({ answers: evil }), 7, 9)], code: 'ESERVFAIL', message: /runs over the end/ },
  'an address of 5 bytes': {
    server: a => [a.reply({ answers: [{ name: NAME, type: types.A, data: [Uint8Array.of(1, 2, 3, 4, 5)] }] })],
    code: 'ESERVFAIL',
    message: /too long or too short/,
  },
  'records of other names': {
    server: a => [a.reply({ answers: [address('evil.example.org', EVIL), address(NAME, GOOD), address('org', EVIL)] })],
    addresses: [GOOD],
  },
  'records of other names only': { server: a => [a.reply({ answers: [address('evil.example.org', EVIL)] })], code: 'ENODATA' },
  'records of another class': { server: a => [a.reply({ answers: [{ ...evil[0], class: 3 }] })], code: 'ENODATA' },
  'addresses in the additional section': { server: a => [a.reply({ additional: evil })], code: 'ENODATA' },
  'an address and no such name': { server: a => [a.reply({ code: 3, answers: evil })], code: 'ENOTFOUND' },
  'an alias of itself': { server: a => [a.reply({ answers: [alias(NAME, NAME)] })], code: 'ESERVFAIL', message: /more than 8 aliases/ },
  'two aliases of each other': {
    server: a => [a.reply({ answers: [alias(NAME, 'b.example.org'), alias('b.example.org', NAME)] })],
    code: 'ESERVFAIL',
    message: /more than 8 aliases/,
  },
  'aliases without an end, one in each answer': {
    server: a => [a.reply({ answers: [alias(a.name, `x${a.name}`)] })],
    code: 'ESERVFAIL',
    message: /more than 8 aliases/,
  },
  'eight aliases in any order': {
    server: a => [a.reply({ answers: [...chain(8), address('c8.example.org', GOOD)].reverse() })],
    addresses: [GOOD],
  },
  'nine aliases': { server: a => [a.reply({ answers: [...chain(9), address('c9.example.org', EVIL)] })], code: 'ESERVFAIL' },
  'an alias, and an address of its owner': {
    server: a => [a.reply({ answers: [alias(NAME, 'b.example.org'), address(NAME, GOOD)] })],
    addresses: [GOOD],
  },
  'truncated, and no TCP': {
    server: a => (a.tcp ? [new Uint8Array(0)] : [a.reply({ flags: TRUNCATED, answers: evil })]),
    code: 'ESERVFAIL',
    message: /not over TCP \(the connection ended/,
  },
  'truncated over TCP too': {
    server: a => (a.tcp ? [framed(a.reply({ flags: TRUNCATED, answers: evil }))] : [a.reply({ flags: TRUNCATED })]),
    code: 'ESERVFAIL',
    message: /answered another question over TCP/,
  },
  'another id over TCP': {
    server: a => (a.tcp ? [framed(a.reply({ id: a.id ^ 1, answers: evil }))] : [a.reply({ flags: TRUNCATED })]),
    code: 'ESERVFAIL',
  },
  'a length of 0 over TCP': {
    server: a => (a.tcp ? [Uint8Array.of(0, 0)] : [a.reply({ flags: TRUNCATED })]),
    code: 'ESERVFAIL',
    message: /a message of 0 bytes/,
  },
  'a byte of a long answer over TCP, and then nothing': {
    server: a => (a.tcp ? [Uint8Array.of(0xff)] : [a.reply({ flags: TRUNCATED })]),
    code: 'ESERVFAIL',
    message: /no answer in 5 seconds/,
  },
  'TCP that accepts and says nothing': {
    server: a => (a.tcp ? [] : [a.reply({ flags: TRUNCATED })]),
    code: 'ESERVFAIL',
    message: /no answer in 5 seconds/,
  },
  'a code that does not exist': { server: a => [a.reply({ code: 11 })], code: 'ESERVFAIL', message: /answered with code 11/ },
  'a code above 15 from OPT': { server: a => [a.reply({ code: 23, edns: true, answers: evil })], code: 'ESERVFAIL', message: /code 23/ },
  'not understood, whatever is asked': { server: a => [a.reply({ code: 1 })], code: 'ESERVFAIL', message: /does not understand/ },
  silence: { server: () => [], code: 'ETIMEOUT', message: /10\.139\.1\.1 did not answer/, counter: 'timeouts' },
}

function patch(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}

function chain(length: number): RecordSpec[] {
  const name = (i: number): string => (i === 0 ? NAME : `c${i}.example.org`)
  return Array.from({ length }, (_, i) => alias(name(i), name(i + 1)))
}

for (const [title, { server, addresses, code, message = /./, counter }] of Object.entries(rows)) {
  test(title, async t => {
    const world = new World(1)
    const { client, network, run } = site(world, server)
    const work = run(client.resolve(NAME, { family: 4 }))
    if (addresses !== undefined) {
      t.deepEqual(await work, addresses)
    } else {
      const error = (await t.throwsAsync(work, { instanceOf: DnsError, message })) as DnsError
      t.is(error.code, code as DnsError['code'])
      t.is(error.hostname, NAME)
      t.true(error.message.includes(NAME) && error.message.includes(FIRST), error.message)
    }
    if (counter !== undefined) t.is(client.counters[counter], 1)
    await world.run(60_000)
    t.is(network.opened, 0, 'sockets are left')
    t.is(world.pending, 0, 'timers are left')
  })
}

test('what lies does not keep the second server from being asked', async t => {
  for (const [title, { server, code, addresses }] of Object.entries(rows)) {
    if (addresses !== undefined || code === 'ENODATA' || code === 'ENOTFOUND' || /alias/.test(title)) continue
    const world = new World(2)
    const { client, network, run } = site(world, server, { servers: [FIRST, SECOND] })
    network.servers.set(SECOND, a => [a.reply({ answers: [address(NAME, GOOD)] })])
    t.deepEqual(await run(client.resolve(NAME, { family: 4 })), [GOOD], title)
  }
})

test('what comes along with an answer is not kept', async t => {
  const world = new World(3)
  const other = 'bank.example.com'
  const { client, network, run } = site(world, a =>
    a.name === NAME
      ? [
          a.reply({
            answers: [address(NAME, GOOD), address(other, EVIL)],
            authority: [address(other, EVIL)],
            additional: [address(other, EVIL)],
          }),
        ]
      : [a.reply({ answers: [address(other, '192.0.2.2')] })],
  )
  await run(client.resolve(NAME, { family: 4 }))
  t.deepEqual(await run(client.resolve(other, { family: 4 })), ['192.0.2.2'])
  t.is(network.asked.length, 2)
})

test('how long an answer is kept', async t => {
  const HOUR = 3_600_000
  const DAY = 24 * HOUR
  const one =
    (ttl: number): FakeServer =>
    a => [a.reply({ answers: [address(NAME, GOOD, ttl)] })]
  const none = (code: number, zone: string, minimum: number, ttl: number): FakeServer => {
    return a => [a.reply({ code, authority: [authority(zone, minimum, ttl)] })]
  }
  /** Milliseconds after which it is asked for again; 0: at once. */
  const kept: [string, FakeServer, number][] = [
    ['5 seconds', one(5), 5_000],
    ['0', one(0), 0],
    ['2^31', one(2 ** 31), 0],
    ['2^31 - 1', one(2 ** 31 - 1), DAY],
    ['the least of a chain', a => [a.reply({ answers: [alias(NAME, 'b.example.org', 7), address('b.example.org', GOOD, 99)] })], 7_000],
    ['an alias of 0', a => [a.reply({ answers: [alias(NAME, 'b.example.org', 0), address('b.example.org', GOOD, 99)] })], 0],
    ['no such name: the minimum of the SOA', none(3, 'example.org', 30, 900), 30_000],
    ['no such name: the time of the SOA', none(3, 'example.org', 900, 20), 20_000],
    ['no such name, for ever', none(3, 'org', 2 ** 31 - 1, 2 ** 31 - 1), HOUR],
    ['no such name, 2^31', none(3, 'example.org', 2 ** 31, 2 ** 31 - 1), 0],
    ['no data', none(0, 'example.org', 30, 900), 30_000],
    ["no such name, with another zone's SOA", none(3, 'example.com', 900, 900), 0],
    ['no such name, without SOA', a => [a.reply({ code: 3 })], 0],
    ['a failure', a => [a.reply({ code: 2, authority: [authority('example.org')] })], 0],
  ]
  for (const [title, server, time] of kept) {
    const world = new World(4)
    const { client, network, run } = site(world, server)
    const ask = () => run(client.resolve(NAME, { family: 4 })).catch(() => {})
    await ask()
    const first = network.asked.length
    const answered = world.now
    if (time > 0) {
      world.at(time - 1, () => {})
      await world.run(time - 1)
      await ask()
      t.is(network.asked.length, first, `${title}: still kept`)
      await world.run(answered + time + 1 - world.now)
      world.now = answered + time + 1
    }
    await ask()
    t.true(network.asked.length > first, `${title}: asked again`)
  }
})

test('the cache is bounded, in entries and in bytes', async t => {
  const world = new World(5)
  const big = (name: string): RecordSpec => ({
    name,
    type: types.TXT,
    ttl: 999,
    data: new Array<Uint8Array>(20).fill(Uint8Array.of(200, ...new Uint8Array(200))),
  })
  const server: FakeServer = a => {
    if (a.type === 'A') return [a.reply({ answers: [address(a.name, GOOD)] })]
    return a.tcp ? [framed(a.reply({ answers: [big(a.name)] }))] : [a.reply({ flags: TRUNCATED })]
  }
  const { client, network, run } = site(world, server, { cache: { entries: 8, bytes: 30_000 } })
  for (let i = 0; i < 20; i++) await run(client.resolve(`n${i}.example.org`, { family: 4 }))
  const asked = network.asked.length
  for (let i = 12; i < 20; i++) await run(client.resolve(`n${i}.example.org`, { family: 4 }))
  t.is(network.asked.length, asked, 'the last eight are kept')
  await run(client.resolve('n11.example.org', { family: 4 }))
  t.is(network.asked.length, asked + 1, 'the one before is not')
  for (let i = 0; i < 20; i++) {
    await run(client.texts(`t${i}.example.org`))
    t.true(client.cacheBytes > 0 && client.cacheBytes <= 30_000)
  }
})

test('a flood of answers does not end the wait for the true one', async t => {
  const world = new World(6)
  const { client, run } = site(world, a => [
    ...Array.from({ length: 500 }, (_, i) => a.reply({ id: (a.id + 1 + i) & 0xffff, answers: evil })),
    good(a),
  ])
  t.deepEqual(await run(client.resolve(NAME, { family: 4 })), [GOOD])
  t.is(client.counters.unasked, 500)
})

test('ids and ports differ from question to question', async t => {
  const world = new World(7)
  const { client, network, run } = site(world, () => [])
  await run(client.resolve(NAME, { family: 4 })).catch(() => {})
  t.is(network.asked.length, 3)
  t.is(new Set(network.asked.map(asked => asked.id)).size, 3)
  t.is(new Set(network.asked.map(asked => asked.localPort)).size, 3)
})

test('a reply that is only a header is believed when it says: not understood', async t => {
  const world = new World(8)
  const { client, run } = site(world, a => [a.edns ? writeReply({ id: a.id, code: 1 }) : good(a).bytes])
  t.deepEqual(await run(client.resolve(NAME, { family: 4 })), [GOOD])
})
