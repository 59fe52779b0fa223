/** Bodies of requests that are read while they come in: who holds how much, who is told what, and what comes behind them. */
import test from 'ava'
import { pair, pattern } from '../../testing/pair.ts'
import { World } from '../../testing/world.ts'
import { BodyReader } from './body.ts'
import { type HttpHandler, httpServer } from './server.ts'
import { bareServer, known } from './testing.ts'

const post = (more: string, body = '') => `POST /up HTTP/1.1\r\nHost: a\r\n${more}\r\n${body}`
const get = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'
const sized = (length: number, body = '') => post(`Content-Length: ${length}\r\n`, body)
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

/** Reads a body when it is told to. */
function stepping() {
  const read: string[] = []
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const over = Promise.withResolvers<Response>()
  const handler: HttpHandler = request => {
    if (request.method !== 'POST') return known('next')
    reader = request.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>
    return over.promise
  }
  return {
    handler,
    read,
    answer: () => over.resolve(known('done')),
    get isCalled() {
      return reader !== undefined
    },
    cancel: () => reader!.cancel('enough'),
    async next() {
      try {
        const { done, value } = await reader!.read()
        read.push(done ? 'END' : new TextDecoder().decode(value))
      } catch (error) {
        read.push((error as Error).message)
      }
    },
  }
}

test('the handler runs when the head is there; what it does not read stays with the client', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(300))
  t.true(program.isCalled)
  client.send('a'.repeat(100))
  client.send('b'.repeat(100))
  await server.seconds(1)
  t.is(client.kept, 200)
  await program.next()
  t.is(client.kept, 0)
  t.deepEqual(program.read, ['a'.repeat(100) + 'b'.repeat(100)])
  void program.next()
  client.send('c'.repeat(100))
  await server.seconds(0)
  t.is(client.kept, 0)
  await program.next()
  t.deepEqual(program.read.slice(1), ['c'.repeat(100), 'END'])
  program.answer()
  client.send(get)
  await server.seconds(0)
  t.deepEqual(client.statuses, [200, 200])
  t.is(client.kept, 0)
})

test('10 MB are streamed with no more held than the client was allowed to send', async t => {
  let total = 0
  const server = bareServer(async request => {
    for await (const piece of request.body!) total += piece.length
    return known(String(total))
  })
  const client = server.connect()
  client.send(sized(10_000_000))
  const piece = 'x'.repeat(50_000)
  let most = 0
  for (let sent = 0; sent < 10_000_000; sent += piece.length) {
    client.send(piece)
    most = Math.max(most, client.kept)
    if (client.kept > 100_000) await server.seconds(0)
  }
  await server.seconds(0)
  t.true(most <= 200_000, `${most}`)
  t.true(client.received.endsWith('10000000'))
  t.is(client.kept, 0)
})

test('single bytes of a chunked body are one piece for who reads late', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  for (const character of post('Transfer-Encoding: chunked\r\n') + chunk('hello') + chunk(', world')) client.send(character)
  await program.next()
  t.deepEqual(program.read, ['hello, world'])
  client.send('0\r\nx: y\r\n\r\n')
  await program.next()
  t.deepEqual(program.read, ['hello, world', 'END'])
})

test('100 Continue is sent when the body is read first, and not when it never is: the connection closes then', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(post('Expect: 100-continue\r\nContent-Length: 2\r\n'))
  await server.seconds(40)
  t.deepEqual(client.statuses, [])
  void program.next()
  await server.seconds(0)
  t.deepEqual(client.statuses, [100])
  client.send('ok')
  await server.seconds(0)
  program.answer()
  await server.seconds(0)
  t.deepEqual([client.statuses, client.state, program.read], [[100, 200], 'open', ['ok']])

  const other = bareServer(() => known('no')).connect()
  other.send(post('Expect: 100-continue\r\nContent-Length: 2\r\n'))
  t.regex(other.received, /^HTTP\/1\.1 200 [^]*connection: close/)
  other.send(`ok${get}`)
  t.deepEqual([other.statuses, other.state, other.kept], [[200], 'ended', 0])
})

test('what the handler has not read is dropped, within a limit, and the next request is found behind it', async t => {
  for (const [name, head, body] of [
    ['by length', sized(200_000), 'x'.repeat(200_000)],
    ['chunked', post('Transfer-Encoding: chunked\r\n'), `${chunk('x'.repeat(200_000))}0\r\n\r\n`],
  ]) {
    const server = bareServer(request => known(request.method))
    const client = server.connect()
    client.send(head)
    t.deepEqual(client.statuses, [200], name)
    client.send(body + get)
    t.deepEqual([client.statuses, client.kept, client.state], [[200, 200], 0, 'open'], name)
  }
  const tooLong = bareServer(() => known('x'))
  const client = tooLong.connect()
  client.send(sized(300_000))
  t.regex(client.received, /connection: close/)
  t.is(client.state, 'ended')
  client.send('x'.repeat(300_000) + get)
  t.deepEqual([client.statuses, client.kept], [[200], 0])
  // Nobody knows how long a chunked one is before it is too long.
  const chunked = tooLong.connect()
  chunked.send(post('Transfer-Encoding: chunked\r\n'))
  t.is(chunked.state, 'open')
  chunked.send(chunk('x'.repeat(150_000)))
  t.is(chunked.state, 'open')
  chunked.send(chunk('x'.repeat(150_000)))
  t.deepEqual([chunked.state, chunked.statuses], ['ended', [200]])
})

