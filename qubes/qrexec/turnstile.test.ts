import type { Timers } from '@xen-ts/runtime/machine'
import test from 'ava'
import { Turnstile } from './turnstile.ts'

/** Timers that fire when the test says so. */
function manual() {
  const set = new Set<() => void>()
  const timers = {
    set: (_ms: number, fire: () => void) => {
      set.add(fire)
      return { cancel: () => set.delete(fire) }
    },
  } as unknown as Timers
  return {
    timers,
    set,
    fire: () => {
      for (const run of [...set]) {
        set.delete(run)
        run()
      }
    },
  }
}

/** Works that end when they are told to; `inside` says which have begun. */
function works(turnstile: Turnstile, count: number) {
  const inside: number[] = []
  const ends: PromiseWithResolvers<number>[] = []
  const aborts = Array.from({ length: count }, () => new AbortController())
  const results = aborts.map(({ signal }, n) => {
    ends.push(Promise.withResolvers())
    const result = turnstile.pass(signal, () => {
      inside.push(n)
      return ends[n].promise
    })
    result.catch(() => {})
    return result
  })
  return { inside, ends, aborts, results }
}

const turn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })

test('four at a time, in order; the end of one lets the next in, however it ended', async t => {
  const { timers, set } = manual()
  const { inside, ends, results } = works(new Turnstile(timers), 8)
  await turn()
  t.deepEqual(inside, [0, 1, 2, 3])
  ends[2].resolve(2)
  await turn()
  t.deepEqual(inside, [0, 1, 2, 3, 4])
  ends[0].reject(new Error('refused'))
  await t.throwsAsync(results[0], { message: 'refused' })
  await turn()
  t.deepEqual(inside, [0, 1, 2, 3, 4, 5])
  for (const { resolve } of ends) resolve(7)
  t.is(await results[7], 7)
  t.is(set.size, 0)
})

test('who takes long keeps nobody, and its end is counted once', async t => {
  const { timers, fire } = manual()
  const turnstile = new Turnstile(timers)
  const { inside, ends, results } = works(turnstile, 12)
  await turn()
  fire()
  await turn()
  t.deepEqual(inside, [0, 1, 2, 3, 4, 5, 6, 7])
  for (let n = 0; n < 4; n++) ends[n].resolve(n)
  await Promise.all(results.slice(0, 4))
  await turn()
  t.is(inside.length, 8)
  for (const { resolve } of ends) resolve(0)
  await Promise.all(results)
  const next = works(turnstile, 5)
  await turn()
  t.deepEqual(next.inside, [0, 1, 2, 3])
})

test('a place in the queue is given up, also in the moment when its turn comes', async t => {
  const { timers } = manual()
  const { inside, ends, aborts, results } = works(new Turnstile(timers), 8)
  await turn()
  aborts[5].abort(new Error('given up'))
  await t.throwsAsync(results[5], { message: 'given up' })
  ends[0].resolve(0)
  await results[0].then(() => aborts[4].abort(new Error('too late')))
  await t.throwsAsync(results[4], { message: 'too late' })
  await turn()
  t.deepEqual(
    inside.filter(n => n > 3),
    [6],
  )
  ends[1].resolve(0)
  await turn()
  t.deepEqual(
    inside.filter(n => n > 3),
    [6, 7],
  )
})
