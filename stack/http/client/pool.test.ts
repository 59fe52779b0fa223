/** Connections: used again, bounded, replaced when they are stale; and every wait with its end. */
import test from 'ava'
import { fetching, onText, outcome, write } from './testing.ts'

const base = 'http://10.0.0.2'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('there are so many connections to one origin, and the others wait in their order', async t => {
  const { web, run, pass, raw, world } = fetching({ connectionsPerOrigin: 2 })
  const order: string[] = []
  const seen = raw(seen => {
    onText(seen, () => {
      order.push(
        seen.text
          .match(/GET (\S+)/g)!
          .at(-1)!
          .slice(4),
      )
      world.at(100, () => void write(seen.connection, ok))
    })
  })
  const all = Promise.all(Array.from({ length: 7 }, (_, i) => outcome(web.fetch(`${base}/${i}`))))
  await pass(0.05)
  t.deepEqual([web.connections, web.waiting], [2, 5])
  t.deepEqual(
    await run(all),
    Array.from({ length: 7 }, () => '200 OK: ok'),
  )
  t.is(seen.length, 2)
  t.deepEqual(order.sort(), ['/0', '/1', '/2', '/3', '/4', '/5', '/6'])
  t.deepEqual([web.connections, web.waiting], [2, 0])
})

test('there are so many connections in all: idle ones of other origins give way', async t => {
  const { web, run, pass, answers } = fetching({ connections: 2 })
  for (const port of [80, 81, 82]) answers([ok, ok], { port })
  for (const port of [80, 81, 82, 80]) {
    t.is(await run(outcome(web.fetch(`${base}:${port}/`))), '200 OK: ok')
    t.true(web.connections <= 2)
  }
  answers([], { port: 83 })
  const open = [web.fetch(`${base}:83/`), web.fetch(`${base}:83/`)]
  for (const one of open) one.catch(() => {})
  await pass(1)
  const late = web.fetch(`${base}:80/`)
  await pass(5)
  t.deepEqual([web.connections, web.waiting], [2, 1])
  t.regex(await run(outcome(late)), /^ETIMEDOUT: .*no connection to 10\.0\.0\.2 became free within 10 s: .*2 to all; read the bodies/)
  t.is(web.waiting, 0)
  web.close()
})

test('a wait ends when the connection before it fails, or a body is given up', async t => {
  const { web, run, pass, raw } = fetching({ connectionsPerOrigin: 1 })
  const seen = raw(seen =>
    onText(seen, () => void write(seen.connection, seen.text.includes('/long') ? 'HTTP/1.1 200 OK\r\n\r\nbegin' : ok)),
  )
  const long = await run(web.fetch(`${base}/long`))
  const next = outcome(web.fetch(base))
  await pass(1)
  t.is(web.waiting, 1)
  await run(long.body!.cancel())
  t.is(await run(next), '200 OK: ok')
  t.is(seen.length, 2)
})

test('an idle connection is closed after its time, or a second before the server says it will', async t => {
  for (const [field, least, most] of [
    ['', 15, 17],
    ['Keep-Alive: timeout=5, max=100\r\n', 4, 6],
    ['Keep-Alive: timeout=1\r\n', 0, 0.1],
    ['Keep-Alive: timeout=999999\r\n', 15, 17],
    ['Keep-Alive: nonsense\r\n', 15, 17],
  ] as const) {
    const { web, run, world, answers, pass } = fetching()
    const seen = answers([ok.replace('\r\n\r\n', `\r\n${field}\r\n`)])
    t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
    const start = world.now
    await world.run(100_000, () => web.connections === 0)
    const seconds = (world.now - start) / 1000
    t.true(seconds >= least && seconds <= most, `${field} ${seconds}`)
    await pass(1)
    t.is(seen[0].state, 'ended', field)
    // And nothing wakes up any more.
    t.true(await world.run(600_000), 'no event is left')
  }
})

