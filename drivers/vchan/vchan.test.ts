import { runs } from '@xen-ts/boot/fuzz'
import { Access } from '@xen-ts/drivers/sim'
import test from 'ava'
import fc from 'fast-check'
import { ChannelClosedError } from './index.ts'
import { end, equal, open, pattern, setUp, streamBothWays } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

const sizes: [number, number][] = [
  [1024, 2048],
  [2048, 1024],
  [2048, 4096],
  [8192, 128],
  [4096, 4096],
  [65536, 65536],
]
for (const [readSize, writeSize] of sizes) {
  test(`streams both ways at once through rings of ${readSize} and ${writeSize} bytes`, t => streamBothWays(t, readSize, writeSize))
}

test('writes are kept in order and reads too, however they are cut', async t => {
  const set = setUp({ seed: 42 })
  const [a, b] = await open(set)
  const pieces = [1, 5000, 3, 0, 4096, 4097, 12, 20000].map((length, i) => pattern(length, i))
  const all = Uint8Array.from(pieces.flatMap(piece => [...piece]))
  const writing = Promise.all(pieces.map(piece => b.write(piece)))
  const received: number[] = []
  await set.xen.run(async () => {
    while (received.length < all.length) received.push(...((await a.read(1 + (received.length % 999))) ?? []))
  })
  await set.xen.run(writing)
  t.true(equal(Uint8Array.from(received), all))
  await end(set.xen, a, b)
})

test('the keys are readable for the client only, and gone once it is connected', async t => {
  const set = setUp()
  const { xen, server, client } = set
  const serving = server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096 })
  await xen.settle()
  const directory = '/local/domain/1/data/vchan/2/512'
  t.regex(xen.store.read(`${directory}/ring-ref`) as string, /^\d+$/)
  for (const key of ['ring-ref', 'event-channel']) {
    t.deepEqual(xen.store.permissions(`${directory}/${key}`), [
      { domid: 1, access: Access.none },
      { domid: 2, access: Access.read },
    ])
  }
  const connecting = client.channels.connect(1, 512)
  const a = await xen.run(serving)
  t.is(xen.store.read('/local/domain/1/data/vchan/2'), undefined)
  const b = await xen.run(connecting)
  t.not(xen.store.read('/local/domain/1/data/vchan'), undefined)
  await end(xen, a, b)
})

test('a client has unmapped everything by the time its server hears of the end, and the rings before it can see it', async t => {
  const set = setUp()
  const [a, b] = await open(set, 65536, 65536)
  const { abi } = set.client.machine
  const { evtchnSend, grantUnmap } = abi
  const mapped = (): number => set.client.domain.mappings.size
  t.is(mapped(), 33)
  const seen: string[] = []
  abi.grantUnmap = (...args) => {
    const before = mapped()
    const result = grantUnmap(...args)
    seen.push(`${before} to ${mapped()}`)
    return result
  }
  abi.evtchnSend = port => {
    if (seen.length > 0) seen.push(`kick at ${mapped()}`) // the first is for xenstore: nobody watches for dead peers any more
    return evtchnSend(port)
  }
  b.close()
  t.deepEqual(seen, ['33 to 17', '17 to 1', '1 to 0', 'kick at 0'])
  Object.assign(abi, { evtchnSend, grantUnmap })
  await end(set.xen, a, b)
})

test('a client waits for a server that comes later, and a second client for a second server', async t => {
  const { xen, server, client } = setUp()
  const first = client.channels.connect(1, 512)
  const second = client.channels.connect(1, 512)
  await xen.advance(30_000)
  const sizes = { readSize: 4096, writeSize: 4096 }
  const one = await xen.run(server.channels.serve(2, 512, sizes))
  const two = await xen.run(server.channels.serve(2, 512, sizes))
  await Promise.all([one.write(Uint8Array.of(1)), two.write(Uint8Array.of(2))])
  const [a, b] = await xen.run(Promise.all([first, second]))
  const got = await xen.run(Promise.all([a.read(), b.read()]))
  t.deepEqual(got.map(bytes => bytes?.[0]).sort(), [1, 2])
  await end(xen, one, two, a, b)
})

test('who gives up serving hears of it when the keys are gone: the port may be given to another call then', async t => {
  const { xen, server } = setUp()
  const controller = new AbortController()
  const serving = server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096, signal: controller.signal })
  await xen.settle()
  t.regex(xen.store.read('/local/domain/1/data/vchan/2/512/ring-ref') as string, /^\d+$/)
  const keys = serving.then(
    () => 'served',
    () => xen.store.read('/local/domain/1/data/vchan/2/512/ring-ref'),
  )
  controller.abort(new Error('enough'))
  t.is(await xen.run(keys), undefined)
  await end(xen)
})

