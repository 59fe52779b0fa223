/** The client over the simulated wire: against our own server, and against servers that say what the test wants. */
import test from 'ava'
import { pattern } from '../../testing/pair.ts'
import { known } from '../server/testing.ts'
import { placeOf } from './request.ts'
import { fetching, latin1, onText, outcome, textOf, write } from './testing.ts'

const base = 'http://10.0.0.2'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('a page, and another over the same connection', async t => {
  const { web, run, serve } = fetching()
  let requests = ''
  const stop = serve(request => {
    requests += `${request.method} ${request.url} ${JSON.stringify([...request.headers])}\n`
    return known(`page ${new URL(request.url).pathname}`, { headers: { 'x-one': '1' }, statusText: 'Fine' })
  })
  const first = await run(web.fetch(`${base}/a?b=c#d`))
  t.deepEqual([first.status, first.statusText, first.headers.get('x-one')], [200, 'Fine', '1'])
  t.deepEqual([first.ok, first.redirected, first.url], [true, false, `${base}/a?b=c`])
  const copy = first.clone()
  t.deepEqual([copy.url, copy.redirected, copy.clone().url], [first.url, false, first.url])
  t.true(first instanceof Response && copy instanceof Response)
  t.is(await run(copy.text()), 'page /a')
  t.is(await run(first.text()), 'page /a')
  t.is(await run((await run(web.fetch(new URL(`${base}/b`)))).text()), 'page /b')
  t.is(web.connections, 1)
  const headers = '[["accept","*/*"],["host","10.0.0.2"],["user-agent","xen-ts"]]'
  t.is(requests, `GET ${base}/a?b=c ${headers}\nGET ${base}/b ${headers}\n`)
  web.close()
  await stop()
})