test('a connection that the server says it closes, or that speaks HTTP/1.0, is not used again', async t => {
  for (const head of ['HTTP/1.1 200 OK\r\nConnection: close', 'HTTP/1.1 200 OK\r\nConnection: x, CLOSE ,y', 'HTTP/1.0 200 OK']) {
    const { web, run, answers } = fetching()
    const seen = answers([`${head}\r\nContent-Length: 2\r\n\r\nok`, ok])
    for (let i = 0; i < 2; i++) t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
    t.is(seen.length, 2)
  }
  const { web, run, answers } = fetching()
  const seen = answers(Array.from({ length: 2 }, () => 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok'))
  for (let i = 0; i < 2; i++) t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  t.is(seen.length, 1)
})

test('an idle connection on which the server says something, or ends, is not used again', async t => {
  for (const what of [`${ok}`, 'x', '']) {
    const { web, run, pass, raw, world } = fetching()
    const seen = raw(seen =>
      onText(seen, () => {
        void write(seen.connection, ok)
        world.at(1000, () => void (what === '' ? seen.connection.end() : write(seen.connection, what)))
      }),
    )
    t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
    await pass(2)
    t.is(web.connections, 0)
    t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
    t.is(seen.length, 2)
  }
})

test("what nobody asked for is nobody's answer: bytes behind a response, a body that cannot be, a request that was not read", async t => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  for (const [first, init] of [
    [ok + evil],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n', { method: 'HEAD' }],
    [ok, { method: 'POST', body: new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(10)) }), duplex: 'half' }],
  ] as [string, RequestInit?][]) {
    const { web, run, raw } = fetching()
    const seen = raw(seen => {
      let isFirst = all.length === 0
      all.push(seen)
      onText(seen, () => {
        if (isFirst) void write(seen.connection, first)
        else if (seen.text.includes('/second')) void write(seen.connection, ok)
        isFirst = false
      })
    })
    const all: unknown[] = []
    t.regex(await run(outcome(web.fetch(base, init))), /^20[04] \w+( \w+)?: (ok)?$/)
    t.is(await run(outcome(web.fetch(`${base}/second`))), '200 OK: ok')
    t.is(seen.length, init?.method === 'HEAD' ? 1 : 2, first)
  }
})

/** A server that answers the first request of a connection, and closes (or resets) it when the second comes. */
function stale(how: 'end' | 'abort') {
  const world = fetching()
  const seen = world.raw(seen =>
    onText(seen, () => {
      if (seen.text.split('HTTP/1.1\r\n').length < 3) void write(seen.connection, ok)
      else seen.connection[how]()
    }),
  )
  return { ...world, seen }
}

test('a request on a connection that the server closed meanwhile is repeated once, if that does no harm', async t => {
  for (const how of ['end', 'abort'] as const) {
    for (const [method, body] of [['GET'], ['HEAD'], ['PUT', 'text'], ['DELETE'], ['OPTIONS']]) {
      const { web, run, seen } = stale(how)
      t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
      t.regex(await run(outcome(web.fetch(base, { method, body }))), /^200 OK: /, method)
      t.is(seen.length, 2)
      if (body !== undefined) t.true(seen[1].text.endsWith(body))
    }
    const { web, run, seen } = stale(how)
    t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
    t.regex(await run(outcome(web.fetch(base, { method: 'POST', body: 'x' }))), /^ECONNRESET: /)
    t.is(seen.length, 1)
  }
  const { web, run, seen } = stale('end')
  t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  const body = ReadableStream.from([new Uint8Array(5)])
  t.regex(await run(outcome(web.fetch(base, { method: 'PUT', body, duplex: 'half' } as RequestInit))), /^ECONNRESET: /)
  t.is(seen.length, 1)
})

test('a request is repeated once only, and not after a word of the answer', async t => {
  const { web, run, raw } = fetching()
  let requests = 0
  const seen = raw(seen =>
    onText(seen, () => {
      requests++
      if (requests === 1) void write(seen.connection, ok)
      else seen.connection.abort()
    }),
  )
  t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  t.regex(await run(outcome(web.fetch(base))), /^ECONNRESET: /)
  t.deepEqual([requests, seen.length], [3, 2])

  const other = fetching()
  let count = 0
  other.raw(seen =>
    onText(seen, () => {
      const isFirst = ++count === 1
      void write(seen.connection, isFirst ? ok : 'H')
      if (!isFirst) seen.connection.end()
    }),
  )
  t.is(await other.run(outcome(other.web.fetch(base))), '200 OK: ok')
  t.regex(await other.run(outcome(other.web.fetch(base))), /^ECONNRESET: .*middle of the head/)
  t.is(count, 2)
})

