import test from 'ava'
import { FakeKernel } from './fake-kernel.ts'
import { testTarget } from './fixtures/target.ts'
import { type Devices, device, once, unikernel } from './index.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { TargetContext } from './target.ts'
import { addEventListener, removeEventListener } from './web/error-events.ts'

interface Scenario {
  start?: (context: any) => unknown
  devices?: Devices
  /** Milliseconds after boot of a shutdown request. */
  request?: number
  before?: (context: TargetContext) => void | Promise<void>
}

/** Runs a program under the fake kernel; returns how it ended, when, and its lines without stacks. */
async function run({ start = () => {}, devices = {}, request, before }: Scenario) {
  const kernel = new FakeKernel()
  let lifecycle!: Lifecycle
  const target = testTarget({
    connected: context => {
      lifecycle = context.lifecycle
      if (request !== undefined) context.machine.timers.set(request, () => lifecycle.request('poweroff'))
      return before?.(context)
    },
  })
  const program = unikernel({ name: 'app', devices, start })
  const reason = await kernel.run({ ...target, name: 'app', program: async () => ({ default: program }) })
  return { reason, time: kernel.time, lines: kernel.lines.filter(line => !/^ +at /.test(line)), kernel, lifecycle }
}

const never = () => new Promise<never>(() => {})

test('a start that returns powers off, at once and without a word', async t => {
  const { reason, time, lines } = await run({ start: () => 5 })
  t.deepEqual([reason, time, lines], [0, 0, []])
})

test('a start that rejects or throws crashes, with the error and its stack', async t => {
  for (const start of [
    async () => {
      throw new RangeError('broken')
    },
    () => {
      throw new RangeError('broken')
    },
  ]) {
    const { reason, lines, kernel } = await run({ start })
    t.is(reason, 3)
    t.deepEqual(lines, ['ERR [app] RangeError: broken'])
    t.regex(kernel.console, /\n +at .*lifecycle\.test\.ts/)
  }
})

test('what is registered for the very end is done before a crash as well, once, whatever else it does', async t => {
  for (const start of [never, () => {}] as const) {
    const done: string[] = []
    const { reason, lines } = await run({
      start,
      before({ lifecycle, machine }) {
        lifecycle.onEnd(() => {
          done.push('first')
          throw new Error('a peer that is gone')
        })
        lifecycle.onEnd(() => done.push('second'))
        if (start === never) machine.timers.set(10, () => lifecycle.fail(new Error('crash')))
      },
    })
    t.deepEqual(done, ['first', 'second'])
    t.is(reason, start === never ? 3 : 0)
    t.true(lines.includes('WRN [app] at the end: Error: a peer that is gone'))
  }
})

test('an error in a timer crashes at once, though start still runs', async t => {
  const { reason, time, lines } = await run({
    start: ({ clock }) => {
      void clock
        .sleep(10)
        .then(() => {
          throw new TypeError('in a task')
        })
        .catch((error: Error) =>
          queueMicrotask(() => {
            throw error
          }),
        )
        .catch(never)
      return never()
    },
    before: ({ machine }) => {
      machine.timers.set(5, () => {
        throw new TypeError('in a timer')
      })
    },
  })
  t.deepEqual([reason, time, lines], [3, 5, ['ERR [app] uncaught TypeError: in a timer']])
})

test('fail tells only the first error and never throws', async t => {
  const kernel = new FakeKernel()
  const target = testTarget({
    connected: ({ lifecycle }) => {
      lifecycle.fail(new Error('one'))
      lifecycle.fail(new Error('two'))
      lifecycle.fail({
        get message() {
          throw new Error('hostile')
        },
      })
    },
  })
  t.is(await kernel.run({ ...target, name: 'app', program: async () => ({ default: unikernel({ name: 'app', start() {} }) }) }), 3)
  t.deepEqual(
    kernel.lines.filter(line => line.startsWith('ERR')),
    ['ERR [app] uncaught Error: one'],
  )
})

