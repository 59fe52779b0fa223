/** Each lie that a client can tell in frames, one a row: the code that it is told, and the connection ends. */
import test from 'ava'
import { bareServer, known } from '../server/testing.ts'
import { clientFrame, closing, code, echoing, handshake, serverFrames, text } from './testing.ts'
import { upgradeWebSocket } from './upgrade.ts'

const frame = clientFrame
interface Lie {
  name: string
  sent: string
  code: number
  says: RegExp
}
const lies: Lie[] = [
  { name: 'a frame without a mask', sent: frame({ opcode: 1, payload: 'x', mask: '' }), code: 1002, says: /not masked/ },
  { name: 'an empty frame without a mask', sent: frame({ opcode: 1, mask: '' }), code: 1002, says: /not masked/ },
  { name: 'a Ping without a mask', sent: frame({ opcode: 9, mask: '' }), code: 1002, says: /not masked/ },
  ...[1, 2, 4, 7].map(rsv => ({
    name: `reserved bits ${rsv}`,
    sent: frame({ opcode: 1, payload: 'x', rsv }),
    code: 1002,
    says: /reserved bit/,
  })),
  { name: 'a reserved bit in a Ping', sent: frame({ opcode: 9, rsv: 4 }), code: 1002, says: /reserved bit/ },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(opcode => ({
    name: `opcode ${opcode}`,
    sent: frame({ opcode, payload: 'x' }),
    code: 1002,
    says: new RegExp(`no opcode ${opcode}`),
  })),
  ...[8, 9, 10].map(opcode => ({
    name: `a fragment of control frame ${opcode}`,
    sent: frame({ opcode, fin: false }),
    code: 1002,
    says: /control frame is fragmented/,
  })),
  { name: 'a Ping of 126 bytes', sent: frame({ opcode: 9, payload: 'x'.repeat(126) }), code: 1002, says: /longer than 125/ },
  { name: 'a Close of 126 bytes', sent: frame({ opcode: 8, payload: code(1000, 'x'.repeat(124)) }), code: 1002, says: /longer than 125/ },
  { name: 'a Ping of 70,000 bytes', sent: frame({ opcode: 9, payload: 'x'.repeat(70_000) }), code: 1002, says: /longer than 125/ },
  { name: 'a continuation of nothing', sent: frame({ opcode: 0, payload: 'x' }), code: 1002, says: /continues nothing/ },
  {
    name: 'a fragment that continues nothing',
    sent: frame({ opcode: 0, payload: 'x', fin: false }),
    code: 1002,
    says: /continues nothing/,
  },
  {
    name: 'a continuation behind a whole message',
    sent: text('x') + frame({ opcode: 0, payload: 'y' }),
    code: 1002,
    says: /continues nothing/,
  },
  { name: 'a text within a text', sent: frame({ opcode: 1, payload: 'x', fin: false }) + text('y'), code: 1002, says: /within another/ },
  {
    name: 'a fragment of bytes within a text',
    sent: frame({ opcode: 1, payload: 'x', fin: false }) + frame({ opcode: 2, payload: 'y', fin: false }),
    code: 1002,
    says: /within another/,
  },
  {
    name: 'a length of 5 in two bytes',
    sent: frame({ opcode: 1, payload: 'xxxxx', length: '~\0\x05' }),
    code: 1002,
    says: /more bytes than/,
  },
  { name: 'a length of 125 in two bytes', sent: frame({ opcode: 1, length: '~\0\x7d' }), code: 1002, says: /more bytes than/ },
  {
    name: 'a length of 65,535 in eight bytes',
    sent: frame({ opcode: 1, length: '\x7f\0\0\0\0\0\0\xff\xff' }),
    code: 1002,
    says: /more bytes than/,
  },
  { name: 'a length with the highest bit', sent: frame({ opcode: 1, length: '\x7f\x80\0\0\0\0\0\0\0' }), code: 1002, says: /negative/ },
  {
    name: 'a length of 2^63 - 1',
    sent: frame({ opcode: 2, length: `\x7f\x7f${'\xff'.repeat(7)}` }),
    code: 1009,
    says: /longer than 70000/,
  },
  {
    name: 'a length of 2^32 and something',
    sent: frame({ opcode: 2, length: '\x7f\0\0\0\x01\0\0\0\x01' }),
    code: 1009,
    says: /longer than 70000/,
  },
  {
    name: 'a message one byte too long',
    sent: frame({ opcode: 2, length: '\x7f\0\0\0\0\0\x01\x11\x71' }),
    code: 1009,
    says: /longer than 70000/,
  },
  {
    name: 'fragments that are too long together',
    sent: frame({ opcode: 2, payload: 'x'.repeat(40_000), fin: false }) + frame({ opcode: 0, payload: 'x'.repeat(30_001) }),
    code: 1009,
    says: /longer than 70000/,
  },
  ...['\xff', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xc3', 'a\xe2\x82', '\xf8\x88\x80\x80\x80', '\x80'].map(payload => ({
    name: `a text of ${JSON.stringify(payload)}`,
    sent: text(payload),
    code: 1007,
    says: /text is not UTF-8/,
  })),
  {
    name: 'a character whose end is not in the last fragment',
    sent: frame({ opcode: 1, payload: '\xc3', fin: false }) + frame({ opcode: 0, payload: '' }),
    code: 1007,
    says: /text is not UTF-8/,
  },
  { name: 'a Close of one byte', sent: frame({ opcode: 8, payload: 'x' }), code: 1002, says: /half a code/ },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(value => ({
    name: `a Close with code ${value}`,
    sent: closing(value),
    code: 1002,
    says: new RegExp(`${value} is no code`),
  })),
  { name: 'a Close with a reason that is no UTF-8', sent: closing(1000, '\xff'), code: 1007, says: /reason of a Close is not UTF-8/ },
  { name: 'HTTP', sent: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', code: 1002, says: /reserved bit/ },
]

