/** Names on the whole stack: questions and answers in packets, and connections by name. */
import test from 'ava'
import { address, type FakeServer, FIRST, framed, readAsked, SECOND, TRUNCATED, tableServer } from './dns/testing.ts'
import type { IpStack } from './stack.ts'
import { type Pair, pair } from './testing/pair.ts'

const table = tableServer({
  'www.example.org': [address('www.example.org', '10.0.0.2')],
  'two.example.org': [address('two.example.org', '10.0.0.9'), address('two.example.org', '10.0.0.2')],
  'lost.example.org': [address('lost.example.org', '10.0.0.8'), address('lost.example.org', '10.0.0.9')],
  'six.example.org': [address('six.example.org', 'fd00::1')],
  'both.example.org': [address('both.example.org', '10.0.0.2'), address('both.example.org', '2001:db8::2')],
})

interface Question {
  name: string
  port: number
  tcp: boolean
}

/** A DNS server on a stack. */
function serve(stack: IpStack, server: FakeServer): Question[] {
  const asked: Question[] = []
  stack.udp.bind(53, (bytes, offset, length, from, port) => {
    const question = readAsked(bytes.slice(offset, offset + length), false, port)
    asked.push({ name: question.name, port, tcp: false })
    for (const answer of server(question) as Uint8Array[]) stack.udp.send(53, from, port, answer)
  })
  void stack.tcp.listen({ port: 53 }, async connection => {
    const bytes = await connection.read()
    if (bytes === undefined) return
    const question = readAsked(bytes.subarray(2), true, connection.remotePort)
    asked.push({ name: question.name, port: connection.remotePort, tcp: true })
    for (const answer of server(question) as Uint8Array[]) await connection.write(framed(answer))
  })
  return asked
}

function setUp(server: FakeServer = table): Pair & { asked: Question[]; run<T>(work: Promise<T>): Promise<T> } {
  const p = pair(1)
  p.client.configure({ address: '10.0.0.1', prefix: 24, dns: ['10.0.0.2'] })
  return {
    ...p,
    asked: serve(p.server, server),
    async run(work) {
      let settled = false
      const done = (): void => {
        settled = true
      }
      work.then(done, done)
      await p.world.run(600_000, () => settled)
      if (!settled) throw new Error('nothing is left to happen, and the promise is pending')
      return work
    },
  }
}

test('a name is resolved by the configured server, once, from a port of its own that is given back', async t => {
  const { client, asked, run, world } = setUp()
  const before = client.counters.udpNoPort
  t.deepEqual(await run(client.resolve('www.example.org')), ['10.0.0.2'])
  t.deepEqual(await run(client.resolve('WWW.example.org.')), ['10.0.0.2'])
  t.deepEqual(await client.resolve('10.9.8.7'), ['10.9.8.7'])
  t.is(asked.length, 1)
  await t.throwsAsync(run(client.resolve('none.example.org')), { name: 'DnsError', code: 'ENOTFOUND' })
  t.is(client.counters.udpNoPort, before)
  const ports = asked.map(({ port }) => port)
  t.true(ports.every(port => port >= 32_768))
  t.not(ports[0], ports[1])
  for (const port of ports) client.udp.bind(port, () => {})() // free
  await world.run(200_000)
  t.is(client.tcp.connections, 0)
})

test('the ports of questions are spread over half of all', async t => {
  const { client } = setUp()
  const opened = Array.from({ length: 2000 }, () => client.udp.open(() => {}))
  const numbers = new Set(opened.map(({ number }) => number))
  t.is(numbers.size, 2000)
  t.true(Math.min(...numbers) < 32_768 + 300 && Math.max(...numbers) > 65_535 - 300)
  const steps = opened.slice(1).filter(({ number }, i) => Math.abs(number - opened[i].number) < 8).length
  t.true(steps < 20)
  for (const port of opened) port.close()
  for (const { number } of opened) client.udp.bind(number, () => {})
})

