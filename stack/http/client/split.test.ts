/** Properties: however a response, right or wrong, is cut in pieces, the program gets the same; and it never gets more than was sent for it. */
import { runs } from '@xen-ts/boot/fuzz'
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import fc from 'fast-check'
import { httpClient } from './client.ts'
import type { ByteStream } from './connection.ts'
import { latin1, outcome } from './testing.ts'

/** A server that says these, in answer to whatever, and closes. */
function saying(pieces: Uint8Array[]): ByteStream {
  const left = [...pieces]
  let isOver = false
  return {
    read: async () => (isOver ? undefined : left.shift()),
    write: async () => {},
    close() {
      isOver = true
    },
    abort() {
      isOver = true
    },
  }
}

async function fetched(pieces: Uint8Array[]): Promise<string> {
  const client = httpClient(nodeMachine({ timers: { now: () => 0, set: () => ({ cancel() {} }) } }), {
    connect: async () => saying(pieces),
  })
  const result = await outcome(client.fetch('http://a/'))
  client.close()
  // Of several things that are wrong with it another may be seen first.
  return result.replace(/^(E[A-Z]+): [^]*/, '$1')
}

const samples = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 404 Not Found\r\n\r\nnothing here',
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
]
/** Places, and what is put there instead of so many bytes. */
const change = fc.tuple(
  fc.nat(200),
  fc.constantFrom('', ' ', '\r', '\n', '\r\n', '\0', '0', '1', 'f', ':', ',', ';', '\x80', 'Content-Length: 1\r\n'),
  fc.nat(2),
)

test('cut anywhere, and changed anywhere, the outcome is that of the whole', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      fc.array(change, { maxLength: 2 }),
      fc.array(fc.nat(200), { maxLength: 12 }),
      async (sample, changes, cuts) => {
        let text = sample
        for (const [at, put, instead] of changes) text = text.slice(0, at) + put + text.slice(at + instead)
        const bytes = latin1(text)
        const places = [0, ...cuts.filter(cut => cut > 0 && cut < bytes.length).sort((a, b) => a - b), bytes.length]
        const pieces = places.slice(1).flatMap((end, i) => (end > places[i] ? [bytes.slice(places[i], end)] : []))
        // A head that does not end is wrong because of that, or because of what is in it.
        const kind = (result: string): string => result.replace(/^(EPROTO|ECONNRESET)$/, 'broken')
        const whole = await fetched([bytes.slice()])
        t.is(kind(await fetched(pieces)), kind(whole), JSON.stringify(text))
        t.false(/: .*evil/.test(whole) && whole.startsWith('200') && text === sample)
      },
    ),
    runs({ few: 3000 }),
  )
})