test('what a request looks like on the wire', async t => {
  const table: readonly (readonly [string, RequestInit | undefined, string])[] = [
    ['/', undefined, 'GET / HTTP/1.1\r\nhost: 10.0.0.2\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    ['?q', undefined, 'GET /?q HTTP/1.1\r\nhost: 10.0.0.2\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    [':81/', undefined, 'GET / HTTP/1.1\r\nhost: 10.0.0.2:81\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    [':80/a b/\u00e4', undefined, 'GET /a%20b/%C3%A4 HTTP/1.1\r\nhost: 10.0.0.2\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    ['/', { method: 'delete' }, 'DELETE / HTTP/1.1\r\nhost: 10.0.0.2\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    ['/', { method: 'POST' }, 'POST / HTTP/1.1\r\nhost: 10.0.0.2\r\ncontent-length: 0\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n'],
    [
      '/',
      { method: 'PUT', body: 'h\u00e4', headers: { 'content-type': 'text/x', accept: 'a/b', 'user-agent': 'me' } },
      'PUT / HTTP/1.1\r\nhost: 10.0.0.2\r\naccept: a/b\r\ncontent-type: text/x\r\nuser-agent: me\r\ncontent-length: 3\r\n\r\nh\xc3\xa4',
    ],
    [
      '/',
      {
        headers: {
          Host: 'evil',
          Connection: 'upgrade',
          'Content-Length': '9',
          'Transfer-Encoding': 'chunked',
          Expect: '100-continue',
          Upgrade: 'x',
          TE: 'trailers',
          Trailer: 'x',
          'Keep-Alive': '1',
          'Proxy-Connection': 'close',
          Cookie: 'a=b',
        },
      },
      'GET / HTTP/1.1\r\nhost: 10.0.0.2\r\ncookie: a=b\r\naccept: */*\r\nuser-agent: xen-ts\r\n\r\n',
    ],
  ]
  for (const [path, init, expected] of table) {
    const { web, run, answers } = fetching()
    const port = path.startsWith(':81') ? 81 : 80
    const seen = answers([ok], { port })
    t.is(await run(outcome(web.fetch(base + path, init))), '200 OK: ok')
    t.is(seen[0].text, expected)
  }
})

test('nothing that a program gives becomes a line of its own', async t => {
  const { web, run, answers } = fetching()
  const seen = answers([ok, ok, ok, ok])
  for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', 'a\x01b', 'a\x7fb', 'a\u010ab', '\u010d\u010ahost: x']) {
    t.regex(await run(outcome(web.fetch(base, { headers: { 'x-a': value } }))), /^undefined: |control characters/, JSON.stringify(value))
  }
  for (const name of ['a\r\nb', 'a b', 'a:', '', '\u010a']) {
    t.regex(await run(outcome(web.fetch(base, { headers: { [name]: 'x' } }))), /^undefined: /, JSON.stringify(name))
  }
  for (const method of ['GET / HTTP/1.1\r\nx: y\r\n\r\nGET', 'G T', '', 'CONNECT', 'TRACE', 'track']) {
    t.regex(await run(outcome(web.fetch(base, { method }))), /^undefined: /, method)
  }
  t.is(seen.length, 0)
  // What a URL makes of these is one line.
  t.is(await run(outcome(web.fetch(`${base}/\r\n/a\tb\nc\u010a \x00`))), '200 OK: ok')
  t.is(seen[0].text.split('\r\n')[0], 'GET //abc%C4%8A%20%00 HTTP/1.1'.replace('%20%00', ''))
})

test('where a URL leads', t => {
  t.deepEqual(placeOf('http://[fd00::1]:81/x?y#z'), { authority: '[fd00::1]:81', host: 'fd00::1', port: 81, target: '/x?y' })
  t.deepEqual(placeOf('http://a.b/'), { authority: 'a.b', host: 'a.b', port: 80, target: '/' })
  for (const url of [
    'http://a b/',
    'http://a/\r\nx',
    'http://a/ x',
    'http://a/\u010a',
    'http://a@b/',
    'http://a:99999/',
    'http:///',
    'http:a',
    'x',
  ])
    t.throws(() => placeOf(url), { instanceOf: TypeError }, url)
})

test('what is not http is refused, and says what to do', async t => {
  const { web, run, answers } = fetching()
  const seen = answers([])
  const https = await run(outcome(web.fetch('https://10.0.0.2/secret?x')))
  t.regex(https, /^EPROTONOSUPPORT: fetch of https:\/\/10\.0\.0\.2\/secret failed: https is not there yet.*: use http/)
  for (const url of [
    'ftp://10.0.0.2/',
    'data:text/plain,x',
    'file:///etc',
    'about:blank',
    'http://user:pass@10.0.0.2/',
    '/path',
    '',
    'http://',
  ])
    t.regex(await run(outcome(web.fetch(url))), /^(undefined|ERR_INVALID_URL): /, url)
  t.regex(await run(outcome(web.fetch(base, { redirect: 'maybe' as 'error' }))), /^undefined: .*(redirect|not an accepted type)/)
  t.is(seen.length, 0)
})

test('bodies of all kinds go out and come back, short and long', async t => {
  const { web, run, serve } = fetching()
  serve(async request => new Response(await request.arrayBuffer(), { headers: { 'x-type': request.headers.get('content-type') ?? '' } }))
  const text = 'a text of some size. '.repeat(15_000)
  const bytes = pattern(100_000)
  const stream = (): ReadableStream => ReadableStream.from([latin1('one '), new Uint8Array(0), latin1('two '), bytes])
  const table: readonly (readonly [any, string, string])[] = [
    ['', '', 'text/plain;charset=UTF-8'],
    ['short', 'short', 'text/plain;charset=UTF-8'],
    [text, text, 'text/plain;charset=UTF-8'],
    [new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded;charset=UTF-8'],
    [bytes, textOf(bytes), ''],
    [bytes.buffer, textOf(bytes), ''],
    [stream(), `one two ${textOf(bytes)}`, ''],
  ]
  for (const [body, expected, type] of table) {
    const response = await run(web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit))
    t.is(response.headers.get('x-type'), type)
    t.true(textOf(new Uint8Array(await run(response.arrayBuffer()))) === expected)
  }
  t.is(web.connections, 1)
})

test('a stream of a request is read no faster than the server takes it, and all of it arrives', async t => {
  const { web, run, pass, raw } = fetching()
  let given = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (given >= 8_000_000) controller.close()
        else controller.enqueue(pattern(40_000, given))
        given += 40_000
      },
    },
    { highWaterMark: 0 },
  )
  const seen = raw(() => {}, { reads: false })
  const sent = web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit)
  await pass(30)
  const before = given
  t.true(before > 40_000 && before < 1_000_000, `${before} bytes were taken`)
  let received = 0
  let tail = ''
  void (async () => {
    const { connection } = seen[0]
    for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read()) {
      received += bytes.length
      tail = (tail + textOf(bytes.subarray(-10))).slice(-10)
      if (tail.endsWith('\r\n0\r\n\r\n')) await write(connection, ok)
    }
  })()
  t.is(await run(outcome(sent)), '200 OK: ok')
  t.true(received > 8_000_000)
})