test('a port that was given back hears nothing any more', t => {
  const { client } = setUp()
  const heard: unknown[] = []
  const port = client.udp.open(
    () => {},
    message => heard.push(message) > 0,
  )
  const message = {
    route: client.udp.routeTo('10.0.0.2'),
    localPort: port.number,
    remotePort: 9,
    sequence: 0,
    code: 3,
    refused: true,
    mtu: undefined,
  }
  client.udp.unreachable(message)
  port.close()
  client.udp.unreachable(message)
  t.deepEqual(heard, [message])
  t.is(client.counters.icmpIgnored, 1)
})

test('when all tries find ports in use, that is said', t => {
  const { client } = setUp()
  for (let port = 32_768; port < 65_536; port++) client.udp.bind(port, () => {})
  t.throws(() => client.udp.open(() => {}), { code: 'ENOBUFS', message: /32768 are in use: close some/ })
})

test('an answer with everything right but the port that it comes from is not believed', async t => {
  let wrong: ((question: Parameters<FakeServer>[0]) => void) | undefined
  const { client, server, run } = setUp(question => {
    wrong?.(question)
    return []
  })
  server.udp.bind(54, () => {})
  wrong = question => {
    const [answer] = table(question) as Uint8Array[]
    server.udp.send(54, '10.0.0.1', question.localPort, answer)
  }
  await t.throwsAsync(run(client.resolve('www.example.org')), { code: 'ETIMEOUT' })
  t.is(client.names.counters.foreign, 3)
})

test('a long answer comes over TCP', async t => {
  const many = Array.from({ length: 200 }, (_, i) => address('many.example.org', `192.0.2.${i + 1}`))
  const { client, asked, run, world } = setUp(question =>
    question.tcp ? [question.reply({ answers: many })] : [question.reply({ flags: TRUNCATED })],
  )
  t.is((await run(client.resolve('many.example.org'))).length, 200)
  t.deepEqual(
    asked.map(({ tcp }) => tcp),
    [false, true],
  )
  await world.run(200_000)
  t.is(client.tcp.connections, 0)
})

test('connections by name: to the first address that answers; what lost the race is over', async t => {
  const { client, server, run, world } = setUp()
  void server.tcp.listen({ port: 80 }, () => {})
  const one = await run(client.tcp.connect({ host: 'www.example.org', port: 80 }))
  t.is(one.remoteAddress, '10.0.0.2')
  const two = await run(client.tcp.connect({ host: 'two.example.org', port: 80 }))
  t.is(two.remoteAddress, '10.0.0.2')
  await world.run(10)
  t.is(client.tcp.connections, 2)
  one.abort()
  two.abort()
})

test('a host with both families asks for both, over IPv6 too, and takes the address that suits its own (RFC 6724)', async t => {
  const { client, server, run, world, asked } = setUp()
  server.configure({ address: '10.0.0.2', prefix: 24, ipv6: { address: '2001:db8::2', prefix: 64 } })
  client.configure({ address: '10.0.0.1', prefix: 24, ipv6: { address: '2001:db8::1', prefix: 64 }, dns: ['2001:DB8::2'] })
  t.deepEqual(client.dns, ['2001:db8::2'])
  void server.tcp.listen({ port: 80 }, () => {})
  t.deepEqual(await run(client.resolve('both.example.org')), ['2001:db8::2', '10.0.0.2'])
  const one = await run(client.tcp.connect({ host: 'both.example.org', port: 80 }))
  t.is(one.remoteAddress, '2001:db8::2')
  one.abort()
  const count = asked.length
  // A private address talks to the world by IPv4 first.
  client.configure({ address: '10.0.0.1', prefix: 24, ipv6: { address: 'fd00::1', gateway: 'fe80::ff:fe00:2' }, dns: ['10.0.0.2'] })
  t.deepEqual(await run(client.resolve('both.example.org')), ['10.0.0.2', '2001:db8::2'])
  client.configure({ ipv6: { address: '2001:db8::1', prefix: 64 }, dns: ['2001:db8::2'] })
  t.deepEqual(await run(client.resolve('both.example.org')), ['2001:db8::2'])
  t.is(asked.length, count + 3) // AAAA and A, then AAAA alone
  await world.run(10)
})

