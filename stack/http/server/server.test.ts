import test, { type ExecutionContext } from 'ava'
import { type Pair, pair } from '../../testing/pair.ts'
import type { HttpHandler } from './server.ts'
import { httpServer, type ServeOptions } from './server.ts'

/** A server in a simulated world, and a client that speaks raw bytes. */
function serving(
  handler: HttpHandler,
  options: Partial<ServeOptions> = {},
): Pair & { stop(): void; stopped: Promise<void>; talk(parts: string[], ms?: number): Promise<string> } {
  const p = pair(7)
  const controller = new AbortController()
  const machine = p.world.machine('http')
  const stopped = httpServer(machine, p.server.tcp).serve({ port: 80, signal: controller.signal, ...options }, handler)
  return {
    ...p,
    stopped,
    stop: () => controller.abort(),
    /** Sends the parts a millisecond apart and returns what came back until the server closed or `ms` passed. */
    async talk(parts, ms = 20_000) {
      let received = ''
      let over = false
      void (async () => {
        const connection = await p.client.tcp.connect({ host: '10.0.0.2', port: 80 })
        parts.forEach((part, i) => p.world.at(i * 2, () => void connection.write(Buffer.from(part, 'latin1'))))
        for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read())
          received += Buffer.from(bytes).toString('latin1')
        connection.end()
        over = true
      })().catch(() => {
        over = true
      })
      await p.world.run(ms, () => over)
      return received
    },
  }
}

/** A response that knows its bytes, as the runtime's does when it was made from a string. */
const known = (text: string, init?: ResponseInit): Response =>
  Object.assign(new Response(text, init), { bodyBytes: () => Buffer.from(text) })

const describe: HttpHandler = async request =>
  known(`${request.method} ${request.url} ${JSON.stringify(await request.text())} x=${request.headers.get('x')}`)
const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const closing = 'Connection: close\r\n'

interface Case {
  name: string
  send: string[]
  /** Status of each response, in order, 100 included. */
  statuses: number[]
  contains?: string
  stays?: boolean
}

