/**
 * Every lie of a server, one row: what it sends in answer to a GET before it closes, and what the program gets. Each row is delivered
 * whole, and byte by byte, with the same outcome.
 */
import test from 'ava'
import { fetching, outcome } from './testing.ts'

const url = 'http://10.0.0.2/'
const ok = 'HTTP/1.1 200 OK\r\n'
const long = (length: number): string => 'x'.repeat(length)
const fields = (count: number): string => Array.from({ length: count }, (_, i) => `x-${i}: y\r\n`).join('')

/** What is sent, and the outcome: status, phrase and body, or the code of the error and a part of its message. */
const rows: readonly (readonly [name: string, sent: string, outcome: string | RegExp])[] = [
  // Well-formed.
  ['a length', `${ok}Content-Length: 5\r\n\r\nhello`, '200 OK: hello'],
  ['no length: up to the end', `${ok}\r\nhello`, '200 OK: hello'],
  ['no length, HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', '200 OK: hello'],
  ['a length of 0', `${ok}Content-Length: 0\r\n\r\n`, '200 OK: '],
  ['chunks', `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, '200 OK: hello'],
  [
    'chunks, with zeros, capitals and extensions',
    `${ok}transfer-encoding: CHUNKED\r\n\r\n00A;a;b=c; d="e\\"f"\r\n0123456789\r\n000\r\n\r\n`,
    '200 OK: 0123456789',
  ],
  [
    'trailers are dropped',
    `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n`,
    '200 OK: hello',
  ],
  ['no phrase', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', '200 : ok'],
  ['no phrase and no space', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', '200 : ok'],
  ['a phrase of several words, octets above 127', 'HTTP/1.1 404 Nicht \xfcblich\r\nContent-Length: 0\r\n\r\n', '404 Nicht \xfcblich: '],
  ['white space around values', `${ok}Content-Length: \t 5 \t\r\n\r\nhello`, '200 OK: hello'],
  ['an empty field', `${ok}X-Empty:\r\nContent-Length: 2\r\n\r\nok`, '200 OK: ok'],
  ['100 before it', `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`, '200 OK: ok'],
  [
    '102 and 103 with fields before it',
    `HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
    '200 OK: ok',
  ],
  ['204 has no body', 'HTTP/1.1 204 No Content\r\n\r\n', '204 No Content: '],
  ['304 has no body, whatever its length says', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '304 Not Modified: '],
  ['205 has none either', 'HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nxy', '205 Reset: '],
  ['the status of a class without a name', 'HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n', '599 Odd: '],
  // Behind the response stands another that nobody asked for.
  ['a second response', `${ok}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad`, '200 OK: ok'],
  ['a body behind 204', `HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nbad`, '204 No Content: '],
  ['bytes behind the last chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nbad`, '200 OK: ok'],

  // Its length is not certain.
  ['a length and chunks', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /^EPROTO: .*both/],
  ['chunks and a length', `${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`, /^EPROTO: .*both/],
  ['two lengths', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, /^EPROTO: .*more than one Content-Length/],
  ['the same length twice', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, /^EPROTO: .*more than one Content-Length/],
  ['a list of lengths', `${ok}Content-Length: 5, 5\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['+', `${ok}Content-Length: +5\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['-', `${ok}Content-Length: -5\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['hexadecimal', `${ok}Content-Length: 0x5\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['a fraction', `${ok}Content-Length: 5.0\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['an exponent', `${ok}Content-Length: 5e0\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['nothing', `${ok}Content-Length:\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['16 digits', `${ok}Content-Length: ${'9'.repeat(16)}\r\n\r\nhello`, /^EPROTO: .*not a number/],
  ['gzip', `${ok}Transfer-Encoding: gzip\r\n\r\nhello`, /^EPROTO: .*only transfer coding/],
  ['gzip, chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /^EPROTO: .*only transfer coding/],
  ['chunked twice', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /^EPROTO: .*only transfer coding/],
  ['identity', `${ok}Transfer-Encoding: identity\r\n\r\nhello`, /^EPROTO: .*only transfer coding/],
  ['xchunked', `${ok}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, /^EPROTO: .*only transfer coding/],
  ['an empty coding', `${ok}Transfer-Encoding:\r\n\r\nhello`, /^EPROTO: .*only transfer coding/],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /^EPROTO: .*HTTP\/1.0 has no/],

  // It ends before its end.
  ['closed without a word', '', /^ECONNRESET: .*without a response/],
  ['closed in the status line', 'HTTP/1.1 2', /^ECONNRESET: .*middle of the head/],
  ['closed in the head', `${ok}Content-Le`, /^ECONNRESET: .*middle of the head/],
  ['closed behind 100', 'HTTP/1.1 100 Continue\r\n\r\n', /^ECONNRESET: .*without a response/],
  ['closed before the body', `${ok}Content-Length: 5\r\n\r\n`, /^ECONNRESET: .*middle of the body/],
  ['closed in the body', `${ok}Content-Length: 5\r\n\r\nhell`, /^ECONNRESET: .*middle of the body/],
  ['closed before a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n`, /^ECONNRESET: .*middle of the body/],
  ['closed in a size', `${ok}Transfer-Encoding: chunked\r\n\r\n5`, /^ECONNRESET: .*middle of the body/],
  ['closed in a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhell`, /^ECONNRESET: .*middle of the body/],
  ['closed behind a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, /^ECONNRESET: .*middle of the body/],
  ['closed behind the last chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`, /^ECONNRESET: .*middle of the body/],
  ['closed in the trailers', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n`, /^ECONNRESET: .*middle of the body/],

  // Chunks that are none.
  ['a size that is no number', `${ok}Transfer-Encoding: chunked\r\n\r\ng\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['no size', `${ok}Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['a size with 0x', `${ok}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['a size below 0', `${ok}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['a size with a space before it', `${ok}Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['a size with a space behind it', `${ok}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['a size of 13 digits', `${ok}Transfer-Encoding: chunked\r\n\r\n1000000000005\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk size/],
  ['an extension that is none', `${ok}Transfer-Encoding: chunked\r\n\r\n5;=\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*chunk/],
  ['an extension too long', `${ok}Transfer-Encoding: chunked\r\n\r\n5;${long(300)}\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*too long/],
  ['a size line with LF', `${ok}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`, /^EPROTO: .*CR LF/],
  ['a chunk that ends with LF', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`, /^EPROTO: .*CR LF/],
  ['a chunk longer than its size', `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*longer than its size/],
  ['a NUL in a size', `${ok}Transfer-Encoding: chunked\r\n\r\n5\0\r\nhello\r\n0\r\n\r\n`, /^EPROTO: .*NUL/],
  ['a trailer that is none', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nX Sum: 1\r\n\r\n`, /^EPROTO: .*trailer/],
  ['a folded trailer', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n 2\r\n\r\n`, /^EPROTO: .*trailer/],
  ['trailers too long', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n${fields(1200)}\r\n`, /^EPROTO: .*too long/],

  // A head that is none.
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /^EPROTO: .*does not begin with HTTP/],
  ['HTTP/0.9', '<html>hello</html>', /^EPROTO: .*does not begin with HTTP/],
  ['an empty line before it', `\r\n${ok}Content-Length: 2\r\n\r\nok`, /^EPROTO: .*does not begin with HTTP/],
  ['HTTP/2', 'HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*does not begin with HTTP/],
  ['http/1.1', 'http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*does not begin with HTTP/],
  ['HTTP/1.10', 'HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['two spaces', 'HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['a tab', 'HTTP/1.1\t200 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['status 000', 'HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['status 600', 'HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['a status with a word', 'HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*status line/],
  ['a control character in the phrase', 'HTTP/1.1 200 O\x07K\r\nContent-Length: 2\r\n\r\nok', /^EPROTO: .*control characters/],
  ['a NUL', `${ok}X: a\0b\r\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*control characters/],
  ['a NUL and nothing behind it', `${ok}X: a\0`, /^EPROTO: .*control characters/],
  ['a control character in a value', `${ok}X: a\x01b\r\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*control characters/],
  ['lines that end with LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', /^EPROTO: .*CR LF/],
  ['one line that ends with LF', `${ok}X: y\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*half a line end/],
  ['a CR in a value', `${ok}X: y\rZ: 1\r\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*half a line end/],
  ['a folded field', `${ok}X: y\r\n z\r\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['a folded first field', `${ok} X: y\r\nContent-Length: 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['a space before the colon', `${ok}Content-Length : 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['no colon', `${ok}Content-Length 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['no name', `${ok}: 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['a name that is no token', `${ok}Content(Length): 2\r\n\r\nok`, /^EPROTO: .*name: value/],
  ['more than 100 fields', `${ok}${fields(101)}\r\n`, /^EPROTO: .*more than 100/],
  ['a head of more than 16 KiB', `${ok}X: ${long(17_000)}\r\n\r\n`, /^EPROTO: .*longer than 16384/],
  ['two places to go', `HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n`, /^EPROTO: .*two Location/],
  ['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n', /^EPROTO: .*switches protocols/],
  ['no end of informational responses', 'HTTP/1.1 103 Hints\r\n\r\n'.repeat(20), /^EPROTO: .*too many before it/],
]

for (const [name, sent, expected] of rows) {
  test(name, async t => {
    const results: string[] = []
    for (const split of [false, true]) {
      // Bytes that come one by one may do so for half a minute.
      const { web, run, answers, pass } = fetching({ headTimeout: 1000, bodyTimeout: 1000 })
      const seen = answers([sent], { close: true, split })
      const result = await run(outcome(web.fetch(url)), 100)
      if (typeof expected === 'string') t.is(result, expected)
      else t.regex(result, expected)
      results.push(result)
      // Whatever it was: nothing of it is left for the next request.
      await pass(90)
      t.is(web.connections, 0)
      t.is(seen.length, 1)
      t.is(seen[0].text.match(/GET/g)?.length, 1)
    }
    t.is(results[0], results[1])
  })
}
