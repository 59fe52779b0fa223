/** Requests of HTTP/1, right and nearly right, as text: one character a byte. */
import fc from 'fast-check'

export interface Written {
  readonly method: string
  readonly path: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

const tokens = fc.string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"), minLength: 1, maxLength: 12 })
/** Visible characters and octets above 127, with spaces and tabs between them (RFC 9110 section 5.5). */
const values = fc
  .string({ unit: fc.constantFrom(...'!"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\x80\xff \t'), maxLength: 30 })
  .map(text => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const bodies = fc.oneof(fc.constant(''), fc.string({ unit: fc.constantFrom(...'0aZ\r\n:\0\xff'), maxLength: 60 }))
/** Fields that say how a message is read, which the writer adds itself. */
const RESERVED = /^(?:host|content-length|transfer-encoding|connection|expect|cookie|upgrade|keep-alive|trailer|te|proxy-connection)$/i

/** One that is right in every way. */
export const rightRequests: fc.Arbitrary<{ written: Written; text: string }> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
    path: fc.constantFrom('/', '/a', '/a/b?c=d&e', '/%20'),
    fields: fc.array(
      tokens.filter(name => !RESERVED.test(name)).chain(name => values.map(value => [name, value] as const)),
      { maxLength: 5 },
    ),
    body: bodies,
    /** Where the body is cut into chunks; undefined: it has a length. */
    cuts: fc.option(fc.array(fc.nat(20), { maxLength: 3 }), { nil: undefined }),
    space: fc.constantFrom('', ' ', '\t ', ' '),
  })
  .map(({ method, path, fields, body, cuts, space }) => {
    const size = cuts === undefined ? `Content-Length:${space}${body.length}` : `Transfer-Encoding:${space}chunked`
    const lines = [`${method} ${path} HTTP/1.1`, 'Host: a', ...fields.map(([name, value]) => `${name}:${space}${value}${space}`), size]
    const text = `${lines.join('\r\n')}\r\n\r\n${cuts === undefined ? body : chunked(body, cuts)}`
    return { written: { method, path, fields, body }, text }
  })

function chunked(body: string, cuts: readonly number[]): string {
  let result = ''
  let at = 0
  for (const cut of [...cuts, body.length]) {
    const piece = body.slice(at, at + cut)
    at += piece.length
    if (piece.length > 0) result += `${piece.length.toString(16)}${cut % 3 === 0 ? ';a="b"' : ''}\r\n${piece}\r\n`
  }
  return `${result}0\r\n${cuts.length % 2 === 0 ? '' : 'A-Trailer: b\r\n'}\r\n`
}

/** What is put into requests, or in the place of a piece of them. */
const odd = [
  ...' \t\0\x01\x0b\x0c\x1b\x7f\x85\xa0\xff\r\n:;,="\\#?*/0x-+',
  '\r\n',
  '\r\n ',
  '\n\n',
  '\r\n\r\n',
  '  ',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.10',
  'http/1.1',
  'chunked',
  'identity',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'content-length : 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'transfer-encoding:\tchunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, x\r\n',
  'Host: b\r\n',
  'Host:\r\n',
  'Cookie: a=b\r\n',
  'Expect: 100-continue\r\n',
  'X: y\r\n z\r\n',
  'ffffffffffffffff',
  '0'.repeat(20),
  '5;x\r\nhello\r\n',
  '0\r\n\r\n',
  'GET /second HTTP/1.1\r\nHost: a\r\n\r\n',
]
/** The places where something is read from: ends of words and lines. */
const seams = /(?<=[ :;\r\n])|(?=[ :;\r\n])/g

const changes = fc.array(
  fc.record({
    how: fc.constantFrom('insert', 'insert', 'replace', 'delete', 'repeat'),
    at: fc.nat(),
    anywhere: fc.boolean(),
    what: fc.constantFrom(...odd),
  }),
  { maxLength: 3 },
)

/** One to three of them in a row, with up to three changes. */
export const nearRequests: fc.Arbitrary<string> = fc
  .tuple(fc.array(rightRequests, { minLength: 1, maxLength: 3 }), changes)
  .map(([requests, list]) => {
    let text = requests.map(request => request.text).join('')
    for (const { how, at, anywhere, what } of list) {
      const places = anywhere ? [] : [...text.matchAll(seams)].map(match => match.index)
      const place = places.length === 0 ? at % (text.length + 1) : places[at % places.length]
      const size = how === 'insert' || how === 'repeat' ? 0 : how === 'delete' ? 1 + (at % 4) : what.length
      const inserted = how === 'delete' ? '' : how === 'repeat' ? text.slice(place, place + 1 + (at % 40)) : what
      text = text.slice(0, place) + inserted + text.slice(place + size)
    }
    return text
  })
