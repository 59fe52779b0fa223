import test from 'ava'
import { FakeKernel } from './fake-kernel.ts'
import { LogWriter } from './log.ts'
import { Loop } from './loop.ts'
import { type Stage, Suspension } from './suspension.ts'

const setUp = (result = 0) => {
  const calls: string[] = []
  const lines: string[] = []
  const kernel = new FakeKernel()
  const loop = new Loop(kernel.abi)
  const logs = new LogWriter({
    write: text => {
      lines.push(text)
    },
    now: () => 0,
  })
  const shutdown = (reason: number): number => {
    calls.push(`shutdown ${reason}`)
    return result
  }
  return { calls, lines, loop, suspension: new Suspension({ shutdown }, loop, logs.log('suspend')) }
}

const all: Stage[] = ['program', 'store', 'grants', 'connections', 'ports']

for (const [result, outcome, world] of [
  [0, 'resumed', 1],
  [1, 'cancelled', 0],
  [-22, 'cancelled', 0],
] as const) {
  test(`the hypercall returns ${result}: ${outcome}; users get quiet before what they stand on, which comes back before them`, async t => {
    const { calls, suspension } = setUp(result)
    for (const stage of all) {
      suspension.subscribe(stage, {
        suspend: () => {
          calls.push(`quiet ${stage}`)
        },
        resume: cancelled => {
          calls.push(`${stage} ${cancelled} ${suspension.world}`)
        },
      })
    }
    t.is(await suspension.suspend(), outcome)
    t.deepEqual(calls, [
      'quiet program',
      'quiet connections',
      'quiet store',
      'quiet grants',
      'quiet ports',
      'shutdown 2',
      ...['ports', 'grants', 'store', 'connections', 'program'].map(stage => `${stage} ${result !== 0} ${world}`),
    ])
  })
}

test('the hypercall waits for who gets quiet; no job runs between it and the last subscriber', async t => {
  const { calls, suspension } = setUp()
  const answered = Promise.withResolvers<void>()
  suspension.subscribe('store', {
    suspend: () => answered.promise,
    resume: () => {
      void Promise.resolve().then(() => calls.push('a job'))
    },
  })
  suspension.onResume(() => {
    calls.push('program')
  })
  const done = suspension.suspend()
  await new Promise(resolve => setImmediate(resolve))
  t.deepEqual(calls, [])
  answered.resolve()
  await done
  t.deepEqual(calls, ['shutdown 2', 'program', 'a job'])
})

test('a second request while the first is under way is the same suspend, a later one is another', async t => {
  const { calls, suspension } = setUp(1)
  await Promise.all([suspension.suspend(), suspension.suspend()])
  t.deepEqual(calls, ['shutdown 2'])
  await suspension.suspend()
  t.is(calls.length, 2)
})

test('who rejects calls the suspend off: it is logged, and all go on as after a cancelled one', async t => {
  const { calls, lines, suspension } = setUp()
  suspension.subscribe('program', { suspend: () => Promise.reject(new Error('in the middle of something')) })
  suspension.subscribe('ports', {
    resume: cancelled => {
      calls.push(`ports ${cancelled}`)
    },
  })
  t.is(await suspension.suspend(), 'refused')
  t.deepEqual(calls, ['ports true'])
  t.regex(lines.join(''), /ERR.*not suspended: in the middle of something/)
})

test('who never gets quiet calls it off too, in time for the toolstack', async t => {
  const { loop, suspension, lines } = setUp()
  suspension.subscribe('store', { suspend: () => new Promise(() => {}) })
  const done = suspension.suspend()
  await new Promise(resolve => setImmediate(resolve))
  t.is(loop.now(), 0)
  loop.turn()
  t.is(await done, 'refused')
  t.is(loop.now(), 10_000)
  t.regex(lines.join(''), /not suspended: store did not get quiet within 10 s/)
})

test('a subscriber that throws after the resume does not keep it from the others', async t => {
  const { calls, lines, suspension } = setUp()
  suspension.subscribe('grants', {
    resume: () => {
      throw new Error('no frames')
    },
  })
  suspension.onResume(cancelled => {
    calls.push(`program ${cancelled}`)
  })
  t.is(await suspension.suspend(), 'resumed')
  t.deepEqual(calls, ['shutdown 2', 'program false'])
  t.regex(lines.join(''), /ERR.*grants after the resume: no frames/)
})

test('who unsubscribed hears nothing; the same function may subscribe twice', async t => {
  const { calls, suspension } = setUp()
  const note = () => {
    calls.push('called')
  }
  const stop = suspension.onResume(note)
  suspension.onResume(note)
  stop()
  await suspension.suspend()
  t.deepEqual(calls, ['shutdown 2', 'called'])
})