test('serving again at once on the same port never loses the new keys to the clean-up of the old', async t => {
  const { xen, server, client } = setUp({ seed: 11 })
  const sizes = { readSize: 4096, writeSize: 4096 }
  for (let round = 0; round < 20; round++) {
    xen.store.store.collisions = round % 3
    const [a, b] = await xen.run(Promise.all([server.channels.serve(2, 512, sizes), client.channels.connect(1, 512)]))
    a.close() // and serve again in the same turn
    b.close()
  }
  await end(xen)
  t.pass()
})

for (const closer of ['server', 'client'] as const) {
  test(`when the ${closer} closes, the other end reads what was sent before, then the end; writing fails`, async t => {
    const set = setUp()
    const [a, b] = await open(set)
    const [closing, other] = closer === 'server' ? [a, b] : [b, a]
    await set.xen.run(closing.write(pattern(100)))
    closing.close()
    closing.close()
    await set.xen.run(other.closed)
    t.is((await set.xen.run(other.read(60)))?.length, 60)
    const cut = await t.throwsAsync(set.xen.run(other.readExactly(50)), { instanceOf: ChannelClosedError })
    t.regex(cut.message, /ended after 40 of 50 bytes/)
    t.is(await set.xen.run(other.read()), undefined)
    t.is(await set.xen.run(other.readExactly(4)), undefined)
    await t.throwsAsync(set.xen.run(other.write(Uint8Array.of(1))), {
      instanceOf: ChannelClosedError,
      message: /The peer has closed it or died/,
    })
    await t.throwsAsync(closing.write(Uint8Array.of(1)), { instanceOf: ChannelClosedError, message: /closed here/ })
    t.is(await closing.read(), undefined)
    await end(set.xen, other)
  })
}

test('readers and writers that wait when the channel closes are all told', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const waiting = [b.read(), b.readExactly(10), b.write(pattern(10_000)), b.write(Uint8Array.of(1))]
  await set.xen.settle()
  a.close()
  const results = await set.xen.run(Promise.allSettled(waiting))
  t.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  await end(set.xen, b)
})

for (const tells of [true, false]) {
  test(`a peer whose domain is destroyed is noticed ${tells ? 'at once' : 'within ten seconds when dom0 does not tell'}`, async t => {
    for (const victim of [1, 2]) {
      const set = setUp()
      set.xen.store.tellsReleases = tells
      const [a, b] = await open(set)
      const [dying, other] = victim === 1 ? [a, b] : [b, a]
      await set.xen.run(dying.write(Uint8Array.of(9)))
      set.xen.domain(victim)?.destroy()
      const start = set.xen.now
      t.deepEqual(await set.xen.run(other.readExactly(1)), Uint8Array.of(9))
      t.is(await set.xen.run(other.read()), undefined)
      t.true(set.xen.now - start <= (tells ? 0 : 10_000))
      await set.xen.run(other.closed)
      await end(set.xen, other)
    }
  })
}

test('waiting ends when the peer domain dies, and when the signal aborts, and nothing remains', async t => {
  const { xen, server, client } = setUp()
  const sizes = { readSize: 4096, writeSize: 4096 }
  const controller = new AbortController()
  const attempts = [
    server.channels.serve(2, 1, { ...sizes, signal: controller.signal }),
    client.channels.connect(1, 2, { signal: controller.signal }),
  ]
  await xen.settle()
  controller.abort(new Error('no more'))
  for (const result of await xen.run(Promise.allSettled(attempts))) t.like(result, { status: 'rejected', reason: { message: 'no more' } })
  await xen.settle()
  xen.assertNoLeaks()
  await t.throwsAsync(xen.run(server.channels.serve(2, 1, { ...sizes, signal: controller.signal })), { message: 'no more' })

  const serving = server.channels.serve(2, 3, sizes)
  await xen.settle()
  xen.domain(2)?.destroy()
  await t.throwsAsync(xen.run(serving), { instanceOf: ChannelClosedError, message: /domain 2 has gone/ })
  await t.throwsAsync(xen.run(server.channels.connect(2, 3)), { instanceOf: ChannelClosedError, message: /domain 2 does not exist/ })
  await t.throwsAsync(xen.run(server.channels.connect(1, 3)), { message: /cannot connect to itself/ })
  await xen.settle()
  t.is(xen.store.read('/local/domain/1/data/vchan/2'), undefined)
  xen.assertNoLeaks()
})

