/** The WebSocket of programs: against our server, and against servers that say what the test wants. */
import { CloseEvent, Event, MessageEvent } from '@xen-ts/runtime/web'
import test from 'ava'
import { pattern } from '../../testing/pair.ts'
import { type Fetching, fetching, latin1, onText, type Seen, write } from '../client/testing.ts'
import { acceptOf } from './accept.ts'
import { ClientWebSocket, webSocketClass } from './client.ts'
import type { ServerWebSocket } from './socket.ts'
import { upgradeWebSocket, type WebSocketOptions } from './upgrade.ts'

function setUp(world: Fetching = fetching()) {
  const { machine } = world
  const open = new Set<ClientWebSocket>()
  const connect = (options: Parameters<typeof world.client.tcp.connect>[0]) => world.client.tcp.connect(options)
  const WebSocket = webSocketClass({ abi: machine.abi, timers: machine.timers, log: machine.log('websocket'), connect }, open)
  const events: string[] = []
  const note = (socket: WebSocket): WebSocket => {
    socket.onopen = () => events.push(`open ${socket.protocol}`)
    socket.onmessage = ({ data }) => events.push(typeof data === 'string' ? data : `bytes ${new Uint8Array(data).join()}`)
    socket.onerror = event => events.push(`error ${(event as unknown as Error).message}`)
    socket.onclose = ({ code, reason, wasClean }) => events.push(`close ${code} ${reason}${wasClean ? '' : ' unclean'}`)
    return socket
  }
  return {
    world,
    WebSocket,
    open,
    events,
    note,
    make: (url = 'ws://10.0.0.2/', protocols?: string | string[]) => note(new WebSocket(url, protocols)),
  }
}

/** Our own server, whose sockets the test has. */
function serving(world: Fetching, options: WebSocketOptions = {}, begin: (socket: ServerWebSocket) => void = () => {}) {
  const told: string[] = []
  world.serve(request => {
    const { socket, response } = upgradeWebSocket(request, options)
    socket.onmessage = ({ data }) => {
      told.push(typeof data === 'string' ? data.slice(0, 20) : `bytes ${data.byteLength}`)
      socket.send(data)
    }
    socket.onclose = ({ code, reason, wasClean }) => void told.push(`close ${code} ${reason} ${wasClean}`)
    socket.onerror = ({ message }) => void told.push(`error ${message}`)
    socket.onopen = () => begin(socket)
    return response
  })
  return told
}

test('a talk with our server: text and bytes of every kind of length, the closing handshake', async t => {
  const { world, make, events, open } = setUp()
  const told = serving(world, { protocol: 'chat' })
  const socket = make('ws://10.0.0.2/path?q', ['other', 'chat'])
  t.deepEqual([socket.readyState, socket.protocol, socket.url, socket.extensions, open.size], [0, '', 'ws://10.0.0.2/path?q', '', 1])
  await world.pass(1)
  t.deepEqual([events.splice(0), socket.readyState], [['open chat'], 1])
  const lengths = [0, 1, 2, 3, 4, 5, 125, 126, 127, 1000, 65_535, 65_536, 300_000]
  const seen: unknown[] = []
  socket.onmessage = ({ data }) => seen.push(typeof data === 'string' ? data : new Uint8Array(data))
  for (const length of lengths) socket.send('\u00e4'.repeat(length))
  for (const length of lengths) socket.send(pattern(length))
  socket.send(pattern(100).buffer)
  socket.send(new DataView(pattern(100).buffer, 3, 5))
  t.true(socket.bufferedAmount > 0)
  await world.pass(30)
  t.deepEqual(
    seen.slice(0, lengths.length).map(text => [(text as string).length, /^\u00e4*$/.test(text as string)]),
    lengths.map(length => [length, true]),
  )
  for (const [i, length] of lengths.entries()) t.deepEqual(seen[lengths.length + i], new Uint8Array(pattern(length)), `${length}`)
  t.deepEqual(seen.slice(-2), [new Uint8Array(pattern(100)), new Uint8Array(pattern(100)).subarray(3, 8)])
  t.is(socket.bufferedAmount, 0)
  told.length = 0
  socket.close(4000, 'enough')
  socket.send('ignored')
  t.is(socket.readyState, 2)
  await world.pass(1)
  t.deepEqual(events, ['close 4000 '])
  t.deepEqual(told, ['close 4000 enough true'])
  t.deepEqual([socket.readyState, open.size], [3, 0])
})

