/** vchan, interrupted at every access: see sim/interleave.ts. A failure names its seed. */

import { ChannelClosedError } from '@xen-ts/drivers/channel'
import { assertNone, forSeeds } from '@xen-ts/drivers/interleave'
import { findDoubleFetches, generator, interleave, watchMemory } from '@xen-ts/drivers/sim'
import test from 'ava'
import { Byte } from '../layout.ts'
import { end, equal, open, pattern, setUp } from '../testing.ts'
import '@xen-ts/drivers/sim/leak-check'

watchMemory()

const LIVE_BYTES = [{ offset: Byte.clientLive, length: 2, why: 'each look at a live byte decides by itself; no value of it is kept' }]
const SIZES = [
  [1024, 2048],
  [2048, 1024],
  [4096, 4096],
  [2048, 4096],
  [128, 8192],
]

type Channel = Awaited<ReturnType<typeof open>>[0]
type Random = (limit: number) => number

const sendAll = async (channel: Channel, bytes: Uint8Array, random: Random): Promise<void> => {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + 1 + random(2500))
    await channel.write(piece)
    at += piece.length
  }
}

/** As much as comes of `length` bytes. */
const receive = async (channel: Channel, length: number, random: Random): Promise<Uint8Array> => {
  const all = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const bytes = await channel.read(Math.min(length - at, 1 + random(3000)))
    if (bytes === undefined) break
    all.set(bytes, at)
    at += bytes.length
  }
  return all.subarray(0, at)
}

test('streams arrive whole, however the two ends interrupt each other, and nothing is read twice', async t => {
  const { interruptions } = await forSeeds(t, 300, async seed => {
    const random = generator(seed)
    const set = setUp({ seed, stepLimit: 20_000 })
    const { counts } = interleave(set.xen, { seed, every: 1 + random(6) })
    const found = [set.server, set.client].map(({ domain }) => findDoubleFetches(set.xen, domain, LIVE_BYTES, true))
    const [readSize, writeSize] = SIZES[random(SIZES.length)]
    const [a, b] = await open(set, readSize, writeSize)
    const up = pattern(random(9000), seed)
    const down = pattern(random(9000), seed + 1)
    const [, , atServer, atClient] = await set.xen.run(
      Promise.all([sendAll(b, up, random), sendAll(a, down, random), receive(a, up.length, random), receive(b, down.length, random)]),
    )
    if (!equal(atServer, up) || !equal(atClient, down)) throw new Error('other bytes arrived than were sent')
    await end(set.xen, a, b)
    assertNone(found.flat())
    return counts
  })
  t.true(interruptions > 3000)
})

test('what was sent before a close arrives, in whatever moment the close comes', async t => {
  await forSeeds(t, 200, async seed => {
    const random = generator(seed)
    const set = setUp({ seed, stepLimit: 20_000 })
    const { counts } = interleave(set.xen, { seed, every: 1 + random(4) })
    const [a, b] = await open(set, 2048, 4096)
    const [closer, other] = random(2) === 0 ? [a, b] : [b, a]
    const bytes = pattern(random(1500), seed)
    const closing = closer.write(bytes).then(() => closer.close())
    const received = await set.xen.run(receive(other, 5000, random))
    await set.xen.run(closing)
    if (!equal(received, bytes)) throw new Error(`${received.length} of ${bytes.length} bytes arrived`)
    await end(set.xen, a, b)
    return counts
  })
  t.pass()
})

test('whoever gives up in whatever moment of connecting, the other end is told, nothing remains, and the next pair connects', async t => {
  const { pairs, nobody } = await forSeeds(t, 150, async seed => {
    const random = generator(seed)
    const set = setUp({ seed, stepLimit: 20_000 })
    const { xen, server, client } = set
    interleave(xen, { seed, every: 1 + random(6) })
    const ended = [0, 0, 0]
    for (let round = 0; round < 3; round++) {
      const aborts = [new AbortController(), new AbortController()]
      const work = Promise.allSettled([
        server.channels.serve(2, 512, { readSize: 2048, writeSize: 4096, signal: aborts[0].signal }),
        client.channels.connect(1, 512, { signal: aborts[1].signal }),
      ])
      for (let steps = random(18); steps > 0; steps--) {
        await new Promise<void>(resolve => {
          setImmediate(resolve)
        })
        xen.step(xen.now)
      }
      aborts[random(2)].abort(new Error('enough'))
      await xen.advance(15_000)
      for (const abort of aborts) abort.abort(new Error('enough'))
      const channels = (await xen.run(work)).flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      ended[channels.length]++
      if (channels.length === 1 && (await xen.run(channels[0].read())) !== undefined) throw new Error('there is somebody')
      for (const channel of channels) channel.close()
    }
    const [a, b] = await open(set)
    await xen.run(Promise.all([a.write(pattern(10)), b.readExactly(10)]))
    await end(xen, a, b)
    return { nobody: ended[0], alone: ended[1], pairs: ended[2] }
  })
  t.true(pairs > 30 && nobody > 30)
})

for (const victim of ['server', 'client'] as const) {
  test(`a peer that changes what the ${victim} is about to read does no more than end the channel`, async t => {
    const { mutations, closed } = await forSeeds(t, 200, async seed => {
      const random = generator(seed)
      const set = setUp({ seed, stepLimit: 20_000 })
      const [a, b] = await open(set, ...(SIZES[random(SIZES.length)] as [number, number]))
      const { counts } = interleave(set.xen, { seed, victim: set[victim].domain, mutateEvery: 5 + random(60) })
      const [own, other] = victim === 'server' ? [a, b] : [b, a]
      // The other end may wait for ever for what was spoilt; ours may be told of the end, in time.
      const work = Promise.allSettled([
        sendAll(own, pattern(6000), random),
        receive(own, 6000, random),
        sendAll(other, pattern(6000), random),
        receive(other, 6000, random),
      ])
      await set.xen.advance(30_000)
      own.close()
      other.close()
      for (const result of await set.xen.run(work))
        if (result.status === 'rejected' && !(result.reason instanceof ChannelClosedError)) throw result.reason
      const warnings = set[victim].domain.log.filter(({ level }) => level === 'warn').length
      if (warnings > 1) throw new Error(`${warnings} warnings`)
      await end(set.xen)
      return { ...counts, closed: warnings }
    })
    t.true(mutations > 150)
    t.true(closed > 30)
  })
}
