/** WebSockets as they should be: handshake, messages, the end, signs of life. */
import test from 'ava'
import type { HttpHandler } from '../server/server.ts'
import { bareServer, known } from '../server/testing.ts'
import { sha1 } from './sha1.ts'
import type { ServerWebSocket } from './socket.ts'
import { ACCEPT, clientFrame, closing, echoing, handshake, serverFrames, text } from './testing.ts'
import { upgradeWebSocket } from './upgrade.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

test('SHA-1 of the messages of FIPS 180, and round the ends of blocks', t => {
  const of = (message: string) => hex(sha1(new TextEncoder().encode(message)))
  t.is(of(''), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
  t.is(of('abc'), 'a9993e364706816aba3e25717850c26c9cd0d89d')
  t.is(of('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'), '84983e441c3bd26ebaae4aa1f95129e5e54670f1')
  t.is(of('a'.repeat(1000)), '291e9a6c66994949b57ba5e650361e98fc36b1ba')
})

test('the handshake of RFC 6455 section 1.3', t => {
  const { client, events, socket } = echoing()
  const [line, ...fields] = client.received.slice(0, -4).split('\r\n')
  t.is(line, 'HTTP/1.1 101 Switching Protocols')
  t.deepEqual(fields.filter(field => !field.startsWith('date: ')).sort(), [
    'connection: Upgrade',
    `sec-websocket-accept: ${ACCEPT}`,
    'upgrade: websocket',
  ])
  t.deepEqual(events, ['open'])
  t.deepEqual([socket.url, socket.protocol, socket.readyState, socket.extensions], ['ws://a/ws?x', '', 1, ''])
})

test('messages of every kind of length come back as they were, in one piece or in single bytes', t => {
  for (const inPieces of [false, true]) {
    const { client, server, socket } = echoing({ maxMessage: 100_000 })
    t.is(socket.readyState, 1)
    const before = client.received.length
    for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 1000, 65_535, 65_536]) {
      const payload = Array.from({ length }, (_, i) => String.fromCharCode(32 + ((i * 7) % 90))).join('')
      for (const part of inPieces && length < 2000 ? text(payload) : [text(payload)]) client.send(part)
    }
    const echoes = serverFrames(client.received.slice(before))
    t.deepEqual(
      echoes.map(frame => frame.length - 2),
      [0, 1, 2, 3, 4, 5, 125, 126, 127, 1000, 65_535, 65_536],
    )
    for (const frame of echoes) for (let i = 2; i < frame.length; i++) if (frame.charCodeAt(i) !== 32 + (((i - 2) * 7) % 90)) t.fail(`${i}`)
    t.deepEqual(server.log('ERR'), [])
  }
})

test('fragments are one message; control frames between them are answered at once', t => {
  const { client, events, frames: _, ...rest } = echoing()
  const { length } = client.received
  client.send(clientFrame({ opcode: 1, payload: 'Hel', fin: false }))
  client.send(clientFrame({ opcode: 9, payload: 'ping' }))
  client.send(clientFrame({ opcode: 0, payload: '', fin: false }))
  client.send(clientFrame({ opcode: 10, payload: 'unasked' }))
  client.send(clientFrame({ opcode: 0, payload: 'l\xc3', fin: false, mask: '\0\0\0\0' }))
  client.send(clientFrame({ opcode: 0, payload: '\xb6' }))
  t.deepEqual(serverFrames(client.received.slice(length)), ['10:ping', '1:Hell\xc3\xb6'])
  t.deepEqual(events, ['open', 'Hell\u00f6'])
  t.is(rest.socket.readyState, 1)
})

test('binary messages are ArrayBuffers; text, bytes and views can be sent', t => {
  const all = echoing()
  all.client.send(clientFrame({ opcode: 2, payload: '\0\x01\xff' }))
  t.deepEqual(all.events, ['open', 'bytes 0,1,255'])
  all.socket.send('\u00e4\ud800')
  all.socket.send(Uint8Array.of(1, 2, 3).subarray(1))
  all.socket.send(new Uint16Array([0x0102]))
  all.socket.send(7 as never)
  t.deepEqual(all.frames, ['2:\0\x01\xff', '1:\xc3\xa4\xef\xbf\xbd', '2:\x02\x03', '2:\x02\x01', '1:7'])
})

