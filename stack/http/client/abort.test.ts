/** An AbortSignal ends a fetch wherever it is, with its own reason, and leaves nothing behind. */
import test from 'ava'
import { httpClient } from './client.ts'
import { fetching, latin1, onText, write } from './testing.ts'

const base = 'http://10.0.0.2'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** What ends the fetch, at which second; how far the fetch has come then. */
const stages: readonly (readonly [string, (set: ReturnType<typeof fetching>) => void, RequestInit?])[] = [
  [
    'while the server is asked for',
    set => set.serverDevice.onReceive === undefined || Object.assign(set.serverDevice, { onReceive: undefined }),
  ],
  ['while the server says nothing', set => void set.raw(() => {})],
  ['in the head', set => void set.raw(seen => onText(seen, () => void write(seen.connection, 'HTTP/1.1 200 OK\r\nX: 1\r\n')))],
  ['while the request is sent', set => void set.raw(() => {}, { reads: false }), { method: 'POST', body: new Uint8Array(5_000_000) }],
]
for (const [name, prepare, init] of stages) {
  test(name, async t => {
    for (const reason of [undefined, new Error('enough'), 'a text', 0]) {
      const set = fetching()
      prepare(set)
      const controller = new AbortController()
      const fetched = set.web.fetch(base, { ...init, signal: controller.signal })
      let error: unknown
      fetched.catch(thrown => {
        error = thrown
      })
      await set.pass(1)
      controller.abort(reason)
      await set.pass(1)
      t.is(error, controller.signal.reason)
      if (reason === undefined) t.is((error as Error).name, 'AbortError')
      t.is(set.web.connections, 0)
    }
  })
}

test('before it began: nothing is sent, and a stream is cancelled', async t => {
  const { web, run, pass, raw } = fetching()
  const seen = raw(() => {})
  let cancelled: unknown
  const body = new ReadableStream({
    cancel(reason) {
      cancelled = reason
    },
  })
  const signal = AbortSignal.abort('no')
  const error = await run(web.fetch(base, { method: 'POST', body, duplex: 'half', signal } as RequestInit).catch(error => error))
  t.deepEqual([error, cancelled], ['no', 'no'])
  await pass(1)
  t.is(seen.length, 0)
})

test('a stream that is being sent is cancelled with the reason', async t => {
  const { web, pass, raw } = fetching()
  const seen = raw(() => {})
  let cancelled: unknown
  const body = new ReadableStream({
    cancel(reason) {
      cancelled = reason
    },
  })
  const controller = new AbortController()
  const fetched = web.fetch(base, { method: 'POST', body, duplex: 'half', signal: controller.signal } as RequestInit).catch(error => error)
  await pass(1)
  controller.abort('no')
  t.is(await fetched, 'no')
  t.is(cancelled, 'no')
  await pass(1)
  t.is(seen[0].state, 'broken')
})

test('in the body: it fails with the reason, whether anybody reads it or not', async t => {
  for (const reads of [false, true]) {
    const { web, run, pass, raw } = fetching()
    const seen = raw(seen => onText(seen, () => void write(seen.connection, 'HTTP/1.1 200 OK\r\n\r\nbegin')))
    const controller = new AbortController()
    const response = await run(web.fetch(base, { signal: controller.signal }))
    const text = reads ? response.text().catch(error => error) : undefined
    await pass(1)
    controller.abort('enough')
    await pass(1)
    t.is(await run(text ?? response.text().catch(error => error)), 'enough')
    t.is(seen[0].state, 'broken')
    t.is(web.connections, 0)
  }
})

test('while it waits for a connection: the others go on', async t => {
  const { web, run, pass, raw, world } = fetching({ connectionsPerOrigin: 1 })
  const seen = raw(seen => onText(seen, () => void world.at(2000, () => void write(seen.connection, ok))))
  const first = web.fetch(base)
  const controller = new AbortController()
  const second = web.fetch(base, { signal: controller.signal }).catch(error => error)
  await pass(1)
  controller.abort('enough')
  t.is(web.waiting, 0)
  t.is(await run(second), 'enough')
  t.is(await (await run(first)).text(), 'ok')
  t.deepEqual([seen.length, web.connections, web.waiting], [1, 1, 0])
})

