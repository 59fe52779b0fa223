/** UDP sockets of programs where the cases of all stacks (testing/socket-cases.ts) do not reach: ICMP, frames, changes of the network. */
import type { UdpSocket } from '@xen-ts/runtime'
import test from 'ava'
import { pair } from '../testing/pair.ts'
import { type Raw, raw } from '../testing/raw.ts'
import { DatagramSocket } from './datagram-socket.ts'

/** What became of a promise so far. */
function outcome(promise: Promise<unknown>): { text: string } {
  const result = { text: 'pending' }
  promise.then(
    value => {
      result.text = String(value)
    },
    error => {
      result.text = `${error.code}: ${error.message}`
    },
  )
  return result
}

/** A socket that is connected to port 7 of the raw peer, and has sent it a datagram. */
async function connected(): Promise<Raw & { socket: UdpSocket; icmp(code: number, change?: (quoted: number[]) => void): void }> {
  const set = raw()
  const { world, peer, stack } = set
  const socket = await stack.udp.connect({ host: '10.0.0.1', port: 7 })
  await Promise.all([socket.send(new Uint8Array(1)), world.run(10)])
  const sent = peer.frames.find(frame => frame[12] === 8 && frame[13] === 0)!
  return {
    ...set,
    socket,
    icmp(code, change = () => {}) {
      const quoted = [...sent.subarray(14, 42)]
      change(quoted)
      peer.icmp(3, code, [0, 0, 5, 0, ...quoted])
    },
  }
}

test('what ICMP says becomes an error of the socket, by its kind, once', async t => {
  for (const [code, text] of [
    [0, /^EHOSTUNREACH: 10\.0\.0\.1:7 cannot be reached, says the network \(ICMP code 0\)$/],
    [1, /^EHOSTUNREACH/],
    [13, /^EHOSTUNREACH/],
    [2, /^ECONNREFUSED/],
    [3, /^ECONNREFUSED: datagrams to 10\.0\.0\.1:7 are refused/],
  ] as const) {
    const { world, socket, icmp } = await connected()
    const first = outcome(socket.receive())
    icmp(code)
    await world.run(5)
    t.regex(first.text, text)
    const second = outcome(socket.receive())
    await world.run(5)
    t.is(second.text, 'pending')
  }
})

test('a datagram that was too large for a link on the way is no error: the next ones go in fragments', async t => {
  const { world, socket, peer, stack } = await connected()
  const reading = outcome(socket.receive())
  const large = async (): Promise<void> => void (await Promise.all([socket.send(new Uint8Array(1400)), world.run(5)]))
  await large()
  peer.icmp(3, 4, [0, 0, 5, 0, ...peer.frames.at(-1)!.subarray(14, 42)]) // 1280 bytes fit
  await world.run(5)
  await large()
  t.is(reading.text, 'pending')
  t.is(stack.counters.fragmented, 1)
  t.deepEqual(
    peer.frames.slice(-2).map(frame => frame.length <= 14 + 1280),
    [true, true],
  )
})

test('ICMP about what the socket did not send is ignored, and counted', async t => {
  const { world, socket, icmp, stack } = await connected()
  const reading = outcome(socket.receive())
  const forgeries: ((quoted: number[]) => void)[] = [
    quoted => {
      quoted[23] = 8 // the peer's port
    },
    quoted => {
      quoted[21] ^= 1 // ours
    },
    quoted => {
      quoted[19] = 9 // the peer's address
    },
    quoted => {
      quoted[15] = 9 // ours
    },
  ]
  for (const change of forgeries) icmp(3, change)
  await world.run(5)
  t.is(reading.text, 'pending')
  t.is(stack.counters.icmpIgnored, forgeries.length)
  stack.udp.bind({ port: 99 })
  icmp(3, quoted => quoted.splice(20, 2, 0, 99)) // a socket that is not connected has asked nobody in particular
  await world.run(5)
  t.is(stack.counters.icmpIgnored, forgeries.length + 1)
})