test('the client closes: its code and reason arrive, and are answered', t => {
  for (const [sent, answer, event] of [
    [closing(1000, 'bye'), '8:1000 ', 'close 1000 bye'],
    [clientFrame({ opcode: 8 }), '8:', 'close 1005 '],
    [closing(3999), '8:3999 ', 'close 3999 '],
    [closing(1001, 'r'.repeat(123)), '8:1001 ', `close 1001 ${'r'.repeat(123)}`],
  ]) {
    const all = echoing()
    all.client.send(sent + text('too late'))
    t.deepEqual([all.frames, all.events, all.client.state, all.socket.readyState], [[answer], ['open', event], 'ended', 3])
    all.client.finish()
    t.is(all.client.state, 'closed')
    t.is(all.events.length, 2)
    all.socket.send('ignored')
    all.socket.close()
    t.is(all.frames.length, 1)
  }
})

test('the program closes: what it sent before is sent, messages are not delivered any more, the answer ends it', t => {
  const all = echoing()
  all.socket.send('last')
  all.socket.close(4000, 'enough')
  t.is(all.socket.readyState, 2)
  all.client.send(text('unheard'))
  all.client.send(clientFrame({ opcode: 9 }))
  all.client.send(closing(4000))
  t.deepEqual(all.frames, ['1:last', '8:4000 enough', '10:'])
  t.deepEqual([all.events, all.client.state], [['open', 'close 4000 '], 'ended'])
})

test('codes and reasons that cannot be sent are refused', t => {
  const { socket } = echoing()
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN])
    t.is(t.throws(() => socket.close(code))!.name, 'InvalidAccessError', `${code}`)
  t.is(t.throws(() => socket.close(1000, 'x'.repeat(124)))!.name, 'SyntaxError')
  t.is(t.throws(() => socket.close(1000, '\u00e4'.repeat(62)))!.name, 'SyntaxError')
  t.is(socket.readyState, 1)
})

test('a client that does not answer the Close is broken off after five seconds', async t => {
  const all = echoing()
  all.socket.close()
  await all.server.seconds(4)
  t.is(all.client.state, 'open')
  await all.server.seconds(4)
  t.is(all.client.state, 'aborted')
  t.deepEqual(all.events, ['open', 'error the client did not close in time', 'close 1006  unclean'])
})

test('signs of life: a silent client is asked, and broken off when it does not answer', async t => {
  const all = echoing()
  await all.server.seconds(31)
  t.deepEqual(all.frames, ['9:'])
  all.client.send(clientFrame({ opcode: 10 }))
  await all.server.seconds(50)
  t.deepEqual([all.frames, all.client.state], [['9:', '9:'], 'open'])
  await all.server.seconds(15)
  t.deepEqual(all.events, ['open', 'error the client has given no sign of life', 'close 1006  unclean'])
  t.is(all.client.state, 'aborted')
})

test('bufferedAmount is what the client has not taken; beyond the limit it is broken off', async t => {
  const all = echoing({ maxBuffered: 100_000 })
  all.client.reads = false
  t.is(all.socket.bufferedAmount, 0)
  all.socket.send('x'.repeat(50_000))
  t.is(all.socket.bufferedAmount, 50_004)
  all.client.take(20_000)
  t.is(all.socket.bufferedAmount, 30_004)
  all.socket.send('x'.repeat(80_000))
  t.is(all.client.state, 'open')
  all.socket.send('one too many')
  t.is(all.client.state, 'aborted')
  t.deepEqual(all.events.slice(1), ['error more than 100000 bytes wait for the client', 'close 1006  unclean'])
  t.regex(all.server.log('WRN').join(), /more than 100000 bytes wait for the client: it is broken off/)

  const stuck = echoing()
  stuck.client.reads = false
  stuck.socket.send('x')
  for (let i = 0; i < 70; i++) {
    stuck.client.send(clientFrame({ opcode: 10 }))
    await stuck.server.seconds(1)
  }
  t.deepEqual([stuck.client.state, stuck.events[1]], ['aborted', 'error the client takes nothing'])
})

test('a connection that breaks, or ends without a Close, is told as 1006', t => {
  const broken = echoing()
  broken.client.reset()
  t.deepEqual(broken.events, ['open', 'error reset by the client', 'close 1006  unclean'])
  const ended = echoing()
  ended.client.finish()
  ended.socket.send('into nothing')
  t.deepEqual(ended.events, ['open', 'error the client ended the connection without a Close', 'close 1006  unclean'])
  t.is(ended.client.state, 'closed')
})