const long = 'x'.repeat(17_000)
const cases: Case[] = [
  { name: 'GET', send: [get('/a?b=c', closing)], statuses: [200], contains: 'GET http://a/a?b=c "" x=null' },
  { name: 'head in single bytes', send: [...get('/', closing)], statuses: [200] },
  { name: 'empty line before the request', send: ['\r\n' + get('/', closing)], statuses: [200] },
  { name: 'field value with white space round it', send: [get('/', `x: \t a b \t\r\n${closing}`)], statuses: [200], contains: 'x=a b' },
  { name: 'two pipelined in one segment', send: [get('/1') + get('/2', closing)], statuses: [200, 200], contains: 'http://a/2' },
  {
    name: 'pipelined, cut in the second head',
    send: [get('/1') + 'GET /2 HT', 'TP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    statuses: [200, 200],
  },
  { name: 'keep-alive', send: [get('/1'), get('/2'), get('/3', closing)], statuses: [200, 200, 200] },
  { name: 'HTTP/1.0 closes', send: ['GET / HTTP/1.0\r\n\r\n'], statuses: [200], contains: 'connection: close' },
  {
    name: 'HTTP/1.0 keep-alive',
    send: ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n'],
    statuses: [200, 200],
    contains: 'connection: keep-alive',
  },
  { name: 'absolute form', send: [get('http://b:81/q', closing)], statuses: [200], contains: 'GET http://b:81/q' },
  { name: 'absolute form without a path', send: [get('http://b?x', closing)], statuses: [200], contains: 'GET http://b/?x ' },
  { name: 'OPTIONS *', send: [`OPTIONS * HTTP/1.1\r\nHost: a\r\n${closing}\r\n`], statuses: [200], contains: 'OPTIONS http://a/ ' },
  {
    name: 'OPTIONS * with an empty Host',
    send: [`OPTIONS * HTTP/1.1\r\nHost:\r\n${closing}\r\n`],
    statuses: [200],
    contains: 'OPTIONS http://10.0.0.2/ ',
  },
  {
    name: 'an empty Host is the address of the server',
    send: [`GET /public/admin HTTP/1.1\r\nHost: \r\n${closing}\r\n`],
    statuses: [200],
    contains: 'GET http://10.0.0.2/public/admin ',
  },
  {
    name: 'a path of two slashes with an empty Host',
    send: [`GET //b/admin HTTP/1.1\r\nHost:\r\n${closing}\r\n`],
    statuses: [200],
    contains: 'GET http://10.0.0.2//b/admin ',
  },
  { name: 'HTTP/1.0 without Host', send: ['GET /x HTTP/1.0\r\n\r\n'], statuses: [200], contains: 'GET http://10.0.0.2/x ' },
  {
    name: 'Host in capitals with the port of http',
    send: [get('/', closing).replace('Host: a', 'Host: A.B:80')],
    statuses: [200],
    contains: ' http://a.b/ ',
  },
  {
    name: 'dots and characters to encode in the target',
    send: [get('/a/../b|c?d|"', closing)],
    statuses: [200],
    contains: ' http://a/b|c?d|%22 ',
  },
  { name: 'a path of slashes, and an empty query', send: [get('//b/..//c?', closing)], statuses: [200], contains: ' http://a///c? ' },
  { name: 'eight empty lines before the request', send: ['\r\n'.repeat(8) + get('/', closing)], statuses: [200] },
  { name: 'empty lines between requests, in single bytes', send: [...`${get('/1')}\r\n\r\n${get('/2', closing)}`], statuses: [200, 200] },
  {
    name: 'body by length',
    send: [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n${closing}\r\nhello`],
    statuses: [200],
    contains: 'POST http://a/ "hello"',
  },
  {
    name: 'body in pieces',
    send: [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n${closing}\r\nhe`, 'l', 'lo'],
    statuses: [200],
    contains: '"hello"',
  },
  {
    name: 'body and a pipelined request',
    send: ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi' + get('/2', closing)],
    statuses: [200, 200],
    contains: '"hi"',
  },
  {
    name: 'chunked body',
    send: [`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${closing}\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n`],
    statuses: [200],
    contains: '"hello!"',
  },
  {
    name: 'chunked body in single bytes',
    send: [...`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${closing}\r\n5\r\nhello\r\n0\r\n\r\n`],
    statuses: [200],
    contains: '"hello"',
  },
  {
    name: 'chunk extensions, leading zeros of a chunk size, and trailers that are dropped',
    send: [
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${closing}\r\n`,
      `${'0'.repeat(40)}5 ; a ; b=c;d = "e;\\"\xe4"\r\nhello\r\n000;a\r\nContent-Length: 9\r\nX: trailer\r\n\r\n`,
    ],
    statuses: [200],
    contains: '"hello" x=null',
  },
  {
    name: '100-continue',
    send: [`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n${closing}\r\n`, 'ok'],
    statuses: [100, 200],
    contains: '"ok"',
  },
  {
    name: 'HEAD has the length and no body',
    send: [`HEAD / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`],
    statuses: [200],
    contains: 'content-length: 24\r\n',
  },
  // refused
  { name: 'nine empty lines', send: [`${'\r\n'.repeat(9)}${get('/', closing)}`], statuses: [400] },
  { name: 'nine empty lines in single bytes', send: [...`${'\r\n'.repeat(9)}${get('/', closing)}`], statuses: [400] },
  { name: 'https over plain TCP', send: [get('https://a/x')], statuses: [421] },
  { name: 'another scheme', send: [get('ftp://a/x')], statuses: [400] },
  { name: 'absolute form without a host', send: [get('http:///x')], statuses: [400] },
  { name: 'absolute form with a user', send: [get('http://u@a/x')], statuses: [400] },
  { name: 'absolute form with a bad host', send: [get('http://a^b/x')], statuses: [400] },
  { name: 'an asterisk with GET', send: [get('*')], statuses: [400] },
  { name: 'Host with a port only', send: [get('//b/x').replace('Host: a', 'Host: :80')], statuses: [400] },
  { name: 'Host with a port above 65535', send: [get().replace('Host: a', 'Host: a:65536')], statuses: [400] },
  { name: 'Host that is half an address', send: [get().replace('Host: a', 'Host: 1.2.3.256')], statuses: [400] },
  { name: 'a fragment in the target', send: [get('/a#b')], statuses: [400] },
  { name: 'a backslash in the path', send: [get('/public\\..\\admin')], statuses: [400] },
  ...['t', ': x', ' folded: x', 't: x\r\n folded', 't : x', 't: \x01', 't: a\rb', 't: a\nb: c'].map(line => ({
    name: `trailer ${JSON.stringify(line)}`,
    send: [get('/', 'Transfer-Encoding: chunked\r\n') + `0\r\n${line}\r\n\r\n`],
    statuses: [400],
  })),
  ...[';', '; ', ';=a', ';a="b', ';a="b"c', ';a=', ';a b', ';a="\x01"', ' ', ';a;', ' a'].map(extension => ({
    name: `chunk extension ${JSON.stringify(extension)}`,
    send: [get('/', 'Transfer-Encoding: chunked\r\n') + `1${extension}\r\na\r\n0\r\n\r\n`],
    statuses: [400],
  })),
  { name: 'chunk size of zeros without end', send: [get('/', 'Transfer-Encoding: chunked\r\n') + '0'.repeat(300)], statuses: [400] },
  { name: 'empty lines without end', send: ['\r\n'.repeat(8000)], statuses: [400] },
  { name: 'no request line', send: ['hello\r\n\r\n'], statuses: [400] },
  { name: 'two spaces in the request line', send: ['GET  / HTTP/1.1\r\nHost: a\r\n\r\n'], statuses: [400] },
  { name: 'method that is no token', send: ['G(T / HTTP/1.1\r\nHost: a\r\n\r\n'], statuses: [400] },
  { name: 'HTTP/2.0', send: ['GET / HTTP/2.0\r\nHost: a\r\n\r\n'], statuses: [505] },
  { name: 'HTTP/2 preface', send: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], statuses: [505] },
  { name: 'HTTP/11.1', send: ['GET / HTTP/11.1\r\nHost: a\r\n\r\n'], statuses: [505] },
  { name: 'no Host', send: ['GET / HTTP/1.1\r\n\r\n'], statuses: [400] },
  { name: 'two Hosts', send: [get('/', 'Host: b\r\n')], statuses: [400] },
  { name: 'Host with a path', send: ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'], statuses: [400] },
  { name: 'Host with a user', send: ['GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'], statuses: [400] },
  { name: 'folded field', send: [get('/', 'x: a\r\n b\r\n')], statuses: [400] },
  { name: 'space before the colon', send: [get('/', 'x : a\r\n')], statuses: [400] },
  { name: 'field without a name', send: [get('/', ': a\r\n')], statuses: [400] },
  { name: 'line feeds only', send: ['GET / HTTP/1.1\nHost: a\n\n'], statuses: [400] },
  { name: 'a lone line feed among the fields', send: [get('/', 'x: a\ny: b\r\n')], statuses: [400] },
  { name: 'a lone carriage return', send: [get('/', 'x: a\rb\r\n')], statuses: [400] },
  { name: 'NUL in the head', send: ['GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n'], statuses: [400] },
  { name: 'escape character in a field', send: [get('/', 'x: \x1b[0m\r\n')], statuses: [400] },
  { name: 'target outside ASCII', send: [get('/\xe4')], statuses: [400] },
  { name: 'relative target', send: [get('a')], statuses: [400] },
  { name: 'CONNECT', send: ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'], statuses: [405] },
  { name: 'TRACE', send: ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'], statuses: [405] },
  { name: 'head too long', send: [get('/', `x: ${long}\r\n`)], statuses: [431] },
  { name: 'target too long', send: [get(`/${'x'.repeat(9000)}`)], statuses: [414] },
  { name: 'too many fields', send: [get('/', 'x: y\r\n'.repeat(101))], statuses: [431] },
  {
    name: 'Content-Length and Transfer-Encoding',
    send: [get('/', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n')],
    statuses: [400],
  },
  { name: 'two Content-Lengths', send: [get('/', 'Content-Length: 3\r\nContent-Length: 3\r\n')], statuses: [400] },
  { name: 'Content-Length list', send: [get('/', 'Content-Length: 3, 3\r\n')], statuses: [400] },
  { name: 'Content-Length with a sign', send: [get('/', 'Content-Length: +3\r\n')], statuses: [400] },
  { name: 'unknown transfer coding', send: [get('/', 'Transfer-Encoding: gzip, chunked\r\n')], statuses: [501] },
  { name: 'chunked twice', send: [get('/', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')], statuses: [501] },
  { name: 'Transfer-Encoding in HTTP/1.0', send: ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'], statuses: [400] },
  { name: 'chunk size that is no number', send: [get('/', 'Transfer-Encoding: chunked\r\n') + 'x\r\n'], statuses: [400] },
  { name: 'negative chunk size', send: [get('/', 'Transfer-Encoding: chunked\r\n') + '-1\r\n'], statuses: [400] },
  { name: 'chunk longer than its size', send: [get('/', 'Transfer-Encoding: chunked\r\n') + '1\r\nab\r\n'], statuses: [400] },
  { name: 'chunk line with a bare line feed', send: [get('/', 'Transfer-Encoding: chunked\r\n') + '1\nab'], statuses: [400] },
  { name: 'endless chunk extension', send: [get('/', 'Transfer-Encoding: chunked\r\n') + `1;${long}`], statuses: [400] },
  {
    name: 'endless trailers',
    send: [get('/', 'Transfer-Encoding: chunked\r\n') + '0\r\n' + `t: ${'x'.repeat(100)}\r\n`.repeat(100)],
    statuses: [431],
  },
  { name: 'body above the limit', send: [get('/', 'Content-Length: 1048577\r\n')], statuses: [413] },
  { name: 'chunk above the limit', send: [get('/', 'Transfer-Encoding: chunked\r\n') + 'fffffff\r\n'], statuses: [413] },
  { name: 'expectation nobody knows', send: [get('/', 'Expect: tea\r\n')], statuses: [417] },
  { name: 'head that never ends', send: ['GET / HT'], statuses: [408] },
  { name: 'body that never comes', send: ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe'], statuses: [408] },
]

for (const { name, send, statuses, contains } of cases) {
  test(`HTTP: ${name} -> ${statuses.join(' ')}, then the connection closes`, async t => {
    const server = serving(describe)
    const answer = await server.talk(send, 45_000)
    t.deepEqual(
      [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(match => +match[1]),
      statuses,
      answer,
    )
    if (contains !== undefined) t.true(answer.includes(contains), answer)
    if (!statuses.includes(200)) t.true(answer.includes('connection: close\r\n'))
    t.is(await settled(server, t), true)
  })
}

/** Every connection is gone, and with it all that it held. */
async function settled(server: Pair, t: ExecutionContext): Promise<boolean> {
  await server.world.run(200_000)
  t.is(server.server.tcp.memory.used, 0)
  t.is(server.serverDevice.reserved, 0)
  return server.server.tcp.connections === 0
}

test('several Cookie fields are joined as cookies are, others as lists', async t => {
  const server = serving(({ headers }) => known(`<${headers.get('cookie')}> <${headers.get('accept')}>`))
  const fields = 'Cookie: a=1\r\nAccept: x\r\ncookie: b=2; c=3\r\nAccept: y\r\nCOOKIE: d=4\r\n'
  const answer = await server.talk([get('/', fields + closing)])
  t.true(answer.endsWith('<a=1; b=2; c=3; d=4> <x, y>'), answer)
})

test("the handler's statusText is the reason phrase, and cannot be more than one line", async t => {
  const texts = ['Fine with me', 'tab\t\xe4', 'a\r\nx: y', 'a\u0100', '']
  let n = 0
  const server = serving(() => Object.assign(known(''), { bodyBytes: () => new Uint8Array(0) }))
  const lying = serving(() => {
    const response = known('')
    Object.defineProperty(response, 'statusText', { value: texts[n++] })
    return response
  })
  t.true((await server.talk([get('/', closing)])).startsWith('HTTP/1.1 200 OK\r\n'))
  const answer = await lying.talk([...texts.slice(1).map(() => get()), get('/', closing)])
  t.deepEqual(answer.match(/^HTTP\/1\.1.*$/gm), [
    'HTTP/1.1 200 Fine with me',
    'HTTP/1.1 200 tab\t\xe4',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
  ])
})

test('HEAD sends no body, and 204 and 304 have none', async t => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    const server = serving(() => (status === 200 ? known('body') : new Response(null, { status })))
    const answer = await server.talk([`${method} / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`])
    t.true(answer.endsWith('\r\n\r\n'), answer)
    t.is(answer.includes('content-length'), status === 200)
  }
})

test('a handler that throws, rejects or returns no Response is logged and answered 500, and the connection lives on', async t => {
  const handlers: HttpHandler[] = [
    () => {
      throw new Error('first')
    },
    () => Promise.reject(new Error('second')),
    () => undefined as unknown as Response,
  ]
  let n = 0
  const server = serving(request => handlers[n++](request))
  const answer = await server.talk([get('/1'), get('/2'), get('/3', closing)])
  t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 500', 'HTTP/1.1 500', 'HTTP/1.1 500'])
  t.false(answer.includes('first'), 'the reason is for the log, not for the client')
  const log = server.world.logLines.filter(line => line.includes('ERR [http]')).join('\n')
  t.regex(log, /GET http:\/\/a\/1 failed: Error: first/)
  t.regex(log, /\/2 failed: Error: second/)
  t.regex(log, /\/3 failed: TypeError: the handler returned undefined: return new Response/)
})

test('a streamed body goes out chunked; a client that leaves cancels it', async t => {
  let cancelled = false
  const body = (n: number): ReadableStream => {
    let i = 0
    return new ReadableStream({
      pull(controller) {
        if (i++ < n) controller.enqueue(new TextEncoder().encode(`part ${i};`))
        else controller.close()
      },
      cancel() {
        cancelled = true
      },
    })
  }
  const server = serving(request => new Response(body(request.url.endsWith('endless') ? Infinity : 3)))
  t.true((await server.talk([get('/', closing)])).endsWith('7\r\npart 1;\r\n7\r\npart 2;\r\n7\r\npart 3;\r\n0\r\n\r\n'))
  const connection = server.client.tcp.connect({ host: '10.0.0.2', port: 80 })
  void connection.then(c => c.write(Buffer.from(get('/endless')))).catch(() => {})
  await server.world.run(100)
  void connection.then(c => c.abort())
  await server.world.run(1000, () => cancelled)
  t.true(cancelled)
})

test('stopping: idle connections end, the request under way is answered with connection: close, then serve resolves', async t => {
  const answered = Promise.withResolvers<Response>()
  const server = serving(request => (request.url.endsWith('slow') ? answered.promise : new Response('x')))
  let slow = ''
  let idleEnded = false
  void (async () => {
    const idle = await server.client.tcp.connect({ host: '10.0.0.2', port: 80 })
    const busy = await server.client.tcp.connect({ host: '10.0.0.2', port: 80 })
    await busy.write(Buffer.from(get('/slow')))
    void idle.read().then(bytes => {
      idleEnded = bytes === undefined
      idle.end()
    })
    for (let bytes = await busy.read(); bytes !== undefined; bytes = await busy.read()) slow += Buffer.from(bytes).toString()
    busy.end()
  })()
  await server.world.run(100)
  server.stop()
  let stopped = false
  void server.stopped.then(() => {
    stopped = true
  })
  await server.world.run(100)
  t.true(idleEnded)
  t.false(stopped)
  answered.resolve(known('late'))
  await server.world.run(200, () => stopped)
  t.true(stopped)
  t.regex(slow, /connection: close\r\n\r\nlate$/)
})

test('a request in one segment is answered with one segment, head and body, that acknowledges it', async t => {
  const server = serving(() => known('hello'))
  const sizes: string[] = []
  server.wire.filter = (frame, from) => {
    sizes.push(`${from === server.serverDevice ? 'server' : 'client'} ${frame.length > 54 ? 'data' : 'control'}`)
    return true
  }
  void server.client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(async connection => {
    for (let i = 0; i < 3; i++) {
      await connection.write(Buffer.from(get('/')))
      await connection.read()
    }
  })
  await server.world.run(30)
  t.deepEqual(sizes.slice(-6), ['client data', 'server data', 'client data', 'server data', 'client data', 'server data'])
})

test('a client that sends requests and reads no answers is held back, and reset after a while', async t => {
  const server = serving(() => known('x'.repeat(50_000)))
  let failed = false
  void server.client.tcp
    .connect({ host: '10.0.0.2', port: 80 })
    .then(async connection => {
      connection.closed.catch(() => {
        failed = true
      })
      for (;;) await connection.write(Buffer.from(get('/').repeat(100)))
    })
    .catch(() => {})
  await server.world.run(30_000)
  t.true(server.server.tcp.memory.used <= 256 * 1024 + 1460, `${server.server.tcp.memory.used}`)
  await server.world.run(200_000, () => failed)
  t.true(failed)
})