test('a stream of a request that fails, or yields no bytes, breaks the request', async t => {
  const failing = new ReadableStream({
    pull(controller) {
      controller.enqueue(latin1('begin'))
      controller.error(new Error('no more'))
    },
  })
  let cancelled: unknown
  const texts = new ReadableStream({
    pull: controller => controller.enqueue('text'),
    cancel(reason) {
      cancelled = reason
    },
  })
  for (const [body, message] of [
    [failing, 'no more'],
    [texts, 'the stream of a request body must yield Uint8Arrays'],
  ] as const) {
    const { web, run, raw, pass } = fetching()
    const seen = raw(() => {})
    const error = await run(
      t.throwsAsync(web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit), { instanceOf: TypeError }),
    )
    t.is(error!.message, `fetch of http://10.0.0.2/ failed: ${message}`)
    await pass(1)
    t.false(seen[0].text.includes('\r\n0\r\n'), 'the server does not take it for whole')
    t.is(seen[0].state, 'broken')
    t.is(web.connections, 0)
  }
  t.true(cancelled instanceof TypeError)
})

test('a response is read no faster than the program takes it', async t => {
  const { web, run, pass, raw } = fetching({ bodyTimeout: 5 })
  let sent = 0
  raw(seen => {
    onText(seen, async () => {
      await write(seen.connection, 'HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n')
      for (; sent < 8_000_000; sent += 40_000) await seen.connection.write(pattern(40_000, sent))
    })
  })
  const response = await run(web.fetch(base))
  // A program that takes its time is not the server's fault.
  await pass(100)
  t.true(sent < 1_000_000, `${sent} bytes were sent`)
  let received = 0
  let isRight = true
  await run(
    (async () => {
      for await (const piece of response.body!) {
        isRight &&= textOf(piece.subarray(0, 100)) === textOf(pattern(Math.min(100, piece.length), received))
        received += piece.length
      }
    })(),
  )
  t.deepEqual([received, isRight], [8_000_000, true])
  t.is(web.connections, 1)
})

test('a response that nobody wants breaks its connection', async t => {
  for (const how of ['cancel', 'return'] as const) {
    const { web, run, pass, raw } = fetching()
    const seen = raw(seen => onText(seen, () => void write(seen.connection, 'HTTP/1.1 200 OK\r\n\r\nbegin')))
    const response = await run(web.fetch(base))
    if (how === 'cancel') await run(response.body!.cancel('enough'))
    else
      await run(
        (async () => {
          for await (const _ of response.body!) break
        })(),
      )
    await pass(1)
    t.is(web.connections, 0)
    t.is(seen[0].state, 'broken')
  }
})

test('a short response that nobody reads does not keep its connection', async t => {
  const { web, run, pass, raw, world } = fetching()
  const seen = raw(seen =>
    onText(seen, () => {
      void write(seen.connection, 'HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n')
      world.at(50, () => void write(seen.connection, new Uint8Array(10_000)))
    }),
  )
  for (let i = 0; i < 20; i++) t.is((await run(web.fetch(base))).status, 200)
  await pass(1)
  t.true(seen.length < 9)
  t.is(web.waiting, 0)
})