test('the server stops: 1001, and serve ends when the client has answered', async t => {
  const all = echoing()
  all.server.stop(new Error('power off'))
  t.deepEqual(all.frames, ['8:1001 the server is to stop'])
  all.client.send(closing(1001))
  all.client.finish()
  await all.server.stopped
  t.deepEqual(all.events, ['open', 'close 1001 '])
  const deaf = echoing()
  deaf.server.stop()
  await deaf.server.seconds(6)
  await deaf.server.stopped
  t.regex(deaf.server.log('WRN').join(), /1 WebSocket is open after 4 s: it is cut off/)
  t.is(deaf.events.at(-1), 'close 1006  unclean')
})

test('a handler that throws or rejects costs its own connection, with 1011', async t => {
  for (const fails of [
    () => {
      throw new Error('at once')
    },
    () => Promise.reject(new Error('later')),
  ]) {
    const all = echoing({}, socket => {
      socket.onmessage = fails as never
    })
    all.client.send(text('x'))
    await all.server.seconds(0)
    t.deepEqual(all.frames, ['8:1011 the program failed; its log says why'])
    t.regex(all.server.log('ERR').join(), /^WebSocket ws:\/\/a\/ws\?x: its handler of message failed: Error: (at once|later)/)
  }
})

test('listeners are told as well, and know whose event it is', t => {
  const heard: unknown[] = []
  const all = echoing({}, socket => socket.addEventListener('message', event => heard.push(event.target, event.type)))
  all.client.send(text('x'))
  t.deepEqual(heard, [all.socket, 'message'])
})

test('what is sent behind the handshake without waiting is not lost, nor is it when the handler takes its time', async t => {
  for (const wait of [false, true]) {
    const heard: string[] = []
    const server = bareServer(request => {
      const { socket, response } = upgradeWebSocket(request)
      socket.onmessage = ({ data }) => void heard.push(String(data))
      return wait ? new Promise<Response>(resolve => server.world.at(10, () => resolve(response))) : response
    })
    const client = server.connect()
    client.send(handshake() + text('early'))
    client.send(text('later'))
    await server.seconds(1)
    t.deepEqual([heard, client.statuses, client.kept], [['early', 'later'], [101], 0])
    const drops = server.connect()
    for (const character of handshake() + text('drops')) drops.send(character)
    await server.seconds(1)
    t.deepEqual([heard.at(-1), drops.kept], ['drops', 0])
  }
})