test('when all of the response is there it does nothing, and nobody listens to the signal any more', async t => {
  const { web, run, answers } = fetching()
  const seen = answers([ok, ok])
  const controller = new AbortController()
  let listeners = 0
  const { signal } = controller
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
  signal.addEventListener = (...args: [any, any, any]) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: [any, any]) => {
    listeners--
    remove(...args)
  }
  const response = await run(web.fetch(base, { signal }))
  t.true(listeners <= 1) // Node's Request has one of its own
  controller.abort()
  t.is(await run(response.text()), 'ok')
  t.is(await (await run(web.fetch(base))).text(), 'ok')
  t.is(seen.length, 1)
})

test('at once: an idle connection is as good as before', async t => {
  for (let jobs = 0; jobs < 12; jobs++) {
    const { web, run, answers, pass } = fetching()
    answers([ok, ok, ok])
    t.is(await (await run(web.fetch(base))).text(), 'ok')
    const controller = new AbortController()
    const fetched = web.fetch(base, { signal: controller.signal }).catch(error => error)
    for (let i = 0; i < jobs; i++) await undefined
    controller.abort('no')
    t.is(await fetched, 'no')
    await pass(0.1)
    t.is(await (await run(web.fetch(base), 5)).text(), 'ok', `after ${jobs} jobs`)
  }
})

test('AbortSignal.timeout is a signal like others, and so is that of a Request', async t => {
  const { web, run, pass, raw } = fetching()
  raw(() => {})
  const controller = new AbortController()
  const fetched = run(web.fetch(new Request(base, { signal: controller.signal })).catch(error => error))
  await pass(0)
  controller.abort('enough')
  t.is(await fetched, 'enough')
})

for (const answer of [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no',
  'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
]) {
  test(`aborted any number of promise jobs after ${JSON.stringify(answer)} has come: no connection that is over is used again`, async t => {
    for (let jobs = 0; jobs < 40; jobs++) {
      const { machine, world } = fetching()
      let isFirst = true
      const isHalf = answer.endsWith('\no')
      const controller = new AbortController()
      const abort = (left: number): void => {
        if (left === 0) controller.abort(new Error('enough'))
        else void Promise.resolve().then(() => abort(left - 1))
      }
      const connect = async () => {
        const isDoomed = isFirst
        isFirst = false
        let asked = Promise.withResolvers<void>()
        let isOver = false
        let parts = 0
        return {
          async read() {
            await asked.promise
            asked = Promise.withResolvers()
            if (isDoomed && ++parts === 1) abort(jobs)
            if (!isDoomed || parts > 2 || (parts > 1 && !isHalf)) return latin1(ok)
            return latin1(parts === 1 ? answer : 'k')
          },
          async write() {
            if (isOver) throw new Error('written to a connection that is over')
            asked.resolve()
          },
          close() {
            isOver = true
          },
          abort() {
            isOver = true
          },
        }
      }
      const web = httpClient(machine, { connect }, { connectionsPerOrigin: 1 })
      const first = web.fetch('http://10.0.0.2/', { signal: controller.signal }).then(response => response.text())
      const second = web.fetch('http://10.0.0.2/', { method: 'POST' }).then(response => response.text())
      const outcomes: string[] = []
      first.then(
        text => outcomes.push(text),
        error => outcomes.push((error as Error).message),
      )
      second.then(
        text => outcomes.push(`second ${text}`),
        error => outcomes.push(`second ${(error as Error).message}`),
      )
      await world.run(500, () => outcomes.length === 2)
      if (!outcomes.includes('second ok')) controller.abort(new Error('late'))
      await world.run(500, () => outcomes.length === 2)
      t.true(outcomes.includes('second ok'), `${jobs}: ${outcomes}`)
      t.true(web.connections <= 1, String(jobs))
      t.is(web.waiting, 0)
      web.close()
      t.is(web.connections, 0, String(jobs))
    }
  })
}
