/** vchan, interrupted at every access: see sim/interleave.ts. A failure names its seed. */
import test from 'ava'
import { findDoubleFetches, generator, interleave, watchMemory } from '../sim/index.ts'
import { Byte } from '../vchan/layout.ts'
import { end, equal, open, pattern, setUp } from '../vchan/testing.ts'

watchMemory()

const SEEDS = 300

const LIVE_BYTES = [{ offset: Byte.clientLive, length: 2, why: 'each look at a live byte decides by itself; no value of it is kept' }]

/** Streams of odd pieces both ways, with the two ends interrupting each other. */
const transfer = async (seed: number) => {
  const random = generator(seed)
  const set = setUp({ seed, stepLimit: 20_000 })
  const { counts } = interleave(set.xen, { seed, every: 1 + random(6) })
  const found = [findDoubleFetches(set.xen, set.server.domain, LIVE_BYTES), findDoubleFetches(set.xen, set.client.domain, LIVE_BYTES)]
  const [readSize, writeSize] = [[1024, 2048], [2048, 1024], [4096, 4096], [2048, 4096]][random(4)]
  const [a, b] = await open(set, readSize, writeSize)
  const up = pattern(random(9000), seed)
  const down = pattern(random(9000), seed + 1)
  const sendAll = async (channel: typeof a, bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + 1 + random(2500))
      await channel.write(piece)
      at += piece.length
    }
  }
  const receive = async (channel: typeof a, length: number): Promise<Uint8Array> => {
    const all = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const bytes = await channel.read(Math.min(length - at, 1 + random(3000)))
      if (bytes === undefined) throw new Error('it ended early')
      all.set(bytes, at)
      at += bytes.length
    }
    return all
  }
  const [, , atServer, atClient] = await set.xen.run(Promise.all([sendAll(b, up), sendAll(a, down), receive(a, up.length), receive(b, down.length)]))
  if (!equal(atServer, up) || !equal(atClient, down)) throw new Error('other bytes arrived than were sent')
  await end(set.xen, a, b)
  const [first] = found.flat()
  if (first !== undefined) throw new Error(`double fetch of domain ${first.domain} at offset ${first.offset} by ${first.operation}\n${first.stack}`)
  return counts
}

test(`streams arrive whole under ${SEEDS} interleavings, and nothing is read twice`, async (t) => {
  let accesses = 0
  let interruptions = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const counts = await transfer(seed)
      accesses += counts.accesses
      interruptions += counts.interruptions
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
  t.log(`${accesses} accesses, ${interruptions} interruptions`)
  t.true(interruptions > SEEDS * 10)
})