const refused: [name: string, request: string, status: number, contains?: string][] = [
  ['no Upgrade', handshake().replace('Upgrade: websocket\r\n', ''), 426],
  ['another Upgrade', handshake().replace('Upgrade: websocket', 'Upgrade: h2c'), 426],
  ['no Connection', handshake().replace('Connection: Upgrade\r\n', ''), 400],
  ['Connection without Upgrade', handshake().replace('Connection: Upgrade', 'Connection: keep-alive'), 400],
  ['no version', handshake().replace('Sec-WebSocket-Version: 13\r\n', ''), 426, 'sec-websocket-version: 13'],
  ['another version', handshake('', '8'), 426, 'sec-websocket-version: 13'],
  ['two versions', handshake('Sec-WebSocket-Version: 8\r\n'), 426],
  ['no key', handshake().replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
  ['a key of 15 bytes', handshake('', '13', 'AAAAAAAAAAAAAAAAAAAA'), 400],
  ['a key of 17 bytes', handshake('', '13', 'AAAAAAAAAAAAAAAAAAAAAAA='), 400],
  ['a key with bits left over', handshake('', '13', 'AAAAAAAAAAAAAAAAAAAAAB=='), 400],
  ['a key that is no base64', handshake('', '13', '!!!!!!!!!!!!!!!!!!!!!A=='), 400],
  ['two keys', handshake('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'), 400],
  ['POST', handshake('Content-Length: 0\r\n').replace('GET', 'POST'), 405, 'allow: GET'],
]
for (const [name, request, status, contains] of refused) {
  test(`a handshake with ${name} is refused with ${status}, and the connection goes on`, async t => {
    const hono: HttpHandler = async request =>
      (await upgradeWebSocket(() => ({}))({ req: { raw: request } }, async () => {})) ?? known('next')
    const plain: HttpHandler = request => upgradeWebSocket(request).response
    for (const [handler, asks] of [
      [plain, true],
      [hono, /upgrade: websocket/i.test(request)],
    ] as const) {
      const server = bareServer(handler)
      const client = server.connect()
      client.send(request)
      await server.seconds(0)
      t.deepEqual(client.statuses, [asks ? status : 200])
      if (!asks) continue
      if (contains !== undefined) t.true(client.received.includes(contains))
      t.is(client.received.includes('upgrade: websocket\r\nconnection: upgrade\r\n'), status === 426)
      t.deepEqual([client.state, server.log('ERR')], ['open', []])
    }
  })
}

test('HTTP/1.0, and a connection that is to be closed, are not upgraded', async t => {
  for (const request of [handshake().replace('HTTP/1.1', 'HTTP/1.0'), handshake('Connection: close\r\n')]) {
    const events: string[] = []
    const server = bareServer(request => {
      const { socket, response } = upgradeWebSocket(request)
      socket.onerror = event => void events.push(event.message)
      socket.onclose = event => void events.push(String(event.code))
      return response
    })
    const client = server.connect()
    client.send(request)
    t.deepEqual([client.statuses, client.state, events], [[503], 'ended', ['the connection is to be closed', '1006']])
  }
})

test('the Host of an upgrade is checked as ever, and 101 cannot be made by hand', async t => {
  const server = bareServer(() => Object.defineProperty(known('x'), 'status', { value: 101 }))
  const client = server.connect()
  client.send(handshake())
  t.deepEqual(client.statuses, [500])
  t.regex(server.log('ERR').join(), /only upgradeWebSocket makes a response with status 101/)
})

test('a client that has gone before the handler answered: the socket fails without having been open', async t => {
  const events: string[] = []
  const answer = Promise.withResolvers<void>()
  const server = bareServer(async request => {
    const { socket, response } = upgradeWebSocket(request)
    socket.onopen = () => void events.push('open')
    socket.onclose = event => void events.push(String(event.code))
    t.throws(() => socket.send('too early'), { name: 'InvalidStateError' })
    await answer.promise
    return response
  })
  const client = server.connect()
  client.send(handshake())
  client.reset()
  answer.resolve()
  await server.seconds(0)
  t.deepEqual(events, ['1006'])
})

test('subprotocols: the first that is offered in the manner of hono, the one that is named, none that was not offered', async t => {
  const sockets: ServerWebSocket[] = []
  const server = bareServer(async request => {
    const { pathname } = new URL(request.url)
    if (pathname === '/ws') {
      const handler = upgradeWebSocket(() => ({ onOpen: (_event, ws) => sockets.push(ws.raw) }))
      return (await handler({ req: { raw: request } }, async () => {})) as Response
    }
    return known('x')
  })
  const client = server.connect()
  client.send(handshake('Sec-WebSocket-Protocol: chat.v2, chat\r\nSec-WebSocket-Protocol: other\r\n'))
  await server.seconds(0)
  t.true(client.received.includes('sec-websocket-protocol: chat.v2\r\n'))
  t.is(sockets[0].protocol, 'chat.v2')

  const naming = (protocol: string) => {
    const named = bareServer(request => upgradeWebSocket(request, { protocol }).response)
    const client = named.connect()
    client.send(handshake('Sec-WebSocket-Protocol: a, b\r\n'))
    return { client, named }
  }
  t.true(naming('b').client.received.includes('sec-websocket-protocol: b\r\n'))
  const { client: other, named } = naming('c')
  t.deepEqual(other.statuses, [500])
  t.regex(named.log('ERR').join(), /the client does not offer the protocol c/)
})

test("the events of hono's manner get a context, and keep their own this", async t => {
  const log: unknown[] = []
  const events = {
    name: 'mine',
    onOpen(_event: unknown, ws: { readyState: number; url: URL | null }) {
      log.push(this.name, ws.readyState, ws.url?.href)
    },
    onMessage(event: { data: unknown }, ws: { send(text: string): void; close(code?: number): void }) {
      log.push(event.data)
      ws.send('pong')
      ws.close(1000)
    },
    onClose(event: { code: number }) {
      log.push(event.code)
    },
  }
  const server = bareServer(async request => {
    const next = async () => {}
    return ((await upgradeWebSocket(async () => events)({ req: { raw: request } }, next)) ?? known('next')) as Response
  })
  const client = server.connect()
  client.send(handshake())
  await server.seconds(0)
  const { length } = client.received
  client.send(text('ping'))
  client.send(closing(1000))
  t.deepEqual(log, ['mine', 1, 'ws://a/ws?x', 'ping', 1000])
  t.deepEqual(serverFrames(client.received.slice(length)), ['1:pong', '8:1000 '])
  const plain = server.connect()
  plain.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await server.seconds(0)
  t.true(plain.received.endsWith('next'))
})
