import test from 'ava'
import { scheduler } from './scheduler.ts'

test('tasks run by their priority, those of the same in the order of their making', async t => {
  const seen: string[] = []
  const add = (name: string, options?: object) => scheduler.postTask(() => seen.push(name), options)
  await Promise.all([
    add('background', { priority: 'background' }),
    add('visible 1'),
    add('blocking', { priority: 'user-blocking' }),
    add('visible 2', { priority: 'user-visible' }),
  ])
  t.deepEqual(seen, ['blocking', 'visible 1', 'visible 2', 'background'])
})

test('a task has its result, its error, or the reason of its signal', async t => {
  t.is(await scheduler.postTask(async () => 5), 5)
  const error = new Error('thrown')
  await t.throwsAsync(
    scheduler.postTask(() => {
      throw error
    }),
    { is: error },
  )
  const controller = new AbortController()
  const never = scheduler.postTask(() => t.fail(), { signal: controller.signal, delay: 1 })
  controller.abort(error)
  await t.throwsAsync(never, { is: error })
  await t.throwsAsync(
    scheduler.postTask(() => t.fail(), { signal: controller.signal }),
    { is: error },
  )
  await t.throwsAsync(
    scheduler.postTask(() => {}, { priority: 'none' as never }),
    { instanceOf: TypeError },
  )
  await t.throwsAsync(scheduler.postTask('no function' as never), { instanceOf: TypeError })
  await t.throwsAsync(
    scheduler.postTask(() => {}, { delay: -1 }),
    { instanceOf: TypeError },
  )
})

test('who yields goes on before others of its kind; wait waits', async t => {
  const seen: string[] = []
  const first = scheduler.postTask(async () => {
    seen.push('a')
    await scheduler.yield()
    seen.push('a, again')
  })
  const second = scheduler.postTask(() => seen.push('b'))
  await Promise.all([first, second])
  t.deepEqual(seen, ['a', 'a, again', 'b'])
  const before = performance.now()
  await scheduler.wait(20)
  t.true(performance.now() - before >= 19)
  const reason = new Error('enough')
  await t.throwsAsync(scheduler.wait(10_000, { signal: AbortSignal.abort(reason) }), { is: reason })
})