for (const { name, sent, code, says } of lies) {
  test(`${name}: ${code}`, t => {
    for (const pieces of [[sent], sent.length < 1000 ? [...sent] : []]) {
      if (pieces.length === 0) continue
      const all = echoing({ maxMessage: 70_000 })
      for (const piece of pieces) all.client.send(piece)
      const last = all.frames.at(-1)!
      t.true(last.startsWith(`8:${code} `), last)
      t.regex(last, says)
      t.is(all.client.state, 'ended')
      t.regex(all.events.at(-2)!, /^error /)
      t.true(all.events.at(-1)!.startsWith(`close ${code} `) && all.events.at(-1)!.endsWith(' unclean'))
      const { length } = all.events
      all.client.send(text('more') + closing(1000))
      all.client.finish()
      t.deepEqual([all.events.length, all.client.kept, all.client.state], [length, 0, 'closed'])
    }
  })
}

test('one that was told so and does not close is broken off', async t => {
  const all = echoing()
  all.client.send('\xff')
  await all.server.seconds(8)
  t.is(all.client.state, 'aborted')
  t.is(all.events.length, 3)
})

test('a Ping flood whose answers nobody takes ends', t => {
  const all = echoing({ maxBuffered: 10_000 })
  all.client.reads = false
  const ping = frame({ opcode: 9, payload: 'x'.repeat(125) })
  for (let i = 0; i < 200; i++) all.client.send(ping)
  t.is(all.client.state, 'aborted')
  t.true(all.client.received.length < 20_000)
})

test('empty fragments without end hold nothing, and what is announced and not sent neither', t => {
  const all = echoing()
  all.client.send(frame({ opcode: 2, fin: false }))
  const empty = frame({ opcode: 0, fin: false }).repeat(100)
  for (let i = 0; i < 100; i++) all.client.send(empty)
  all.client.send(frame({ opcode: 0, payload: 'x' }))
  t.deepEqual(all.events, ['open', 'bytes 120'])
  all.client.send(frame({ opcode: 2, length: '\x7f\0\0\0\0\0\x0f\xff\xff' }))
  t.deepEqual([all.client.kept, all.client.state], [0, 'open'])
})

test('messages that are gathered have a bound together, and with bodies: one too many is closed with 1013, and there is room again', async t => {
  const got: string[] = []
  const server = bareServer(
    async request => {
      if (request.method === 'POST') return known(String((await request.bytes()).length))
      const { socket, response } = upgradeWebSocket(request, { maxMessage: 600 })
      socket.onmessage = ({ data }) => got.push(`${(data as string).length}`)
      return response
    },
    { limits: { body: 600, bodies: 1000 } },
  )
  const open = async () => {
    const client = server.connect()
    client.send(handshake())
    await server.seconds(0)
    const head = client.received.length
    return { client, said: () => serverFrames(client.received.slice(head)) }
  }
  const part = (size: number, opcode = 0, fin = false): string => clientFrame({ opcode, payload: 'a'.repeat(size), fin })
  const [first, second, third, fourth] = [await open(), await open(), await open(), await open()]
  first.client.send(part(490, 1))
  const poster = server.connect()
  poster.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n${'b'.repeat(490)}`)
  third.client.send(part(100, 1))
  await server.seconds(0)
  t.deepEqual(third.said(), ['8:1013 too many messages are on their way to the server: try again later'])
  t.is(third.client.state, 'ended')
  t.deepEqual(first.said(), [])
  second.client.send(text('c'.repeat(600)))
  t.deepEqual(got, ['600'], 'what comes whole is not gathered')
  first.client.send(part(10, 0, true))
  t.deepEqual(got, ['600', '500'])
  poster.send('b'.repeat(10))
  await server.seconds(0)
  t.regex(poster.received, /^HTTP\/1\.1 200 [^]*500$/)
  // Half a message of who leaves, breaks a rule, or closes counts no more.
  for (const end of [part(1, 1), closing(1000)]) {
    const { client } = await open()
    client.send(part(500, 1) + end)
  }
  const gone = await open()
  gone.client.send(part(500, 1))
  gone.client.reset()
  const ended = await open()
  ended.client.send(part(500, 1))
  ended.client.finish()
  fourth.client.send(part(599, 1))
  second.client.send(part(400, 1))
  fourth.client.send(part(1, 0, true))
  second.client.send(part(1, 0, true))
  t.deepEqual(got.slice(2), ['600', '401'])
})

test('a program whose handlers fail for each message does not fill the log', async t => {
  const server = bareServer(request => {
    const { socket, response } = upgradeWebSocket(request)
    socket.onmessage = () => {
      throw new Error('no')
    }
    return response
  })
  for (let i = 0; i < 40; i++) {
    const client = server.connect()
    client.send(handshake() + text('x'))
  }
  await server.seconds(1)
  t.is(server.log('ERR').length, 10)
})