test("a rejection is the program's listeners' first, then a line of a program that serves, else the end", async t => {
  const seen: unknown[] = []
  const { reason, lines } = await run({
    start: never,
    before: ({ lifecycle, machine }) => {
      const promise = Promise.resolve()
      lifecycle.onRejection = (reason, promise) => {
        seen.push(reason, promise)
        return reason === 1
      }
      lifecycle.rejected(1, promise)
      lifecycle.serves()
      lifecycle.rejected(2)
      t.deepEqual(seen, [1, promise, 2, undefined])
      machine.timers.set(10, () => {
        lifecycle.strict = true
        lifecycle.rejected(3)
      })
    },
  })
  t.deepEqual([reason, lines], [3, ['ERR [app] uncaught in a promise: thrown value 2', 'ERR [app] uncaught thrown value 3']])
})

test('rejections without end, as a listener makes that rejects itself, are told to listeners only so often before the next turn', async t => {
  let told = 0
  const listener = (event: Event): void => {
    event.preventDefault()
    told++ // an async one would reject here, and the kernel reports all rejections before it does the next turn
  }
  addEventListener('unhandledrejection', listener)
  t.teardown(() => removeEventListener('unhandledrejection', listener))
  const kernel = new FakeKernel()
  const program = unikernel({
    name: 'app',
    devices: {},
    start: async ({ clock }) => {
      const { fail } = kernel.scope.__xenTs!
      for (const expected of [100, 200]) {
        for (let i = 0; i < 1000; i++) fail(i)
        t.is(told, expected)
        await clock.sleep(1)
      }
    },
  })
  const target = testTarget({ connected: ({ lifecycle }) => lifecycle.serves() })
  t.is(await kernel.run({ ...target, name: 'app', program: async () => ({ default: program }) }), 0)
  t.is(kernel.lines.filter(line => line.includes('uncaught in a promise')).length, 1800)
})

test('a task of ours ends the domain also when the program serves', async t => {
  const { reason } = await run({
    start: never,
    before: ({ lifecycle }) => {
      lifecycle.serves()
      lifecycle.own(Promise.reject(new Error('lost')))
    },
  })
  t.is(reason, 3)
})

test('what start waits for is named when it does not end, and not what it waits for no more', async t => {
  const { lines } = await run({
    start: never,
    request: 1,
    before: ({ lifecycle }) => {
      lifecycle.waitsFor('http', () => '3 responses are still being sent')
      lifecycle.waitsFor('idle', () => undefined)
      lifecycle.waitsFor('over', () => 'nothing')()
    },
  })
  t.is(
    lines[1],
    'WRN [app] start() did not end within 5 s of the shutdown request, so it is left behind; http: 3 responses are still being sent',
  )
})

test('a task that nobody awaits ends the domain when it fails', async t => {
  const { reason, lines } = await run({ start: never, before: ({ lifecycle }) => lifecycle.own(Promise.reject(new Error('lost'))) })
  t.deepEqual([reason, lines], [3, ['ERR [app] uncaught Error: lost']])
})

test('a shutdown request while start runs aborts its signal; a start that obeys powers off', async t => {
  for (const start of [
    ({ clock, signal }: any) => clock.sleep(60_000, { signal }), // rejects with the signal's reason
    ({ signal }: any) => once(signal),
    async ({ signal }: any) => {
      await once(signal)
      await once(signal)
    },
    ({ signal }: any) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped', { cause: signal.reason })))),
  ]) {
    const { reason, time, lines } = await run({ start, request: 100 })
    t.deepEqual([reason, time, lines], [0, 100, ['INF [app] shutdown requested: poweroff']])
  }
})

test('a start that ignores the signal is left behind after five seconds', async t => {
  const { reason, time, lines } = await run({ start: never, request: 100 })
  t.deepEqual([reason, time], [0, 5_100])
  t.regex(lines[1], /WRN \[app\] start\(\) did not end within 5 s of the shutdown request/)
})