test('a body that is held when the answer is sent is dropped, and a read that comes too late is told so', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(300, 'a'.repeat(100)))
  client.send('b'.repeat(100))
  t.is(client.kept, 200)
  program.answer()
  await server.seconds(0)
  t.is(client.kept, 0)
  await program.next()
  t.deepEqual(program.read, ['the body of the request was not read before the response was sent'])
  client.send('c'.repeat(100) + get)
  await server.seconds(0)
  t.deepEqual(client.statuses, [200, 200])
})

test('text() that was begun is read to its end even behind the response', async t => {
  let text: Promise<string> | undefined
  const server = bareServer(request => {
    text = request.text()
    return known('accepted')
  })
  const client = server.connect()
  client.send(sized(10))
  client.send('hello')
  t.deepEqual(client.statuses, [200])
  client.send('world')
  t.is(await text, 'helloworld')
  client.send(sized(0))
  t.deepEqual([client.statuses, client.kept], [[200, 200], 0])
})

test('a body that nobody wants any more is dropped as it comes', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(1000, 'a'.repeat(100)))
  await program.cancel()
  client.send('a'.repeat(500))
  t.is(client.kept, 0)
  program.answer()
  await server.seconds(0)
  client.send('a'.repeat(400) + get)
  await server.seconds(0)
  t.deepEqual([client.statuses, client.kept], [[200, 200], 0])
})

interface Lie {
  name: string
  head: string
  then: string
  status: number
  says: RegExp
  ends?: boolean
}
const lies: Lie[] = [
  {
    name: 'a chunk size that is none',
    head: post('Transfer-Encoding: chunked\r\n'),
    then: 'zz\r\n',
    status: 400,
    says: /400, a chunk size/,
  },
  {
    name: 'a chunk longer than it says',
    head: post('Transfer-Encoding: chunked\r\n'),
    then: '1\r\nab\r\n',
    status: 400,
    says: /400, a chunk is/,
  },
  {
    name: 'a trailer that is none',
    head: post('Transfer-Encoding: chunked\r\n'),
    then: '0\r\nx\r\n\r\n',
    status: 400,
    says: /400, a trailer/,
  },
  { name: 'no end', head: sized(10), then: 'abc', status: 400, says: /400, the connection ended/, ends: true },
  { name: 'silence', head: sized(10), then: 'abc', status: 408, says: /408, the request took too long/ },
  {
    name: 'more than may be streamed',
    head: post('Transfer-Encoding: chunked\r\n'),
    then: `${chunk('x'.repeat(60))}${chunk('x'.repeat(60))}`,
    status: 413,
    says: /413, the body is larger than 100/,
  },
]
for (const { name, head, then, status, says, ends } of lies) {
  test(`a body with ${name}: reads fail, the client is told ${status}, the signal aborts, and nothing is logged as a fault`, async t => {
    let signal: AbortSignal | undefined
    const failures: string[] = []
    const server = bareServer(
      async request => {
        ;({ signal } = request)
        try {
          for await (const _ of request.body!);
        } catch (error) {
          failures.push(String(error))
          throw error
        }
        return known('fine')
      },
      { limits: { streamedBody: 100 } },
    )
    const client = server.connect()
    client.send(head)
    await server.seconds(0)
    client.send(then)
    if (ends) client.finish()
    await server.seconds(40)
    t.deepEqual(client.statuses, [status])
    t.regex(failures.join(), says)
    t.true(signal?.aborted)
    t.not(client.state, 'open')
    t.is(client.kept, 0)
    t.deepEqual(server.log('ERR'), [])
  })
}

test('what is gathered has a limit of its own: 413, whether the client says the length or not', async t => {
  const failures: string[] = []
  const handler: HttpHandler = async request => {
    try {
      return known(await request.text())
    } catch (error) {
      failures.push(String(error))
      return known('the program copes')
    }
  }
  for (const parts of [
    [sized(101)],
    [sized(101, 'x'.repeat(101))],
    [post('Transfer-Encoding: chunked\r\n'), chunk('x'.repeat(90)), chunk('x'.repeat(90))],
  ]) {
    const server = bareServer(handler, { limits: { body: 100 } })
    const client = server.connect()
    for (const part of parts) client.send(part)
    await server.seconds(0)
    t.deepEqual([client.statuses, client.state], [[413], 'ended'])
  }
  t.is(failures.length, 3)
  t.regex(failures[0], /413, the body is larger than 100 bytes/)
})

test('a client that has gone fails the reads with the reason that the signal has', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(100, 'abc'))
  await program.next()
  void program.next()
  client.reset()
  await server.seconds(0)
  t.deepEqual(program.read, ['abc', 'the client has gone'])
})