test('HEAD and statuses without a body leave the connection for the next', async t => {
  const { web, run, answers } = fetching()
  const seen = answers([
    'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
    'HTTP/1.1 204 No\r\n\r\n',
    'HTTP/1.1 304 No\r\nETag: "1"\r\n\r\n',
    ok,
  ])
  const head = await run(web.fetch(base, { method: 'HEAD' }))
  t.deepEqual([head.status, head.headers.get('content-length'), head.body], [200, '500', null])
  t.is((await run(web.fetch(base))).body, null)
  t.is((await run(web.fetch(base))).headers.get('etag'), '"1"')
  t.is(await run(outcome(web.fetch(base))), '200 OK: ok')
  t.is(seen.length, 1)
})

test('a response that comes before the request was sent is taken, and the rest is not sent', async t => {
  const { web, run, pass, raw } = fetching()
  const refused = 'HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much'
  let cancelled: unknown
  const endless = (): ReadableStream =>
    new ReadableStream({
      pull: controller => controller.enqueue(new Uint8Array(10_000)),
      cancel(reason) {
        cancelled = reason
      },
    })
  for (const body of [new Uint8Array(5_000_000), endless()]) {
    const seen = raw(seen => onText(seen, () => void write(seen.connection, refused)), {
      reads: true,
      port: 80 + (body instanceof Uint8Array ? 0 : 1),
    })
    const port = body instanceof Uint8Array ? '' : ':81'
    t.is(await run(outcome(web.fetch(base + port, { method: 'POST', body, duplex: 'half' } as RequestInit))), '413 Too Large: too much')
    await pass(100)
    t.is(web.connections, 0)
    t.is(seen.length, 1)
    t.true(seen[0].text.length < 5_000_000)
  }
  t.true(cancelled instanceof Error)
})

test('a server that reads nothing of a request and resets: the answer before the reset is not lost', async t => {
  const { web, run, raw } = fetching()
  raw(
    seen => {
      void write(seen.connection, 'HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
      seen.connection.end()
    },
    { reads: false },
  )
  t.is(await run(outcome(web.fetch(base, { method: 'POST', body: new Uint8Array(2_000_000) }))), '403 No: no')
})

test('an echo: the response begins before the request has ended, and both go on', async t => {
  const { web, run, raw } = fetching()
  raw(seen => {
    let isBegun = false
    onText(seen, () => {
      if (!isBegun) void write(seen.connection, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
      isBegun = true
      if (seen.text.endsWith('\r\n0\r\n\r\n')) void write(seen.connection, '3\r\ntwo\r\n0\r\n\r\n')
    })
  })
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(value) {
      controller = value
    },
  })
  const response = await run(web.fetch(base, { method: 'POST', body, duplex: 'half' } as RequestInit))
  const reader = response.body!.getReader()
  t.is(textOf((await run(reader.read())).value!), 'one')
  controller.enqueue(latin1('more'))
  controller.close()
  t.is(textOf((await run(reader.read())).value!), 'two')
  t.true((await run(reader.read())).done)
  t.is(web.connections, 1)
})

test('what TCP and DNS say is the cause, with code, and address or name in the text', async t => {
  const { web, run, client } = fetching()
  t.regex(
    await run(outcome(web.fetch(`${base}:81/x`))),
    /^ECONNREFUSED: fetch of http:\/\/10\.0\.0\.2:81\/x failed: .*10\.0\.0\.2:81.* refused/,
  )
  t.regex(await run(outcome(web.fetch('http://10.0.0.9/'))), /^(EHOSTUNREACH|ETIMEDOUT): .*10\.0\.0\.9/)
  t.regex(await run(outcome(web.fetch('http://192.168.0.1/'))), /^EHOSTUNREACH: .*192\.168\.0\.1/)
  t.regex(await run(outcome(web.fetch('http://example.test/'))), /^ENOSERVER: .*example\.test/)
  client.configure(undefined)
  t.regex(await run(outcome(web.fetch(base))), /^EHOSTUNREACH: .*no network/)
  t.is(web.connections, 0)
})
