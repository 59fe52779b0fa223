/** Frames of any kind into a whole stack that is at work: see siege.ts. For a while: npm run fuzz -- frames 60. */
import { firstSeed, inputs, repeat } from '@xen-ts/boot/fuzz'
import test from 'ava'
import { record } from './corpus.ts'
import { siege } from './siege.ts'

/** Frames of one world. */
const EACH = 500

const families = [4, 6] as const
for (const family of families)
  test(`IPv${family}: whatever frames come: nobody throws, each is counted, the client is served, limits hold, and nothing is left`, async t => {
    const again = repeat(new Error().stack)
    const corpus = await record(family)
    const begin = firstSeed({ seed: 1 })
    const end = begin + Math.ceil(inputs({ few: 4 * EACH }) / EACH)
    for (let seed = begin; seed < end; seed++) {
      try {
        const { served, counters } = await siege(family, corpus, seed, EACH)
        t.true(served > 0)
        t.true(counters.framesIn > EACH)
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${again(seed)}`, { cause: error })
      }
    }
  })

for (const family of families)
  test(`IPv${family}: what the kernel reads of a packet comes to the same as what the stack reads itself`, async t => {
    const corpus = await record(family)
    let taken = 0
    const counting = await siege(family, corpus, 1, EACH / 2, ({ abi, ...machine }) => ({
      ...machine,
      abi: {
        ...abi,
        packetIn(...args) {
          const protocol = abi.packetIn(...args)
          if (protocol !== 0) taken++
          return protocol
        },
      },
    }))
    const { served, counters } = await siege(family, corpus, 1, EACH / 2, ({ abi, ...machine }) => ({
      ...machine,
      abi: { ...abi, packetIn: () => 0 },
    }))
    t.deepEqual([counting.served, { ...counting.counters }], [served, { ...counters }])
    t.true(taken > 10, `${taken} packets were taken`)
  })