test('who sends more than there are frames for waits, and all of it arrives', async t => {
  const { world, client, server, clientDevice } = pair(1, {}, {}, { frames: 8 })
  const receiver = server.udp.bind()
  const sender = client.udp.bind()
  const to = { address: '10.0.0.2', port: receiver.port }
  void sender.send(new Uint8Array(1), to)
  await world.run(10)
  let sent = 0
  const sending = Promise.all(Array.from({ length: 50 }, () => sender.send(new Uint8Array(500), to).then(() => sent++)))
  await Promise.resolve()
  t.true(sent < 50)
  await world.run(100)
  await sending
  let received = 0
  for await (const batch of receiver.batches()) if ((received += batch.length) === 51) break
  t.is(clientDevice.reserved, 0)
})

test('a datagram that no frame becomes free for is lost after a second', async t => {
  const { world, stack, device } = raw()
  const socket = stack.udp.bind()
  const held = Array.from({ length: 256 }, () => device.reserve()!)
  const sending = outcome(socket.send(new Uint8Array(1), { address: '10.0.0.1', port: 7 }))
  await world.run(900)
  t.is(sending.text, 'pending')
  await world.run(200)
  t.is(sending.text, 'undefined')
  for (const frame of held) device.discard(frame)
})

test('no network, no way, another network: sockets go on', async t => {
  const { world, client, server } = pair(1)
  const receiver = server.udp.bind()
  const socket = await client.udp.connect({ host: '10.0.0.2', port: receiver.port })
  await socket.send(Uint8Array.of(1))
  client.configure(undefined)
  await t.throwsAsync(socket.send(Uint8Array.of(2)), {
    code: 'EHOSTUNREACH',
    message: /cannot send to 10\.0\.0\.2: this stack has no address, there is no network/,
  })
  await t.throwsAsync(client.udp.connect({ host: '10.0.0.2', port: 7 }), { code: 'EHOSTUNREACH' })
  client.configure({ address: '10.0.0.9', prefix: 24 })
  await socket.send(Uint8Array.of(3))
  await t.throwsAsync(client.udp.bind().send(Uint8Array.of(4), { address: '10.9.9.9', port: 7 }), {
    code: 'EHOSTUNREACH',
    message: /10\.9\.9\.9: no gateway/,
  })
  await t.throwsAsync(client.udp.bind().send(Uint8Array.of(4), { address: 'fd00::1', port: 7 }), {
    code: 'EHOSTUNREACH',
    message: /fd00::1/,
  })
  await world.run(10)
  const { address, data } = (await receiver.receive())!
  t.deepEqual([address, ...data], ['10.0.0.9', 3])
  t.deepEqual(client.addresses, [{ address: '10.0.0.9', prefix: 24, family: 4 }])
})

test('the end of the stack is the end of its sockets', async t => {
  const { world, stack } = raw()
  const reading = outcome(stack.udp.bind().receive())
  stack.close()
  await world.run(1)
  t.is(reading.text, 'undefined')
})

test('empty datagrams do not fill memory without end', async t => {
  const { world, peer, stack } = raw()
  const socket = stack.udp.bind({ port: 7 })
  for (let i = 0; i < 5_000; i++) {
    peer.udp(9, 7, new Uint8Array(0))
    if (i % 100 === 0) await world.run(1)
  }
  await world.run(10)
  t.is(socket.dropped, 5_000 - 2_048)
})

test('an onError that throws is the error of its program, not of who hands in frames', t => {
  const jobs: (() => void)[] = []
  const driver = { port: 1, remote: { address: '10.0.0.1', port: 7 }, send() {}, close() {} }
  const onError = (): void => {
    throw new Error('of the program')
  }
  const socket = new DatagramSocket(driver, { onError, counters: { udpQueueFull: 0 }, later: run => jobs.push(run) })
  t.notThrows(() => socket.failed(new Error('refused')))
  t.throws(jobs[0], { message: 'of the program' })
})

