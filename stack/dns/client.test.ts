import test from 'ava'
import { World } from '../testing/world.ts'
import { types } from '../wire/dns.ts'
import { DnsError } from './error.ts'
import {
  type Asked,
  address,
  alias,
  type FakeServer,
  FIRST,
  framed,
  pointer,
  SECOND,
  service,
  site,
  TRUNCATED,
  tableServer,
  text,
} from './testing.ts'

const table = tableServer({
  'www.example.org': [alias('www.example.org', 'web.example.org')],
  'web.example.org': [
    address('web.example.org', '192.0.2.1'),
    address('web.example.org', '192.0.2.2'),
    address('web.example.org', '2001:db8::1'),
  ],
  'four.example.org': [address('four.example.org', '192.0.2.4')],
  'six.example.org': [address('six.example.org', '2001:db8::6')],
  'xn--bcher-kva.example.org': [address('xn--bcher-kva.example.org', '192.0.2.5')],
  'empty.example.org': [text('empty.example.org', 'no address')],
  '1.2.0.192.in-addr.arpa': [pointer('1.2.0.192.in-addr.arpa', 'web.example.org')],
  [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`]: [pointer(`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`, 'web6.example.org')],
  '_xmpp._tcp.example.org': [
    service('_xmpp._tcp.example.org', 20, 0, 5223, 'backup.example.org'),
    service('_xmpp._tcp.example.org', 10, 5, 5222, 'chat.example.org'),
  ],
  '_none._tcp.example.org': [service('_none._tcp.example.org', 0, 0, 0, '')],
  'txt.example.org': [text('txt.example.org', 'v=spf1 ', '-all'), text('txt.example.org', 'grüße\0')],
})

test('both families, IPv6 first, in turn; behind an alias; once for all who ask', async t => {
  const world = new World(1)
  const { client, network, run } = site(world, table)
  const both = ['2001:db8::1', '192.0.2.1', '192.0.2.2']
  t.deepEqual(await run(Promise.all([client.resolve('www.example.org'), client.resolve('WWW.Example.Org.')])), [both, both])
  t.deepEqual(
    network.asked.map(asked => asked.type),
    ['AAAA', 'A'],
  )
  t.is(client.counters.shared, 2)
  t.deepEqual(await run(client.resolve('www.example.org')), both)
  t.is(network.asked.length, 2)
  t.is(client.counters.cached, 2)
  t.deepEqual(await run(client.resolve('www.example.org', { family: 4 })), ['192.0.2.1', '192.0.2.2'])
  t.deepEqual(await run(client.resolve('four.example.org')), ['192.0.2.4'])
  t.deepEqual(await run(client.resolve('six.example.org')), ['2001:db8::6'])
  t.deepEqual(await run(client.resolve('bücher.example.org')), ['192.0.2.5'])
  t.deepEqual(await run(client.resolve('web.example.org')), both)
  t.is(network.opened, 0)
  await world.run(1)
  t.is(world.pending, 0, 'no timer is left')
})

test('only families that the network has are asked for', async t => {
  const world = new World(1)
  let families: readonly (4 | 6)[] = [4]
  const { client, network, run } = site(world, table, { families: () => families })
  t.deepEqual(await run(client.resolve('www.example.org')), ['192.0.2.1', '192.0.2.2'])
  t.deepEqual(
    network.asked.map(asked => asked.type),
    ['A'],
  )
  t.deepEqual(await run(client.resolve('localhost')), ['127.0.0.1'])
  families = []
  t.deepEqual((await run(client.resolve('localhost'))).toSorted(), ['127.0.0.1', '::1'], 'the way to ourselves needs no network')
  await t.throwsAsync(run(client.resolve('www.example.org')), { code: 'ENOSERVER', message: /no network/ })
})

test('addresses, and names that no server is asked for', async t => {
  const world = new World(2)
  const hosts = { 'Printer.lan': '10.0.0.9', 'pair.lan': ['10.0.0.1', 'FD00::1'] }
  const { client, network, run } = site(world, table, { hosts })
  const rows: [string, string[]][] = [
    ['10.137.0.16', ['10.137.0.16']],
    ['FD00:0::1', ['fd00::1']],
    ['localhost', ['::1', '127.0.0.1']],
    ['a.b.LOCALHOST.', ['::1', '127.0.0.1']],
    ['printer.LAN', ['10.0.0.9']],
    ['pair.lan', ['fd00::1', '10.0.0.1']],
  ]
  for (const [name, addresses] of rows) t.deepEqual((await run(client.resolve(name))).toSorted(), addresses.toSorted(), name)
  t.deepEqual(await run(client.reverse('10.0.0.9')), ['printer.lan'])
  t.deepEqual(await run(client.reverse('127.0.0.53')), ['localhost'])
  t.deepEqual(await run(client.reverse('0::1')), ['localhost'])
  for (const name of ['no.such.invalid', 'x.onion']) {
    await t.throwsAsync(run(client.resolve(name)), { instanceOf: DnsError, code: 'ENOTFOUND' })
  }
  await t.throwsAsync(run(client.resolve('printer.lan', { family: 6 })), { code: 'ENODATA' })
  for (const name of ['', '..', 'a..b', '10.1.2.300', '1.2.3', 'fe80::1%eth0', 'x'.repeat(64), 'ü..b', `${'ü'.repeat(300)}`]) {
    await t.throwsAsync(run(client.resolve(name)), { instanceOf: DnsError, code: 'EBADNAME', message: /write|labels/ }, name)
  }
  t.is(network.asked.length, 0)
  t.throws(() => site(world, table, { hosts: { a: 'b' } }), { code: 'EBADNAME' })
  t.throws(() => site(world, table, { servers: ['dns.example.org'] }), { code: 'EBADNAME' })
})

test('other records', async t => {
  const world = new World(3)
  const { client, run } = site(world, table)
  t.deepEqual(await run(client.reverse('192.0.2.1')), ['web.example.org'])
  t.deepEqual(await run(client.reverse('2001:db8::1')), ['web6.example.org'])
  t.deepEqual(await run(client.texts('txt.example.org')), ['v=spf1 -all', 'grüße\0'])
  t.deepEqual(await run(client.services('_xmpp._tcp.example.org')), [
    { priority: 10, weight: 5, port: 5222, target: 'chat.example.org' },
    { priority: 20, weight: 0, port: 5223, target: 'backup.example.org' },
  ])
  await t.throwsAsync(run(client.services('_none._tcp.example.org')), { code: 'ENODATA', message: /does not offer/ })
  await t.throwsAsync(run(client.reverse('web.example.org')), { code: 'EBADNAME' })
  t.deepEqual(await run(client.lookup('www.example.org', 'CNAME')), [
    { name: 'www.example.org', ttl: 300, type: 'CNAME', target: 'web.example.org' },
  ])
})

test('no such name, and no such record, are different errors, and kept', async t => {
  const world = new World(4)
  const { client, network, run } = site(world, table)
  for (let i = 0; i < 2; i++) {
    const error = (await t.throwsAsync(run(client.resolve('none.example.org')), { code: 'ENOTFOUND' })) as DnsError
    t.is(error.message, `cannot resolve none.example.org (AAAA), says DNS server ${FIRST}: there is no such name; check how it is written`)
    t.deepEqual(error.servers, [FIRST])
    await t.throwsAsync(run(client.resolve('empty.example.org')), { code: 'ENODATA', message: /empty\.example\.org/ })
  }
  t.is(network.asked.length, 4)
})

test('the second server is asked when the first is silent, and first from then on', async t => {
  const world = new World(5)
  const { client, network, run } = site(world, () => [], { servers: [FIRST, SECOND] })
  network.servers.set(SECOND, table)
  t.deepEqual(await run(client.resolve('four.example.org', { family: 4 })), ['192.0.2.4'])
  t.deepEqual(
    network.asked.map(asked => [asked.server, asked.at]),
    [
      [FIRST, 0],
      [SECOND, 1000],
    ],
  )
  await run(client.resolve('web.example.org', { family: 4 }))
  t.deepEqual(
    network.asked.slice(2).map(asked => asked.server),
    [SECOND],
  )
})

test('an answer that comes after the next server was asked is good', async t => {
  const world = new World(6)
  const slow: FakeServer = a => [{ bytes: a.reply({ answers: [address(a.name, '192.0.2.7')] }), delay: 1500 }]
  const { client, network, run } = site(world, slow, { servers: [FIRST, SECOND] })
  t.deepEqual(await run(client.resolve('slow.example.org', { family: 4 })), ['192.0.2.7'])
  t.is(world.now, 1510)
  t.is(network.opened, 0)
})

test('when servers are asked: after one second, two, four, and no earlier because another one failed late', async t => {
  const silent = site(new World(19), () => [])
  await t.throwsAsync(silent.run(silent.client.resolve('a.example.org', { family: 4 })), { code: 'ETIMEOUT' })
  t.deepEqual(
    silent.network.asked.map(asked => asked.at),
    [0, 1000, 3000],
  )
  const world = new World(20)
  const { client, network, run } = site(world, a => [{ bytes: a.reply({ code: 2, edns: true }), delay: 1500 }], {
    servers: [FIRST, SECOND],
  })
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'ESERVFAIL' })
  t.deepEqual(
    network.asked.map(asked => `${asked.server} ${asked.at}`),
    [`${FIRST} 0`, `${SECOND} 1000`, `${SECOND} 2000`, `${SECOND} 4000`],
  )
})

test('an alias that has to be followed by another question counts for the time of all', async t => {
  const world = new World(21)
  const { client, network, run } = site(world, a => [
    a.reply({ answers: [a.name === 'www.example.org' ? alias(a.name, 'elsewhere.example.com', 5) : address(a.name, '192.0.2.1', 300)] }),
  ])
  t.deepEqual(await run(client.resolve('www.example.org', { family: 4 })), ['192.0.2.1'])
  t.deepEqual(
    network.asked.map(asked => asked.name),
    ['www.example.org', 'elsewhere.example.com'],
  )
  world.now += 5_001
  await run(client.resolve('www.example.org', { family: 4 }))
  t.is(network.asked.length, 4)
})

test('a truncated answer that comes late, or twice', async t => {
  const late = new World(25)
  const first: FakeServer = a => (a.tcp ? [new Uint8Array(0)] : [{ bytes: a.reply({ flags: TRUNCATED }), delay: 1500 }])
  const one = site(late, first, { servers: [FIRST, SECOND] })
  await t.throwsAsync(one.run(one.client.resolve('a.example.org', { family: 4 })), { code: 'ESERVFAIL', message: /not over TCP/ })
  const answer = (a: Asked) => a.reply({ answers: [address(a.name, '192.0.2.1')] })
  const twice = site(new World(26), a => (a.tcp ? [framed(answer(a))] : [a.reply({ flags: TRUNCATED }), a.reply({ flags: TRUNCATED })]))
  t.deepEqual(await twice.run(twice.client.resolve('a.example.org', { family: 4 })), ['192.0.2.1'])
  t.is(twice.client.counters.overTcp, 1)
})

test('what may not be kept takes no room', async t => {
  const { client, run } = site(new World(22), a => [a.reply({ answers: [address(a.name, '192.0.2.1', 0)] })])
  await run(client.resolve('a.example.org', { family: 4 }))
  t.is(client.cacheBytes, 0)
})

test('a TCP connection that comes when nobody wants it is closed', async t => {
  const world = new World(23)
  const { client, network, run } = site(world, a => [a.reply({ flags: TRUNCATED })])
  let disposed = 0
  network.connect = () =>
    new Promise(resolve =>
      world.at(20_000, () =>
        resolve({
          read: async () => undefined,
          write: async () => {},
          [Symbol.dispose]: () => {
            disposed++
          },
        }),
      ),
    )
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'ESERVFAIL', message: /no answer in 5 seconds/ })
  await world.run(60_000)
  t.is(disposed, 1)
})

test('who cannot be reached is not waited for', async t => {
  const world = new World(24)
  const { client, network, run } = site(world, () => new Error('port unreachable'), { servers: [FIRST, SECOND] })
  network.servers.set(SECOND, table)
  t.deepEqual(await run(client.resolve('four.example.org', { family: 4 })), ['192.0.2.4'])
  t.is(world.now, 20)
  network.servers.set(SECOND, () => new Error('host unreachable'))
  await t.throwsAsync(run(client.resolve('web.example.org', { family: 4 })), {
    code: 'ESERVFAIL',
    message: /10\.139\.1\.2 cannot be reached \(host unreachable\), DNS server 10\.139\.1\.1 cannot be reached/,
  })
  t.is(network.opened, 0)
})

test('who failed is not asked again; the error tells of each server', async t => {
  const world = new World(7)
  const { client, network, run } = site(world, a => [a.reply({ code: 5 })], { servers: [FIRST, SECOND] })
  const refused = (await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })))) as DnsError
  t.is(refused.code, 'EREFUSED')
  t.regex(refused.message, /10\.139\.1\.1 refused, DNS server 10\.139\.1\.2 did not answer/)
  t.deepEqual(refused.servers, [FIRST, SECOND])
  t.is(network.asked.filter(asked => asked.server === FIRST).length, 1)
  t.is(network.asked.filter(asked => asked.server === SECOND).length, 3)
  network.servers.set(SECOND, a => [a.reply({ code: 2, edns: true })])
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'EREFUSED', message: /refused.*failed|failed.*refused/ })
  network.servers.set(FIRST, a => [a.reply({ code: 2, edns: true })])
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'ESERVFAIL' })
  network.broken = new Error('no route')
  await t.throwsAsync(run(client.resolve('b.example.org')), { code: 'ESERVFAIL', message: /cannot be asked \(no route\)/ })
  t.is(network.opened, 0)
})

test('a long answer comes over TCP, in any pieces', async t => {
  const many = Array.from({ length: 200 }, (_, i) => address('many.example.org', `192.0.2.${i}`))
  for (const size of [1, 2, 3, 1000, 65_537]) {
    const world = new World(8)
    const server = (a: Asked) => {
      if (!a.tcp) return [a.reply({ flags: TRUNCATED, answers: many.slice(0, 3) })]
      const whole = framed(a.reply({ answers: many }))
      return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => ({ bytes: whole.slice(i * size, (i + 1) * size), delay: i }))
    }
    const { client, network, run } = site(world, server)
    t.is((await run(client.resolve('many.example.org', { family: 4 }))).length, 200)
    t.is(client.counters.overTcp, 1)
    t.is(network.opened, 0)
    await world.run(1)
    t.is(world.pending, 0, 'no timer is left')
  }
})

test('EDNS is left out for a server that does not know it, and remembered', async t => {
  const rows: [string, (asked: Asked) => Uint8Array, boolean][] = [
    ['format error', a => a.reply({ code: 1 }), true],
    ['not implemented', a => a.reply({ code: 4 }), true],
    ['bad version', a => a.reply({ code: 16, edns: true }), true],
    ['server failure without OPT may have another reason', a => a.reply({ code: 2 }), false],
  ]
  for (const [title, refusal, remembered] of rows) {
    const world = new World(9)
    const { client, network, run } = site(world, a => [a.edns ? refusal(a) : a.reply({ answers: [address(a.name, '192.0.2.1')] })])
    t.deepEqual(await run(client.resolve('a.example.org', { family: 4 })), ['192.0.2.1'], title)
    t.deepEqual(
      network.asked.map(asked => asked.edns),
      [true, false],
      title,
    )
    await run(client.resolve('b.example.org', { family: 4 }))
    t.is(network.asked.length, remembered ? 3 : 4, title)
  }
  const world = new World(10)
  const { client, network, run } = site(world, a => (a.edns ? [] : [a.reply({ answers: [address(a.name, '192.0.2.1')] })]))
  t.deepEqual(await run(client.resolve('a.example.org', { family: 4 })), ['192.0.2.1'], 'questions with EDNS get lost')
  t.deepEqual(
    network.asked.map(asked => asked.edns),
    [true, true, false],
  )
})

test('a server that knows EDNS and fails is not asked without', async t => {
  const { client, network, run } = site(new World(11), a => [a.reply({ code: 2, edns: true })])
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'ESERVFAIL' })
  t.is(network.asked.length, 1)
})

test('an abort ends the wait of one; the question goes on for the others', async t => {
  const world = new World(12)
  const late: FakeServer = a => [{ bytes: a.reply({ answers: [address(a.name, '192.0.2.1')] }), delay: 500 }]
  const { client, network, run } = site(world, late)
  const controller = new AbortController()
  const one = client.resolve('a.example.org', { family: 4, signal: controller.signal })
  const other = client.resolve('a.example.org', { family: 4 })
  world.at(100, () => controller.abort(new Error('enough')))
  await t.throwsAsync(run(one), { message: 'enough' })
  t.true(world.now < 500)
  t.deepEqual(await run(other), ['192.0.2.1'])

  const alone = new AbortController()
  const both = client.resolve('b.example.org', { signal: alone.signal })
  world.at(100, () => alone.abort(new Error('enough of both')))
  await t.throwsAsync(run(both), { message: 'enough of both' })
  t.is(network.opened, 0, 'nobody waits: the sockets are closed')
  const before = network.asked.length
  await t.throwsAsync(run(client.resolve('b.example.org', { signal: alone.signal })), { message: 'enough of both' })
  t.is(network.asked.length, before, 'nothing is asked with a signal that has aborted')

  const word = new AbortController()
  const waits = client.resolve('c.example.org', { signal: word.signal }).then(
    () => 'resolved',
    reason => reason,
  )
  word.abort('a word')
  t.is(await run(waits), 'a word')
})

test('an abort in the middle of TCP gives the connection back', async t => {
  const world = new World(13)
  const { client, network, run } = site(world, a => (a.tcp ? [] : [a.reply({ flags: TRUNCATED })]))
  const controller = new AbortController()
  const work = client.resolve('a.example.org', { family: 4, signal: controller.signal })
  world.at(200, () => controller.abort(new Error('enough')))
  await t.throwsAsync(run(work), { message: 'enough' })
  await world.run(60_000)
  t.is(network.opened, 0)
  t.is(world.pending, 0)
})

test('IPv6 addresses that do not come are waited for a moment only', async t => {
  const world = new World(14)
  const { client, network, run } = site(world, a => (a.type === 'AAAA' ? [] : [a.reply({ answers: [address(a.name, '192.0.2.1')] })]))
  t.deepEqual(await run(client.resolve('a.example.org')), ['192.0.2.1'])
  t.is(world.now, 60)
  await world.run(60_000)
  t.is(network.opened, 0)
  // And when there are no others, as long as it takes.
  network.servers.set(FIRST, a =>
    a.type === 'A' ? [a.reply({})] : [{ bytes: a.reply({ answers: [address(a.name, '2001:db8::1')] }), delay: 700 }],
  )
  t.deepEqual(await run(client.resolve('b.example.org')), ['2001:db8::1'])
})

test('a failure tells more than that there is no record of the other family', async t => {
  for (const failing of ['A', 'AAAA']) {
    const { client, run } = site(new World(15), a => [a.type === failing ? a.reply({ code: 5 }) : a.reply({})])
    await t.throwsAsync(run(client.resolve('a.example.org')), { code: 'EREFUSED' }, failing)
  }
})

test('other servers: what is known is forgotten, what is under way asked again', async t => {
  const world = new World(16)
  const { client, network, run } = site(world, a => (a.name === 'kept.example.org' ? table({ ...a, name: 'four.example.org' }) : []))
  const answer: FakeServer = a => [a.reply({ answers: [address(a.name, '192.0.2.8')] })]
  network.servers.set(SECOND, answer)
  const waiting = client.resolve('a.example.org', { family: 4 })
  world.at(300, () => client.configure([SECOND]))
  t.deepEqual(await run(waiting), ['192.0.2.8'])
  t.true(world.now < 400)
  const asked = network.asked.length
  await run(client.resolve('a.example.org', { family: 4 }))
  t.is(network.asked.length, asked)
  client.clear()
  await run(client.resolve('a.example.org', { family: 4 }))
  t.is(network.asked.length, asked + 1)
  client.configure([])
  await t.throwsAsync(run(client.resolve('a.example.org', { family: 4 })), { code: 'ENOSERVER', message: /no DNS server is configured/ })
})

test('no more than so many are asked for at a time, and all get their answer', async t => {
  const world = new World(17)
  let most = 0
  const { client, network, run } = site(
    world,
    a => {
      most = Math.max(most, network.opened)
      return [a.reply({ answers: [address(a.name, '192.0.2.1')] })]
    },
    { concurrency: 3 },
  )
  const given = new AbortController()
  const all = Array.from({ length: 20 }, (_, i) =>
    client.resolve(`n${i}.example.org`, { family: 4, signal: i === 10 ? given.signal : undefined }),
  )
  given.abort(new Error('not that one'))
  world.at(5, () => client.configure([FIRST])) // what waits goes on waiting
  const results = await run(Promise.allSettled(all))
  t.is(results.filter(result => result.status === 'fulfilled').length, 19)
  t.is(most, 3)
  t.is(network.asked.length, 19 + 3, 'three are asked for again')
})

test('a closed client ends every wait', async t => {
  const world = new World(18)
  const { client, network, run } = site(world, () => [], { concurrency: 1 })
  const all = ['a.example.org', 'b.example.org'].map(name => client.resolve(name, { family: 4 }))
  world.at(300, () => client.close())
  for (const one of all) one.catch(() => {})
  for (const one of all) await t.throwsAsync(run(one), { instanceOf: DnsError, code: 'ECANCELLED' })
  await t.throwsAsync(run(client.resolve('c.example.org')), { code: 'ECANCELLED' })
  await world.run(60_000)
  t.is(network.opened, 0)
  t.is(world.pending, 0)
  t.is(network.asked.length, 1)
})

test('the types that are asked for have the numbers of the registry', t => {
  t.deepEqual(types, { A: 1, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 })
})
