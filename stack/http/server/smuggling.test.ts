/**
 * Requests that two programs could take apart differently, made by changing what says how long a body is. Behind each of them stands
 * what would be a second request, if the body were taken for longer or shorter than it is: it must never reach the handler.
 */
import test from 'ava'
import { bareServer, known } from './testing.ts'

const SECOND = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const CHUNKS = `${SECOND.length.toString(16)}\r\n${SECOND}\r\n0\r\n\r\n`

/** White space and its look-alikes, and other characters that some programs skip. */
const odd = [
  ' ',
  '\t',
  '\0',
  '\x01',
  '\x08',
  '\x0b',
  '\x0c',
  '\x1b',
  '\x1f',
  '\x7f',
  '\x85',
  '\xa0',
  '\xad',
  '\xff',
  '\r',
  '\n',
  '\r\n ',
  '\r\n\t',
  '\n ',
]
/** The places of a field line where they can stand. */
const places = (name: string, value: string, insert: string): string[] => [
  `${insert}${name}: ${value}`,
  `${name.slice(0, 7)}${insert}${name.slice(7)}: ${value}`,
  `${name}${insert}: ${value}`,
  `${name}:${insert}${value}`,
  `${name}: ${insert}${value}`,
  `${name}: ${value.slice(0, 1)}${insert}${value.slice(1)}`,
  `${name}: ${value}${insert}`,
  `${name}: ${value}${insert}x`,
]
const length = String(SECOND.length)
const lengths = [
  '+N',
  '-N',
  '0xN',
  '0N',
  'N,',
  ',N',
  'N,N',
  'N, N',
  'N;',
  'N.0',
  'N.',
  '"N"',
  "'N'",
  'Ne0',
  'N 0',
  '0 N',
  'N_',
  '1_0',
  'N,0',
  '0,N',
  '0, N',
  'N\t0',
  '',
  ' ',
  '-0',
  '+0',
  '0x0',
  '٣',
  '9'.repeat(15),
  '9'.repeat(16),
  '18446744073709551616',
  `1844674407370955${length}`,
  `${2 ** 32 + SECOND.length}`,
  `${'0'.repeat(14)}N`,
].map(value => value.replace('N', length).replace('N', length))
const codings = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked ',
  'chunked,',
  ',chunked',
  'chunked, ',
  'chunked,chunked',
  'chunked, identity',
  'identity, chunked',
  'identity',
  'gzip, chunked',
  'chunked;q=1',
  'chunked; a=b',
  '"chunked"',
  'xchunked',
  'chunkedx',
  'x chunked',
  'chunked x',
  'cow',
  'cow, chunked',
  'chunk',
  '',
  ' ',
  'chun\tked',
  'chunked\t',
  'chunKed',
  '\u212aed',
]

/** Field lines instead of a proper Content-Length, before a body of that length. */
const byLength: string[] = [
  ...odd.flatMap(insert => places('Content-Length', length, insert)),
  ...lengths.map(value => `Content-Length: ${value}`),
  ...lengths.map(value => `Content-Length: ${length}\r\nContent-Length: ${value}`),
  ...lengths.map(value => `Content-Length: ${value}\r\ncontent-length: ${length}`),
  ...['content-length', 'CONTENT-LENGTH', 'Content-LengtH'].map(name => `${name}: ${length}`),
]
/** And of Transfer-Encoding: chunked, before chunks; alone, and with a length before and behind it. */
const byChunks: string[] = [
  ...odd.flatMap(insert => places('Transfer-Encoding', 'chunked', insert)),
  ...codings.map(value => `Transfer-Encoding: ${value}`),
  ...codings.map(value => `Transfer-Encoding: chunked\r\nTransfer-Encoding: ${value}`),
  ...codings.map(value => `Transfer-Encoding: ${value}\r\ntransfer-encoding: chunked`),
  ...['transfer-encoding', 'TRANSFER-ENCODING'].map(name => `${name}: chunked`),
].flatMap(line => [line, `Content-Length: ${CHUNKS.length}\r\n${line}`, `${line}\r\nContent-Length: 0`])

/** What the server makes of it: paths that reached the handler, then statuses. */
function verdict(pieces: Iterable<string>, reads = false): string {
  const seen: string[] = []
  const server = bareServer(request => {
    seen.push(new URL(request.url).pathname)
    return reads ? request.text().then(known) : known('ok')
  })
  const client = server.connect()
  for (const piece of pieces) client.send(piece)
  client.finish()
  return `${seen.join(' ')} ${client.statuses.join(' ')}`
}

const mutations = [...byLength.map(lines => ({ lines, body: SECOND })), ...byChunks.map(lines => ({ lines, body: CHUNKS }))].flatMap(
  ({ lines, body }) => ['POST', 'GET'].map(method => `${method} /first HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`),
)

test(`no second request comes out of the body of the first: whole and in single bytes`, t => {
  t.true(mutations.length > 800, `${mutations.length}`)
  const verdicts = new Map<string, number>()
  for (const request of mutations) {
    const whole = verdict([request])
    t.is(verdict(request), whole, JSON.stringify(request))
    t.false(whole.includes('/smuggled'), JSON.stringify(request))
    verdicts.set(whole, (verdicts.get(whole) ?? 0) + 1)
  }
  // The test sees what it is to see: some were understood, and as one request; the others were refused, or ended the head early.
  t.deepEqual([...verdicts.keys()].sort(), [' 400', ' 413', ' 501', '/first 200', '/first 200 400'], JSON.stringify([...verdicts]))
})

test('the same bytes without anything that says how long the body is are two requests', t => {
  t.is(verdict([`POST /first HTTP/1.1\r\nHost: a\r\n\r\n${SECOND}`]), '/first /smuggled 200 200')
  t.is(verdict(`GET /first HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n${SECOND}`), '/first /smuggled 200 200')
})

test('a NUL in a line of the chunked body is refused, wherever the pieces end that the client sends', t => {
  const lines = [
    '1|\r\nx\r\n0\r\n\r\n',
    '1\r\nx|\r\n0\r\n\r\n',
    '1\r\nx\r\n0|\r\n\r\n',
    '1\r\nx\r\n0\r\na: b|\r\n\r\n',
    '1;a|\r\nx\r\n0\r\n\r\n',
  ]
  for (const line of lines) {
    for (const insert of ['\0', '\0\0', '\0smuggled', '\0;a=b']) {
      const request = `POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${line.replace('|', insert)}`
      for (let at = 1; at < request.length; at++) {
        const pieces = [request.slice(0, at), request.slice(at)]
        t.regex(verdict(pieces, true), /^(\/first)? 400$/, JSON.stringify([line, insert, at]))
        t.regex(verdict(pieces), /^( 400|\/first 200)$/)
      }
      t.is(verdict(request, true), '/first 400')
      t.is(verdict(request), '/first 200')
    }
  }
})
