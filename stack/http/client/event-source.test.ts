/** Events of a server: what comes in which pieces, and when it is connected again. */
import test from 'ava'
import { type ClientEventSource, eventSourceClass } from './event-source.ts'
import { EventStreamReader, type StreamEvent } from './event-stream.ts'
import { type Fetching, fetching, latin1, onText, type Seen, write } from './testing.ts'

const encode = (text: string) => new TextEncoder().encode(text)

function read(text: string, pieces: 'whole' | 'bytes', limit = 1000) {
  const events: StreamEvent[] = []
  const retries: number[] = []
  const reader = new EventStreamReader({ event: event => events.push(event), retry: time => retries.push(time) }, limit, 'before')
  const bytes = encode(text)
  if (pieces === 'whole') reader.push(bytes)
  else for (const byte of bytes) reader.push(Uint8Array.of(byte))
  return { events: events.map(({ type, data, lastEventId }) => `${type}|${data}|${lastEventId}`), retries, id: reader.lastEventId }
}

const streams: [name: string, text: string, events: string[]][] = [
  ['two lines of data', 'data: a\ndata:b\n\n', ['message|a\nb|before']],
  ['one space only is taken away', 'data:  a \n\n', ['message| a |before']],
  ['a type, for one event', 'event: x\ndata: 1\n\ndata: 2\n\n', ['x|1|before', 'message|2|before']],
  ['an id stays', 'id: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n', ['message|1|7', 'message|2|7', 'message|3|']],
  ['an id with a NUL is none', 'id: 7\0\ndata: 1\n\n', ['message|1|before']],
  ['CR, LF and both', 'data: a\r\rdata: b\r\n\r\ndata: c\n\n', ['message|a|before', 'message|b|before', 'message|c|before']],
  ['comments and fields of others', ': hello\nother: x\ndata: a\n:\n\n', ['message|a|before']],
  ['a field without a colon', 'data\n\ndata\ndata\n\n', ['message||before', 'message|\n|before']],
  ['no data is no event', 'event: x\nid: 1\n\ndata: a\n\n', ['message|a|1']],
  ['an event that does not end', 'data: a\n\ndata: b\n', ['message|a|before']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['message|a|before']],
  ['not the second one', '\ufeff\ufeffdata: a\n\n', []],
  ['any text', 'data: \u00e4\ud55c\u{1f600}\n\n', ['message|\u00e4\ud55c\u{1f600}|before']],
]
for (const [name, text, events] of streams) {
  test(`a stream of events: ${name}`, t => {
    t.deepEqual(read(text, 'whole').events, events)
    t.deepEqual(read(text, 'bytes').events, events)
  })
}

test('a time to wait is digits; what is too long ends it', t => {
  t.deepEqual(read('retry: 10\nretry: 1x\nretry\nretry: -5\n', 'bytes').retries, [10])
  for (const text of [`data: ${'x'.repeat(1001)}`, 'data: 0123456789\n'.repeat(100), `${'x'.repeat(1001)}`])
    t.throws(() => read(text, 'whole'), { instanceOf: RangeError })
})

function setUp(world: Fetching = fetching()) {
  const open = new Set<ClientEventSource>()
  const EventSource = eventSourceClass({ timers: world.machine.timers, fetch: (url, init) => world.web.fetch(url, init) }, open)
  const said: string[] = []
  const listen = (source: ClientEventSource) => {
    source.onopen = () => said.push('open')
    source.onmessage = ({ data, lastEventId, origin }) => said.push(`${data} ${lastEventId} ${origin}`)
    source.onerror = event => said.push(`error ${source.readyState} ${(event as unknown as Error).message}`)
    return source
  }
  return { world, open, said, EventSource, make: (url = 'http://10.0.0.2/events') => listen(new EventSource(url)) }
}

/** Answers each request with the next of these; without an end, unless it is refused. */
function answering(world: Fetching, answers: readonly string[]): Seen[] {
  let next = 0
  return world.raw(seen => onText(seen, () => void write(seen.connection, latin1(answers[next++] ?? ''))))
}
const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n'

test('events come; after the end it is connected again, with the last id, after the time that the server says', async t => {
  const { world, said, make, open } = setUp()
  const seen = answering(world, [`${head}retry: 5000\nid: 3\ndata: one\n\n`, `${head}data: two\n\n`])
  const source = make()
  t.deepEqual([source.readyState, source.url, source.withCredentials, open.size], [0, 'http://10.0.0.2/events', false, 1])
  await world.pass(1)
  t.deepEqual([said.splice(0), source.readyState], [['open', 'one 3 http://10.0.0.2'], 1])
  t.regex(seen[0].text, /^GET \/events HTTP\/1\.1\r\n[^]*accept: text\/event-stream\r\n/)
  t.false(/last-event-id/.test(seen[0].text))
  seen[0].connection.end()
  await world.pass(4)
  t.deepEqual([said.splice(0), source.readyState], [['error 0 the server has ended the stream'], 0])
  await world.pass(3)
  t.deepEqual([said.splice(0), source.readyState], [['open', 'two 3 http://10.0.0.2'], 1])
  t.regex(seen[1].text, /last-event-id: 3\r\n/)
  source.close()
  await world.pass(10)
  t.deepEqual([said, source.readyState, open.size, seen.length, seen[1].state], [[], 2, 0, 2, 'broken'])
})

test('who answers with something else is not asked again', async t => {
  for (const [answer, reason] of [
    ['HTTP/1.1 204 No Content\r\n\r\n', 'the server answers 204'],
    [
      'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx',
      "the server answers with 'text/html', not text/event-stream",
    ],
    [`${head}data: ${'x'.repeat(1024 * 1024)}`, 'an event is longer than 1048576 characters'],
  ]) {
    const { world, said, make, open } = setUp()
    answering(world, [answer])
    const source = make()
    await world.pass(60)
    t.deepEqual(
      said.filter(text => text !== 'open'),
      [`error 2 ${reason}`],
    )
    t.deepEqual([source.readyState, open.size], [2, 0])
  }
})

test('where nobody is, it is tried again, ever more seldom', async t => {
  const { world, said, make } = setUp()
  const source = make('http://10.0.0.2:81/')
  await world.pass(30)
  t.true(said.length >= 3 && said.length <= 5, `${said.length}`)
  for (const text of said) t.regex(text, /^error 0 fetch of .* was refused$/)
  source.close()
  await world.pass(100)
  t.is(source.readyState, 2)
})

test('a listener may close it; named events', async t => {
  const { world, said, EventSource } = setUp()
  answering(world, [`${head}event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\n`])
  const source = new EventSource(new URL('http://10.0.0.2/'), { withCredentials: true })
  source.addEventListener('tick', ({ data, isTrusted }) => {
    said.push(`${data} ${isTrusted}`)
    source.close()
  })
  await world.pass(2)
  t.deepEqual([said, source.readyState, source.withCredentials], [['1 true'], 2, true])
  t.deepEqual([EventSource.CLOSED, source.OPEN], [2, 1])
  t.throws(() => new EventSource('relative'), { name: 'SyntaxError' })
  t.throws(() => new (EventSource as any)(), { instanceOf: TypeError })
})