for (const [own, other, config, next] of [
  ['10.0.0.2', '10.0.0.3', { address: '10.0.0.2', prefix: 24 }, { address: '10.0.0.3', prefix: 24 }],
  ['fd00::2', 'fd00::3', { ipv6: { address: 'fd00::2', prefix: 64 } }, { ipv6: { address: 'fd00::3', prefix: 64 } }],
] as const) {
  test(`what went to ourselves goes to ${own} when that is another host's`, async t => {
    const { world, client, server } = pair(1)
    client.configure(config)
    const receiver = client.udp.bind({ port: 7 })
    const socket = await client.udp.connect({ host: own, port: 7 })
    await socket.send(Uint8Array.of(1))
    await world.run(10)
    t.is((await receiver.receive())!.address, own)
    client.configure(next)
    server.configure(config)
    await world.run(2_000)
    const elsewhere = server.udp.bind({ port: 7 })
    await socket.send(Uint8Array.of(2))
    const got = elsewhere.receive()
    await world.run(10)
    elsewhere.close()
    t.deepEqual(await got, { data: Uint8Array.of(2), address: other, port: socket.port })
  })
}

test('datagrams that were lost for want of frames leave nothing: neither at the next one, nor at the end', async t => {
  const { world, stack, device } = raw()
  const socket = stack.udp.bind()
  const to = { address: '10.0.0.1', port: 7 }
  const held = Array.from({ length: 256 }, () => device.reserve()!)
  for (let i = 0; i < 256; i++) void socket.send(new Uint8Array(1), to)
  await world.run(2_000)
  const sending = outcome(socket.send(new Uint8Array(1), to))
  await world.run(10)
  t.is(sending.text, 'pending')
  stack.close()
  await world.run(0)
  t.is(sending.text, 'undefined')
  t.is(world.pending, 0)
  for (const frame of held) device.discard(frame)
})

test('a datagram from port 0, which nobody can answer, does not get to a program that answers all', async t => {
  const { world, peer, stack } = raw()
  const socket = stack.udp.bind({ port: 7 })
  const echoing = outcome(
    (async () => {
      for await (const { data, address, port } of socket) await socket.send(data, { address, port })
    })(),
  )
  peer.arp(1)
  peer.udp(0, 7, new Uint8Array([1]))
  await world.run(10)
  peer.udp(1000, 7, new Uint8Array([2]))
  await world.run(10)
  t.is(echoing.text, 'pending')
  t.is(peer.frames.at(-1)!.at(-1), 2)
  t.is(stack.counters.udpNoSource, 1)
})

test('a datagram of more fragments than there are frames does not spin for them', async t => {
  const { world, client, server, clientDevice } = pair(1, {}, {}, { frames: 32 })
  server.udp.bind({ port: 7 })
  const socket = await client.udp.connect({ host: '10.0.0.2', port: 7 })
  await socket.send(new Uint8Array(1))
  await world.run(10)
  const { reserve } = clientDevice
  let tries = 0
  clientDevice.reserve = (length?: number) => {
    if (++tries === 100_000) throw new Error('it spins')
    return reserve.call(clientDevice, length)
  }
  const sending = [outcome(socket.send(new Uint8Array(60_000))), outcome(socket.send(new Uint8Array(60_000)))]
  const after = outcome(socket.send(new Uint8Array(100)))
  await world.run(5_000)
  t.deepEqual(
    [...sending, after].map(({ text }) => text),
    ['undefined', 'undefined', 'undefined'],
  )
  t.is(clientDevice.reserved, 0)
})

test('large datagrams wait for frames on the way to ourselves', async t => {
  const { world, stack } = raw()
  const receiver = stack.udp.bind({ port: 7, queueBytes: 10_000_000 })
  const sender = await stack.udp.connect({ host: '127.0.0.1', port: 7 })
  const { reserve } = stack.link.loopback
  let tries = 0
  stack.link.loopback.reserve = (length?: number) => {
    if (++tries === 100_000) throw new Error('it spins')
    return reserve.call(stack.link.loopback, length)
  }
  const sending = Promise.all(Array.from({ length: 20 }, () => sender.send(new Uint8Array(60_000))))
  await world.run(2_000)
  await sending
  let count = 0
  for (let next = receiver.receive(); ; next = receiver.receive()) {
    const one = outcome(next)
    await world.run(1)
    if (one.text === 'pending') break
    count++
  }
  t.is(count, 20)
})