test('events are those of the standard', async t => {
  const { world, WebSocket } = setUp()
  serving(world)
  const socket = new WebSocket(new URL('http://10.0.0.2'))
  t.is(socket.url, 'ws://10.0.0.2/')
  const seen: globalThis.Event[] = []
  for (const type of ['open', 'message', 'close']) socket.addEventListener(type, event => void seen.push(event))
  socket.addEventListener('open', () => socket.send('x'))
  socket.addEventListener('message', () => socket.close())
  await world.pass(1)
  t.deepEqual(
    seen.map(({ type, isTrusted, target, constructor }) => [
      type,
      isTrusted,
      target === (socket as unknown),
      [Event, MessageEvent, CloseEvent].indexOf(constructor as never),
    ]),
    [
      ['open', true, true, 0],
      ['message', true, true, 1],
      ['close', true, true, 2],
    ],
  )
  t.is((seen[1] as globalThis.MessageEvent).origin, 'ws://10.0.0.2')
  t.deepEqual([WebSocket.OPEN, socket.CLOSED, Object.keys(WebSocket.prototype)], [1, 3, []])
})

test('the server closes, or goes without a word', async t => {
  const { world, make, events } = setUp()
  const sockets: ServerWebSocket[] = []
  serving(world, {}, socket => sockets.push(socket))
  make()
  await world.pass(1)
  sockets[0].send('last')
  sockets[0].close(3001, 'bye')
  await world.pass(1)
  t.deepEqual(events.splice(0), ['open ', 'last', 'close 3001 bye'])
  t.is(sockets[0].readyState, 3)
})

test('what cannot be sent or said', async t => {
  const { world, make, WebSocket } = setUp()
  serving(world)
  const socket = make()
  t.throws(() => socket.send('x'), { name: 'InvalidStateError' })
  await world.pass(1)
  for (const code of [0, 999, 1001, 1005, 2999, 5000, 70_000, Number.NaN])
    t.throws(() => socket.close(code), { name: 'InvalidAccessError' })
  t.throws(() => socket.close(3000, '\u00e4'.repeat(62)), { name: 'SyntaxError' })
  t.throws(() => socket.send({ arrayBuffer() {} } as never), { name: 'NotSupportedError', message: /await blob.arrayBuffer/ })
  t.throws(
    () => {
      socket.binaryType = 'blob'
    },
    { name: 'NotSupportedError' },
  )
  socket.binaryType = 'arraybuffer'
  t.throws(() => (socket as any).send(), { instanceOf: TypeError })
  t.throws(() => (WebSocket as any)('ws://a/'), { instanceOf: TypeError })
  t.is(socket.readyState, 1)
})

test('nobody there; TLS', async t => {
  const { world, make, events } = setUp()
  make('ws://10.0.0.2:81/')
  await world.pass(5)
  t.regex(events.splice(0).join('\n'), /^error .*10\.0\.0\.2:81 .*refused.*\nclose 1006 {2}unclean$/)
  const socket = make('wss://10.0.0.2/')
  t.is(socket.readyState, 0)
  await world.pass(1)
  t.regex(events.join('\n'), /^error wss is not there yet, since xen-ts has no TLS so far: use ws, .*\nclose 1006 {2}unclean$/)
  t.regex(world.world.logLines.join('\n'), /WRN \[websocket\] WebSocket wss:\/\/10\.0\.0\.2\/: wss is not there yet/)
})