test('a peer that is busy is not kicked: events stay few while data flows', async t => {
  const set = setUp()
  const [a, b] = await open(set, 65536, 65536)
  let events = 0
  set.client.domain.hook = operation => {
    if (operation === 'evtchnSend') events++
  }
  const reading = a.readExactly(60_000)
  await set.xen.run(async () => {
    for (let i = 0; i < 600; i++) await b.write(pattern(100))
  })
  await set.xen.run(reading)
  t.true(events < 5, `${events} events`)
  await end(set.xen, a, b)
})

test('bytes that arrive between the last look and the request for a kick are not overlooked', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  await set.xen.run(b.write(Uint8Array.of(1))) // uses up the kick a server asks for at first
  await set.xen.settle()
  await set.xen.run(a.readExactly(1)) // it is there, so no new one is asked for
  set.server.domain.hook = operation => {
    if (operation !== 'or8') return
    set.server.domain.hook = undefined
    void b.write(Uint8Array.of(7)) // nobody asked for a kick yet, so none comes
  }
  t.deepEqual(await set.xen.run(a.read()), Uint8Array.of(7))
  await end(set.xen, a, b)
})

test('room that appears between the last look and the request for a kick is not overlooked', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  let reading: Promise<unknown> | undefined
  set.client.domain.hook = operation => {
    if (operation !== 'or8') return
    set.client.domain.hook = undefined
    reading = a.readExactly(4096)
  }
  await set.xen.run(b.write(pattern(4097)))
  t.not(reading, undefined)
  await end(set.xen, a, b)
})

test('property: in whatever order events come, streams arrive whole and the end is seen', async t => {
  await fc.assert(
    fc.asyncProperty(fc.nat(0x7fffffff), fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 }), async (seed, lengths) => {
      const set = setUp({ seed })
      const [a, b] = await open(set, 1024, 2048)
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const echo = async (): Promise<void> => {
        for (let bytes = await a.read(); bytes !== undefined; bytes = await a.read()) await a.write(bytes)
        a.close()
      }
      const talk = async (): Promise<number> => {
        const writing = (async () => {
          for (const length of lengths) await b.write(pattern(length))
        })()
        const back = await b.readExactly(total)
        await writing
        b.close()
        return back?.length ?? -1
      }
      const [, received] = await set.xen.run(Promise.all([echo(), talk()]))
      await end(set.xen)
      return received === total
    }),
    runs({ few: 40, cost: 100 }),
  )
  t.pass()
})

test('after an abort no server comes up any more, whatever its client has done by then', async t => {
  let late = 0
  for (let steps = 0; steps < 60; steps++) {
    const set = setUp()
    const controller = new AbortController()
    let ended = false
    const serving = set.server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096, signal: controller.signal })
    const ends = serving.then(
      channel => {
        ended = true
        return channel
      },
      () => {
        ended = true
      },
    )
    const connecting = set.client.channels.connect(1, 512).catch(() => undefined)
    for (let i = 0; i < steps; i++) {
      await new Promise<void>(resolve => {
        setTimeout(resolve, 0)
      })
      set.xen.step(set.xen.now)
    }
    const before = ended
    controller.abort(new Error('enough'))
    await set.xen.advance(100)
    if (!before) {
      late++
      await t.throwsAsync(set.xen.run(serving), { message: 'enough' }, `after ${steps} steps`)
    }
    ;(await ends)?.close()
    await set.xen.advance(20_000) // a client that waits looks whether the server lives
    set.server.domain.destroy()
    await set.xen.advance(20_000)
    ;(await set.xen.run(connecting))?.close()
    await set.xen.advance(3000)
    set.xen.assertNoLeaks()
  }
  t.true(late > 10 && late < 60, `${late}`)
})

test('the service closes what is open, in both roles: the peers, which nobody tells that the domain ends, see it at once', async t => {
  const set = setUp()
  const [server, client] = await open(set)
  const [second, other] = await set.xen.run(
    Promise.all([set.client.channels.serve(1, 7, { readSize: 4096, writeSize: 4096 }), set.server.channels.connect(2, 7)]),
  )
  const seen: string[] = []
  for (const [name, channel] of Object.entries({ client, second })) void channel.closed.then(() => seen.push(name))
  await set.xen.run(server.write(pattern(100)))
  set.server.channels.close()
  set.server.channels.close()
  await set.xen.settle()
  t.deepEqual(seen.sort(), ['client', 'second'])
  t.is((await set.xen.run(client.readExactly(100)))?.length, 100)
  t.is(await set.xen.run(client.read()), undefined)
  await end(set.xen, server, client, second, other)
})