test('what fails has the right error, and leaves nothing', async t => {
  const { client, run, world } = setUp()
  await t.throwsAsync(run(client.tcp.connect({ host: 'www.example.org', port: 81 })), { name: 'SocketError', code: 'ECONNREFUSED' })
  await t.throwsAsync(run(client.tcp.connect({ host: 'none.example.org', port: 80 })), { name: 'DnsError', code: 'ENOTFOUND' })
  await t.throwsAsync(run(client.tcp.connect({ host: 'six.example.org', port: 80 })), { name: 'DnsError', code: 'ENODATA' })
  await t.throwsAsync(run(client.tcp.connect({ host: '10.0.0.256', port: 80 })), { name: 'DnsError', code: 'EBADNAME' })
  await t.throwsAsync(run(client.tcp.connect({ host: 'fd00::1', port: 80 })), {
    code: 'EHOSTUNREACH',
    message: 'cannot connect to fd00::1: this stack has no IPv6 address',
  })
  await t.throwsAsync(run(client.tcp.connect({ host: 'lost.example.org', port: 80 })), {
    name: 'SocketError',
    code: 'ETIMEDOUT',
    message: /cannot connect to lost\.example\.org:80: none of 2 addresses answers: .*10\.0\.0\.8.*10\.0\.0\.9/,
  })
  await world.run(200_000)
  t.is(client.tcp.connections, 0)
})