test('a start that fails for another reason during shutdown still crashes', async t => {
  const { reason, lines } = await run({
    start: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('while closing')))),
    request: 1,
  })
  t.is(reason, 3)
  t.is(lines[1], 'ERR [app] Error: while closing')
})

test('a shutdown request is obeyed at once while a device still waits for its other end, or the target does', async t => {
  let started = false
  const stuck = device({ name: 'stuck', connect: () => never() })
  for (const scenario of [{ devices: { stuck } }, { before: never }] as Scenario[]) {
    const { reason, time } = await run({
      ...scenario,
      start: () => {
        started = true
      },
      request: 100,
    })
    t.deepEqual([reason, time, started], [0, 100, false])
  }
})

test('only the first of several requests counts', async t => {
  const { reason, lines } = await run({
    start: ({ signal }) => new Promise<void>(resolve => signal.addEventListener('abort', () => resolve())),
    before: ({ machine, lifecycle }) => {
      machine.timers.set(1, () => {
        lifecycle.request('reboot')
        lifecycle.request('poweroff')
      })
    },
  })
  t.deepEqual([reason, lines], [1, ['INF [app] shutdown requested: reboot']])
})

test('devices are disposed in reverse order, after start, whether it worked or not; what the target registered comes last', async t => {
  for (const fails of [false, true]) {
    const log: string[] = []
    const make = (name: string, needs: Devices = {}) =>
      device({
        name,
        needs,
        connect: () => ({
          [Symbol.asyncDispose]: async () => {
            log.push(name)
          },
        }),
      })
    const a = make('a')
    const { reason } = await run({
      devices: {
        b: make('b', { a }),
        c: device({
          name: 'c',
          connect: () => ({
            [Symbol.dispose]() {
              log.push('c')
            },
          }),
        }),
      },
      before: ({ lifecycle }) => lifecycle.onShutdown('agents', () => log.push('agents')),
      start: () => {
        log.push('start')
        if (fails) throw new Error('x')
      },
    })
    t.is(reason, fails ? 3 : 0)
    t.deepEqual(log, ['start', 'c', 'b', 'a', 'agents'])
  }
})

test('devices connected before one that fails are disposed too', async t => {
  const log: string[] = []
  const { reason, lines } = await run({
    devices: {
      a: device({
        name: 'a',
        connect: () => ({
          [Symbol.dispose]() {
            log.push('a')
          },
        }),
      }),
      b: device({
        name: 'b',
        connect: () => {
          throw new Error('no backend')
        },
      }),
    },
    start: () => {
      log.push('start')
    },
  })
  t.deepEqual([reason, log, lines], [3, ['a'], ['ERR [app] Error: no backend']])
})

test('a device that hangs or fails while closing cannot hold up the end', async t => {
  const { reason, time, lines } = await run({
    devices: {
      hangs: device({ name: 'hangs', connect: () => ({ [Symbol.asyncDispose]: never }) }),
      fails: device({
        name: 'fails',
        connect: () => ({
          [Symbol.dispose]() {
            throw new Error('no')
          },
        }),
      }),
    },
  })
  t.deepEqual([reason, time], [0, 1_000])
  t.deepEqual(lines, ['WRN [app] fails did not close cleanly: Error: no', 'WRN [app] hangs did not close within 1 s'])
})

test('a program that waits for nothing is told so instead of hanging', async t => {
  const { reason, lines } = await run({ start: never })
  t.is(reason, 3)
  t.regex(lines[0], /uncaught DeadlockError: the program waits for something that can never come/)
})

test('after the end nothing runs any more', async t => {
  let late = false
  const { kernel } = await run({
    start: ({ clock }) => {
      void clock.sleep(5).then(() => {
        late = true
      })
    },
  })
  kernel.time = 10
  kernel.scope.__xenTs?.turn()
  await new Promise(resolve => setImmediate(resolve))
  t.false(late)
})
