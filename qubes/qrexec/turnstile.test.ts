import type { Timers } from '@xen-ts/runtime/machine'
import test from 'ava'
import { Turnstile } from './turnstile.ts'

/** A clock that moves when the test says so. */
function manual() {
  let now = 0
  const set = new Set<{ at: number; run: () => void }>()
  const timers = {
    now: () => now,
    set: (delay: number, run: () => void) => {
      const timer = { at: now + delay, run }
      set.add(timer)
      return { cancel: () => set.delete(timer) }
    },
  } as unknown as Timers
  const advance = (milliseconds: number): void => {
    now += milliseconds
    for (const timer of [...set]) if (timer.at <= now && set.delete(timer)) timer.run()
  }
  return { timers, set, advance }
}

/** Calls that are answered and connected when they are told to; `asking` and `connecting` say which have begun that. */
function calls(turnstile: Turnstile, count: number) {
  const asking: number[] = []
  const connecting: number[] = []
  const answers: PromiseWithResolvers<number>[] = []
  const ends: PromiseWithResolvers<number>[] = []
  const aborts = Array.from({ length: count }, () => new AbortController())
  const results = aborts.map(({ signal }, n) => {
    answers.push(Promise.withResolvers())
    ends.push(Promise.withResolvers())
    const result = turnstile.pass(
      signal,
      () => {
        asking.push(n)
        return answers[n].promise
      },
      answer => {
        connecting.push(answer)
        return ends[n].promise
      },
    )
    result.catch(() => {})
    return result
  })
  return { asking, connecting, answers, ends, aborts, results }
}

const turn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

test('four at a time, in order; the end of one lets the next in, however it ended', async t => {
  const { timers, set } = manual()
  const { asking, connecting, answers, ends, results } = calls(new Turnstile(timers), 8)
  await turn()
  t.deepEqual(asking, upTo(4))
  answers[2].resolve(2)
  await turn()
  t.deepEqual([asking, connecting], [upTo(4), [2]])
  ends[2].resolve(7)
  await turn()
  t.deepEqual(asking, upTo(5))
  answers[0].reject(new Error('refused'))
  await t.throwsAsync(results[0], { message: 'refused' })
  answers[1].resolve(1)
  ends[1].reject(new Error('lost'))
  await t.throwsAsync(results[1], { message: 'lost' })
  await turn()
  t.deepEqual(asking, upTo(7))
  for (const { resolve } of answers) resolve(0)
  for (const { resolve } of ends) resolve(7)
  t.is(await results[7], 7)
  t.is(set.size, 0)
})

test('a call whose answer takes long keeps the next for a second; from the answer on it counts again', async t => {
  const { timers, advance } = manual()
  const { asking, answers, ends, results } = calls(new Turnstile(timers), 30)
  await turn()
  t.deepEqual(asking, upTo(4))
  advance(999)
  await turn()
  t.deepEqual(asking, upTo(4))
  for (let second = 2; second <= 4; second++) {
    advance(1000)
    await turn()
    t.deepEqual(asking, upTo(4 * second))
  }
  // All of these connect at once, which nobody could prevent: dom0 has allowed them. The next wait until fewer do.
  for (const { resolve } of answers.slice(0, 16)) resolve(0)
  await turn()
  t.is(asking.length, 16)
  for (const { resolve } of ends.slice(0, 12)) resolve(0)
  await Promise.all(results.slice(0, 12))
  await turn()
  t.is(asking.length, 16)
  ends[12].resolve(0)
  await turn()
  t.is(asking.length, 17)
  for (const { resolve } of [...answers, ...ends]) resolve(0)
  await Promise.all(results)
  const next = calls(new Turnstile(timers), 5)
  await turn()
  t.deepEqual(next.asking, upTo(4))
})

test('an executor that does not come keeps nobody for more than 10 s, and its end is counted once', async t => {
  const { timers, advance } = manual()
  const turnstile = new Turnstile(timers)
  const { asking, answers, ends, results } = calls(turnstile, 12)
  for (const { resolve } of answers) resolve(0)
  await turn()
  t.is(asking.length, 4)
  advance(9_999)
  await turn()
  t.is(asking.length, 4)
  advance(1)
  await turn()
  t.is(asking.length, 8)
  for (let n = 0; n < 4; n++) ends[n].resolve(n)
  await Promise.all(results.slice(0, 4))
  await turn()
  t.is(asking.length, 8)
  for (const { resolve } of ends) resolve(0)
  await Promise.all(results)
  const next = calls(turnstile, 5)
  await turn()
  t.deepEqual(next.asking, upTo(4))
})

test('a place in the queue is given up, also in the moment when its turn comes', async t => {
  const { timers } = manual()
  const { asking, answers, ends, aborts, results } = calls(new Turnstile(timers), 8)
  for (const { resolve } of answers) resolve(0)
  await turn()
  aborts[5].abort(new Error('given up'))
  await t.throwsAsync(results[5], { message: 'given up' })
  ends[0].resolve(0)
  await results[0].then(() => aborts[4].abort(new Error('too late')))
  await t.throwsAsync(results[4], { message: 'too late' })
  await turn()
  t.deepEqual(
    asking.filter(n => n > 3),
    [6],
  )
  ends[1].resolve(0)
  await turn()
  t.deepEqual(
    asking.filter(n => n > 3),
    [6, 7],
  )
})