test('the timeout and the signal are for the question as well', async t => {
  const { client, run, world } = setUp(() => [])
  const start = world.now
  await t.throwsAsync(run(client.tcp.connect({ host: 'www.example.org', port: 80, timeout: 700 })), {
    code: 'ETIMEDOUT',
    message: /cannot connect to www\.example\.org:80 within 0\.7 s/,
  })
  t.is(world.now - start, 700)
  const controller = new AbortController()
  const connecting = client.tcp.connect({ host: 'www.example.org', port: 80, signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.throwsAsync(connecting, { message: 'enough' })
  await world.run(10)
  t.is(client.tcp.connections, 0)
})

test('the timeout is for all addresses together as well', async t => {
  const { client, run, world } = setUp()
  await run(client.resolve('lost.example.org'))
  const start = world.now
  await t.throwsAsync(run(client.tcp.connect({ host: 'lost.example.org', port: 80, timeout: 600 })), {
    code: 'ETIMEDOUT',
    message: /within 0\.6 s/,
  })
  t.is(world.now - start, 600)
  await world.run(10)
  t.is(client.tcp.connections, 0)
})

test('without a server, or a network, that is said; another network has other servers, and its names', async t => {
  const { client, server, run, asked } = setUp()
  t.deepEqual(await run(client.resolve('www.example.org')), ['10.0.0.2'])
  client.configure({ address: '10.0.0.1', prefix: 24 })
  await t.throwsAsync(run(client.resolve('www.example.org')), { code: 'ENOSERVER', message: /no DNS server is configured/ })
  client.configure(undefined)
  await t.throwsAsync(run(client.resolve('www.example.org')), { code: 'ENOSERVER', message: /there is no network/ })
  server.configure({ address: '10.0.0.3', prefix: 24 })
  client.configure({ address: '10.0.0.1', prefix: 24, dns: ['10.0.0.3'] })
  t.deepEqual(await run(client.resolve('www.example.org')), ['10.0.0.2'])
  t.is(asked.length, 2)
})

test('a question under way goes to the servers of the new network', async t => {
  const { client, run, asked, world } = setUp()
  client.configure({ address: '10.0.0.1', prefix: 24, dns: ['10.0.0.77'] })
  const resolved = client.resolve('www.example.org')
  await world.run(500)
  t.is(asked.length, 0)
  client.configure({ address: '10.0.0.1', prefix: 24, dns: ['10.0.0.2'] })
  t.deepEqual(await run(resolved), ['10.0.0.2'])
})

test('a server that no gateway leads to is passed over', async t => {
  const { client, run } = setUp()
  client.configure({ address: '10.0.0.1', prefix: 24, dns: [FIRST, '10.0.0.2'] })
  t.deepEqual(await run(client.resolve('www.example.org')), ['10.0.0.2'])
  client.configure({ address: '10.0.0.1', prefix: 24, dns: [FIRST, SECOND] })
  await t.throwsAsync(run(client.resolve('www.example.org')), { code: 'ESERVFAIL', message: /10\.139\.1\.1 cannot be asked .*no gateway/ })
})

test('a server whose port or host cannot be reached (ICMP) is passed over at once, and only then', async t => {
  for (const [code, forged, isBelieved] of [
    [3, {}, true],
    [13, {}, true],
    [4, {}, false],
    [3, { remotePort: 54 }, false],
    [3, { localPort: 1 }, false],
    [3, { peer: 8 }, false],
    [3, { protocol: 6 }, false],
  ] as const) {
    const { client, clientDevice, serverDevice, wire, run, world } = setUp()
    client.configure({ address: '10.0.0.1', prefix: 24, dns: ['10.0.0.7', '10.0.0.2'] })
    // Nobody is 10.0.0.7, but its frames come to the other end, which answers them as a router does.
    client.link.ipv4.neighbours.get(0x0700000a)!.mac = new Uint16Array(serverDevice.mac.slice().buffer)
    wire.filter = (frame, from) => {
      if (from !== clientDevice || frame[33] !== 7 || frame[23] !== 17) return true
      const quoted = frame.slice(14, 42)
      const wrong: { remotePort?: number; localPort?: number; peer?: number; protocol?: number } = forged
      if (wrong.remotePort !== undefined) quoted[23] = wrong.remotePort
      if (wrong.localPort !== undefined) quoted[21] ^= wrong.localPort
      if (wrong.peer !== undefined) quoted[19] = wrong.peer
      if (wrong.protocol !== undefined) quoted[9] = wrong.protocol
      wire.transmit(unreachable(frame, code, quoted), serverDevice)
      return false
    }
    const start = world.now
    const { icmpIgnored } = client.counters
    t.deepEqual(await run(client.resolve('www.example.org')), ['10.0.0.2'])
    t.is(world.now - start < 500, isBelieved, JSON.stringify([code, forged]))
    t.is(client.counters.icmpIgnored - icmpIgnored > 0, !isBelieved)
  }
})

/** A router's answer to a frame: destination unreachable. */
function unreachable(frame: Uint8Array, code: number, quoted: Uint8Array): Uint8Array {
  const icmp = Uint8Array.of(3, code, 0, 0, 0, 0, 0, 0, ...quoted)
  icmp.set(sum(icmp), 2)
  const ip = Uint8Array.of(0x45, 0, 0, 20 + icmp.length, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, ...frame.subarray(26, 30))
  ip.set(sum(ip), 10)
  return Uint8Array.of(...frame.subarray(6, 12), ...frame.subarray(0, 6), 8, 0, ...ip, ...icmp)
}

function sum(bytes: Uint8Array): [number, number] {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return [(~sum >>> 8) & 255, ~sum & 255]
}

test('on another wire, names are asked for again', async t => {
  const { client, clientDevice, run, asked } = setUp()
  await run(client.resolve('www.example.org'))
  clientDevice.onConnected?.()
  await run(client.resolve('www.example.org'))
  t.is(asked.length, 2)
})

test('a closed stack resolves nothing, and tells those who wait', async t => {
  const { client, server, world } = setUp(() => [])
  const resolved = client.resolve('www.example.org')
  await world.run(10)
  server.close()
  client.close()
  await t.throwsAsync(resolved, { code: 'ECANCELLED' })
  await t.throwsAsync(client.resolve('www.example.org'), { code: 'ECANCELLED' })
  t.is(world.pending, 0)
})
