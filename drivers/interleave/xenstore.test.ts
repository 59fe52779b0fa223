/** xenstore, interrupted at every access: see sim/interleave.ts. A failure names its seed. */
import test from 'ava'
import { findDoubleFetches, generator, interleave, SimulatedXen, watchMemory } from '../sim/index.ts'
import { XenstoreError } from '../xenstore/error.ts'
import { Xenstore } from '../xenstore/xenstore.ts'
import { assertNone, forSeeds } from './testing.ts'
import '../sim/leak-check.ts'

watchMemory()

const INDICES = [
  { offset: 2048, length: 4, why: 'req_cons: each request that finds the ring full looks by itself, and checks what it finds' },
]

const start = (seed: number) => {
  const random = generator(seed)
  const xen = new SimulatedXen({ seed, stepLimit: 20_000 })
  const domain = xen.createDomain(1)
  return { random, xen, domain, xenstore: new Xenstore(domain.machine) }
}

test('many requests, watches and transactions at once get each its own answer, however the daemon comes in between, and nothing is read twice', async t => {
  const { interruptions } = await forSeeds(t, 100, async seed => {
    const { random, xen, domain, xenstore } = start(seed)
    const { counts } = interleave(xen, { seed, every: 1 + random(6) })
    const found = findDoubleFetches(xen, domain, INDICES, true)
    let events = 0
    const watch = xenstore.watch('data', () => events++)
    await xen.run(
      Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          const value = 'v'.repeat(random(600)) + i
          await xenstore.write(`data/k${i}`, value)
          await xenstore.transaction(async view => view.write(`data/t${i}`, await view.read(`data/k${i}`)))
          if ((await xenstore.read(`data/t${i}`)) !== value) throw new Error('another value was read than written')
        }),
      ),
    )
    if (events < 60) throw new Error(`${events} events of 61 and more`)
    watch.close()
    await xen.settle()
    xen.assertNoLeaks()
    assertNone(found)
    return counts
  })
  t.true(interruptions > 1000)
})

test('a daemon that changes what is about to be read is answered with errors, not with a crash', async t => {
  const { mutations } = await forSeeds(t, 200, async seed => {
    const { random, xen, domain, xenstore } = start(seed)
    const { counts } = interleave(xen, { seed, victim: domain, attacker: 'xenstored', mutateEvery: 5 + random(100) })
    const watch = xenstore.watch('data', () => {})
    const work = Promise.allSettled(
      Array.from({ length: 20 }, async (_, i) => {
        await xenstore.write(`data/k${i}`, 'v'.repeat(random(600)))
        await xenstore.transaction(async view => view.write(`data/t${i}`, await view.read(`data/k${i}`)))
        await xenstore.directory('data')
      }),
    )
    try {
      await xen.advance(10_000)
    } catch (error) {
      // One that says it has read what it has not finds the next request in its place: it has fooled itself.
      if (!/^domain 1 sent a xenstore request of /.test((error as Error).message)) throw error
    }
    watch.close()
    xenstore.close() // what a spoilt answer left waiting
    for (const result of await work) if (result.status === 'rejected' && !(result.reason instanceof XenstoreError)) throw result.reason
    const lines = domain.log.filter(({ level }) => level === 'warn' || level === 'error').length
    if (lines > 12) throw new Error(`${lines} warnings in ten seconds`)
    domain.destroy() // nobody can tell the daemon any more
    return counts
  })
  t.true(mutations > 200)
})
