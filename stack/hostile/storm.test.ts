/** All that a program may do at a time, and all that may happen to it: see storm.ts. */
import { firstSeed, inputs, repeat } from '@xen-ts/boot/fuzz'
import test from 'ava'
import { storm } from './storm.ts'

/** What is begun in one world. */
const EACH = 100

test('server, client, sockets and names, to itself and to another host: each comes to its end, and nothing is left', async t => {
  const again = repeat(new Error().stack)
  const begin = firstSeed({ seed: 1 })
  const end = begin + Math.ceil(inputs({ few: 6 * EACH }) / EACH)
  for (let seed = begin; seed < end; seed++) {
    try {
      t.truthy(Object.keys(await storm(seed, EACH)).length)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${again(seed)}`, { cause: error })
    }
  }
})