test('each wait has its time', async t => {
  const limits = { connectTimeout: 3, headTimeout: 4, bodyTimeout: 5, writeTimeout: 6 }
  const take = async (set: ReturnType<typeof fetching>, promise: Promise<Response>): Promise<[string, number]> => {
    const start = set.world.now
    const result = await set.run(outcome(promise))
    await set.pass(1)
    t.is(set.web.connections, 0)
    return [result, (set.world.now - start) / 1000 - 1]
  }
  const near = (seconds: number, expected: number): unknown =>
    t.true(seconds >= expected && seconds < expected + 1.6, `${seconds} s, not ${expected}`)

  const connecting = fetching(limits)
  connecting.serverDevice.onReceive = undefined
  const [connect, connectTime] = await take(connecting, connecting.web.fetch(base))
  t.regex(connect, /^(ETIMEDOUT|EHOSTUNREACH): .*10\.0\.0\.2/)
  t.true(connectTime <= 3.1)

  const silent = fetching(limits)
  silent.raw(() => {})
  const [head, headTime] = await take(silent, silent.web.fetch(base))
  t.regex(head, /^ETIMEDOUT: .*10\.0\.0\.2 does not answer within 4 s/)
  near(headTime, 4)

  // Drops of a head buy no time.
  const drops = fetching(limits)
  drops.raw(seen =>
    onText(seen, () => {
      const text = 'HTTP/1.1 200 OK\r\nX: 1\r\n'
      for (let i = 0; i < text.length; i++) drops.world.at(i * 900, () => void write(seen.connection, text[i]))
    }),
  )
  near((await take(drops, drops.web.fetch(base)))[1], 4)

  // Pieces of a body do.
  const pieces = fetching(limits)
  pieces.raw(seen =>
    onText(seen, () => {
      void write(seen.connection, 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n')
      for (let i = 0; i < 5; i++) pieces.world.at(i * 3000, () => void write(seen.connection, 'x'))
    }),
  )
  const [body, bodyTime] = await take(pieces, pieces.web.fetch(base))
  t.regex(body, /^ETIMEDOUT: the response of http:\/\/10\.0\.0\.2\/ is not whole: .*sends nothing more of the body within 5 s/)
  near(bodyTime, 12 + 5)

  const full = fetching(limits)
  full.raw(() => {}, { reads: false })
  const [write_, writeTime] = await take(full, full.web.fetch(base, { method: 'POST', body: new Uint8Array(5_000_000) }))
  t.regex(write_, /^ETIMEDOUT: .*takes nothing of the request within 6 s/)
  near(writeTime, 6)
})

test('a request whose stream says nothing is the program that takes its time', async t => {
  const { web, run, pass, answers } = fetching({ writeTimeout: 2, headTimeout: 2 })
  answers(['', ok])
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(value) {
      controller = value
    },
  })
  const sent = outcome(web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit))
  await pass(60)
  controller.enqueue(new Uint8Array(10))
  await pass(60)
  controller.close()
  t.is(await run(sent), '200 OK: ok')
})

test('a body larger than the limit is refused, however long it says it is', async t => {
  for (const head of ['Content-Length: 1001\r\n', 'Transfer-Encoding: chunked\r\n', '']) {
    const { web, run, raw } = fetching({ body: 1000 })
    raw(seen =>
      onText(seen, () => {
        const body = 'x'.repeat(1001)
        void write(seen.connection, `HTTP/1.1 200 OK\r\n${head}\r\n${head.startsWith('T') ? `3e9\r\n${body}\r\n0\r\n\r\n` : body}`)
        seen.connection.end()
      }),
    )
    t.regex(await run(outcome(web.fetch(base))), /^EMSGSIZE: .*larger than the limit/)
    t.is(web.connections, 0)
  }
})

test('a client that is closed breaks what it has, and does nothing more', async t => {
  const { web, run, pass, answers, raw, world } = fetching({ connectionsPerOrigin: 2 })
  answers([ok])
  raw(() => {}, { port: 81 })
  t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  const open = Array.from({ length: 4 }, () => outcome(web.fetch(`${base}:81/`)))
  await pass(1)
  web.close()
  for (const one of open) t.regex(await run(one), /^ECANCELED: .*the client was closed/)
  t.regex(await run(outcome(web.fetch(base))), /^ECANCELED: /)
  t.deepEqual([web.connections, web.waiting], [0, 0])
  t.true(await world.run(600_000), 'no event is left')
})

test('limits that are none are refused', t => {
  for (const limits of [
    { connections: 0 },
    { headTimeout: 0 },
    { body: -1 },
    { redirects: Number.NaN },
    { headTimeout: '5' },
    { hedTimeout: 5 },
  ])
    t.throws(() => fetching(limits as object), { instanceOf: RangeError, message: /^http client: / })
})