test('a client is not late while the program is: time counts only while it may send', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(10, 'abc'))
  await server.seconds(1)
  client.send('d')
  await server.seconds(200)
  t.is(client.state, 'open')
  await program.next()
  await server.seconds(25)
  t.deepEqual(client.statuses, [])
  await server.seconds(7)
  t.deepEqual(client.statuses, [408])
})

test('drops do not make a streamed body last for ever', async t => {
  const program = stepping()
  const server = bareServer(program.handler, { limits: { requestTimeout: 50 } })
  const client = server.connect()
  client.send(sized(1000))
  for (let i = 0; i < 60; i++) {
    void program.next()
    client.send('x')
    await server.seconds(1)
  }
  t.deepEqual(client.statuses, [408])
})

test('an echo: the response streams while the body comes in', async t => {
  const server = bareServer(request => new Response(request.body))
  const client = server.connect()
  client.send(sized(6, 'abc'))
  await server.seconds(0)
  t.true(client.received.endsWith('3\r\nabc\r\n'))
  client.send('def' + get)
  await server.seconds(0)
  t.true(client.received.includes('3\r\ndef\r\n0\r\n\r\n'))
  t.deepEqual(client.statuses, [200, 200])
})

test('a request that was pipelined behind a body that is still being read waits for its turn', async t => {
  const program = stepping()
  const server = bareServer(program.handler)
  const client = server.connect()
  client.send(sized(6, 'abc'))
  client.send(`def${get}`)
  t.is(client.kept, 6 + get.length)
  await program.next()
  await program.next()
  program.answer()
  await server.seconds(0)
  t.deepEqual([program.read, client.statuses, client.kept], [['abcdef', 'END'], [200, 200], 0])
})

test('over TCP, on a wire that loses segments: 2 MB arrive as they were sent, and a program that reads slowly closes the window', async t => {
  const { world, client, server } = pair(11, { loss: 0.02 })
  const size = 2_000_000
  const sent = pattern(size)
  let at = 0
  let isSame = true
  let most = 0
  void httpServer(world.machine('http'), server.tcp).serve({ port: 80 }, async request => {
    // Nothing is read for a second, and then a piece each 20 ms.
    await new Promise<void>(resolve => world.at(1000, resolve))
    for await (const piece of request.body!) {
      isSame &&= piece.every((byte: number, i: number) => byte === sent[at + i])
      at += piece.length
      await new Promise<void>(resolve => world.at(20, resolve))
      most = Math.max(most, server.tcp.memory.used) // of what came meanwhile
    }
    return known(`${at}`)
  })
  let answer = ''
  void client.tcp.connect({ host: '10.0.0.2', port: 80 }).then(async connection => {
    await connection.write(new TextEncoder().encode(sized(size)))
    for (let from = 0; from < size; from += 50_000) await connection.write(sent.subarray(from, from + 50_000))
    answer = new TextDecoder().decode(await connection.read())
  })
  await world.run(120_000, () => answer !== '')
  t.true(answer.endsWith(`\r\n\r\n${size}`), answer)
  t.true(isSame)
  t.true(most > 0 && most <= 256 * 1024 + 1460, `${most}`)
  await world.run(1000)
  t.is(server.tcp.memory.used, 0)
})

test('bodies that are gathered have a bound together: one too many is told so, and there is room again when others are complete, or gone', async t => {
  const server = bareServer(async request => known(String((await request.bytes()).length)), { limits: { body: 600, bodies: 1000 } })
  const clients = [0, 1, 2, 3].map(() => server.connect())
  const [first, second, third, fourth] = clients
  for (const client of [first, second]) {
    client.send(sized(500))
    client.send('a'.repeat(490))
  }
  third.send(sized(500))
  third.send('a'.repeat(490))
  await server.seconds(0)
  t.regex(third.received, /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*too many bodies are on their way to the server: try again later/)
  t.deepEqual([first.received, second.received], ['', ''])
  first.send('a'.repeat(10))
  second.reset()
  await server.seconds(0)
  t.regex(first.received, /^HTTP\/1\.1 200 [^]*500$/)
  fourth.send(sized(600))
  fourth.send('a'.repeat(599))
  first.send(sized(500))
  first.send('a'.repeat(390))
  fourth.send('a')
  await server.seconds(0)
  t.regex(fourth.received, /^HTTP\/1\.1 200 [^]*600$/)
})

test('a body of known length is taken as it lies: it is as long as it was said to be, and no longer', t => {
  const { slice } = Uint8Array.prototype
  let copied = 0
  Uint8Array.prototype.slice = function (...args) {
    copied += this.length
    return slice.apply(this, args)
  }
  try {
    const { abi } = new World(3).machine('http')
    for (const length of [10, 100_000, 1_000_000]) {
      const reader = new BodyReader(abi, length, 3_000_000)
      const piece = new Uint8Array(1460).fill(7)
      for (let sent = 0; sent < length; sent += piece.length) reader.feed(piece, 0, Math.min(piece.length, length - sent))
      t.true(reader.isDone)
      const bytes = reader.take()
      t.is(bytes.length, length)
      t.is(bytes.buffer.byteLength, length)
      t.is(copied, 0)
    }
  } finally {
    Uint8Array.prototype.slice = slice
  }
})