/** A server that answers a handshake as `answer` says: by the key, with what comes behind. */
function answering(world: Fetching, answer: (accept: string, seen: Seen) => string): Seen[] {
  return world.raw(seen => {
    onText(seen, () => {
      const key = /sec-websocket-key: (.*)\r\n/.exec(seen.text)?.[1]
      if (key === undefined || !seen.text.endsWith('\r\n\r\n')) return
      void write(seen.connection, latin1(answer(acceptOf(key), seen)))
    })
  })
}
const good = (accept: string, more = '', status = '101 x', upgrade = 'WebSocket', connection = 'Upgrade') =>
  `HTTP/1.1 ${status}\r\nUpgrade: ${upgrade}\r\nConnection: ${connection}\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`

const answers: [what: string, answer: (accept: string) => string, error: RegExp][] = [
  ['another status', accept => good(accept, '', '200 OK'), /answers 200 OK/],
  ['a redirection', () => 'HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n', /answers 301 Moved/],
  ['the wrong key', () => good(acceptOf('x')), /not the answer to our key/],
  ['no key', () => 'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n', /not the answer to our key/],
  ['two keys', accept => good(accept, `Sec-WebSocket-Accept: ${accept}\r\n`), /not the answer to our key/],
  ['another protocol', accept => good(accept, '', '101 x', 'h2c'), /another protocol/],
  ['no Connection', accept => good(accept, '', '101 x', 'websocket', 'close'), /no field Connection/],
  ['an extension', accept => good(accept, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'), /an extension/],
  ['a subprotocol that was not offered', accept => good(accept, 'Sec-WebSocket-Protocol: z\r\n'), /not offered/],
  ['two subprotocols', accept => good(accept, 'Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n'), /not offered/],
  ['no HTTP', () => 'SSH-2.0-x\r\n', /no head of HTTP/],
  ['a NUL', accept => good(accept, 'x: \0\r\n'), /no head of HTTP|control characters/],
  ['a head without end', () => `HTTP/1.1 101 x\r\n${'x: y\r\n'.repeat(20_000)}`, /no head of HTTP/],
]
for (const [what, answer, error] of answers) {
  test(`a server that answers with ${what} is refused`, async t => {
    const { world, make, events } = setUp()
    const [seen] = [answering(world, answer)]
    make('ws://10.0.0.2/', 'a')
    await world.pass(2)
    t.regex(events[0], error)
    t.deepEqual(events.slice(1), ['close 1006  unclean'])
    t.is(seen[0].state, 'broken')
  })
}

test('the handshake is what the standard says; what comes behind the answer is read', async t => {
  const { world, make, events } = setUp()
  const [seen] = [answering(world, accept => `${good(accept, 'Sec-WebSocket-Protocol: b\r\n')}\x81\x02hi\x88\x02\x03\xe8`)]
  make('ws://10.0.0.2:80/a%20b?c', ['a', 'b'])
  await world.pass(1)
  const [line, ...fields] = seen[0].text.split('\r\n\r\n')[0].split('\r\n')
  t.is(line, 'GET /a%20b?c HTTP/1.1')
  t.regex(fields.join('\n'), /^host: 10\.0\.0\.2\nupgrade: websocket\nconnection: Upgrade\nsec-websocket-key: [\w+/]{21}[AQgw]==\n/)
  t.true(fields.includes('sec-websocket-version: 13') && fields.includes('sec-websocket-protocol: a, b'))
  t.deepEqual(events, ['open b', 'hi', 'close 1000 '])
})

test('frames of a client are masked, each with another mask', async t => {
  const { world, make } = setUp()
  const [seen] = [answering(world, accept => good(accept))]
  const socket = make()
  await world.pass(1)
  const start = seen[0].text.length
  socket.send('hello')
  socket.send('hello')
  await world.pass(1)
  const sent = seen[0].text.slice(start)
  t.is(sent.length, 2 * 11)
  const [a, b] = [sent.slice(0, 11), sent.slice(11)]
  t.is(a.slice(0, 2), '\x81\x85')
  t.not(a.slice(2, 6), b.slice(2, 6))
  const unmask = (frame: string) =>
    Array.from(frame.slice(6), (character, i) => String.fromCharCode(character.charCodeAt(0) ^ frame.charCodeAt(2 + (i & 3)))).join('')
  t.deepEqual([unmask(a), unmask(b)], ['hello', 'hello'])
})

const wrong: [what: string, frames: string, error: string][] = [
  ['a masked frame', '\x81\x81keys?', 'error a frame of a server is masked'],
  ['a reserved bit', '\xc1\x00', 'error a reserved bit is set, and no extension was agreed on'],
  ['text that is not UTF-8', '\x81\x01\xff', 'error a text is not UTF-8'],
  ['a message that is too long', '\x82\x7f\0\0\0\0\x7f\0\0\0', 'error a message is longer than 4194304 bytes'],
  ['half a code', '\x88\x01\x03', 'error a Close has half a code'],
]
for (const [what, frames, error] of wrong) {
  test(`a server that sends ${what} is told so, and the program that it broke`, async t => {
    const { world, make, events } = setUp()
    const [seen] = [answering(world, accept => good(accept) + frames)]
    make()
    await world.pass(2)
    t.deepEqual(events, ['open ', error, 'close 1006  unclean'])
    t.is(seen[0].state, 'ended')
    // A Close, masked.
    t.regex(seen[0].text, /\r\n\r\n\x88[\x80-\xff]/)
  })
}

test('a server that does not close is left after some seconds; one that goes without a Close is no clean end', async t => {
  const { world, make, events } = setUp()
  const [seen] = [answering(world, accept => good(accept))]
  const socket = make()
  await world.pass(1)
  socket.close()
  await world.pass(4)
  t.deepEqual([events, socket.readyState], [['open '], 2])
  await world.pass(4)
  t.deepEqual(events.splice(0), ['open ', 'error the server did not close in time', 'close 1006  unclean'])
  make()
  await world.pass(1)
  seen[1].connection.end()
  await world.pass(1)
  t.deepEqual(events.splice(0), ['open ', 'error the server ended the connection without a Close', 'close 1006  unclean'])
  make()
  await world.pass(1)
  seen[2].connection.abort()
  await world.pass(1)
  t.regex(events.join('\n'), /^open \nerror .*reset.*\nclose 1006 {2}unclean$/)
})

test('closed before it was open, at any moment', async t => {
  for (const delay of [undefined, 0, 0.5]) {
    const { world, make, events, open } = setUp()
    answering(world, () => '')
    const socket = make()
    if (delay !== undefined) await world.pass(delay)
    socket.close()
    t.is(socket.readyState, 2)
    socket.close(3000, 'again')
    t.deepEqual(events, [])
    await world.pass(2)
    t.deepEqual(events, ['error it was closed before it was open', 'close 1006  unclean'])
    t.deepEqual([socket.readyState, open.size], [3, 0])
  }
})

test('a server that says nothing is left after half a minute', async t => {
  const { world, make, events } = setUp()
  answering(world, () => '')
  make()
  await world.pass(29)
  t.deepEqual(events, [])
  await world.pass(3)
  t.deepEqual(events, ['error the server does not answer within 30 s', 'close 1006  unclean'])
})

test('at the end of the program servers are told that it goes', async t => {
  const { world, make, events, open } = setUp()
  const told = serving(world)
  make()
  await world.pass(1)
  make('ws://10.0.0.9/')
  for (const socket of open) ClientWebSocket.leave(socket)
  await world.pass(2)
  t.deepEqual(told, ['close 1001 the client is to stop true'])
  t.deepEqual(events, ['open ', 'error the program is to end', 'close 1006  unclean', 'close 1001 '])
  t.is(open.size, 0)
})

test('who sends more than the server takes is broken off', async t => {
  const { world, make, events } = setUp()
  world.raw(
    seen =>
      void (async () => {
        const text = String.fromCharCode(...((await seen.connection.read()) ?? []))
        await write(seen.connection, good(acceptOf(/sec-websocket-key: (.*)\r\n/.exec(text)![1])))
      })(),
    { reads: false },
  )
  const socket = make()
  await world.pass(1)
  for (let i = 0; i < 6; i++) socket.send(new Uint8Array(1024 * 1024))
  await world.pass(1)
  t.deepEqual(events, ['open ', 'error more than 4194304 bytes wait for the server', 'close 1006  unclean'])
})
