/**
 * Node's own parser, llhttp, beside the one here, on the same bytes. What it refuses must be refused, and of what both take they make the
 * same messages, unless a reason stands here. That more is refused here than there is by design, and counted.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { nearRequests } from '../../hostile/requests.ts'
import { bareServer, known } from './testing.ts'

interface Verdict {
  /** Method and body of each whole request. */
  readonly seen: readonly string[]
  /** Why what follows was refused; undefined when it was not, or just not whole. */
  readonly refused: string | undefined
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const idle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise(resolve => setImmediate(resolve))
}

async function theirs(text: string): Promise<Verdict> {
  /** In the order of their heads; undefined as long as a body is not whole. */
  const seen: (string | undefined)[] = []
  let refused: string | undefined
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    const place = seen.push(undefined) - 1
    try {
      for await (const part of request) parts.push(part)
    } catch {
      return // it is not whole
    }
    // Of a GET there is no body here for programs to see (Fetch), though it is read.
    const body = /^(GET|HEAD)$/.test(request.method!) ? '' : latin1(Buffer.concat(parts))
    seen[place] = `${request.method} ${body}`
    response.end('ok')
  }
  const server = createServer((request, response) => void serve(request, response))
  server.on('checkExpectation', (_request, response) => {
    refused = 'expectation'
    response.end()
  })
  // The socket stays: what was whole before shall be read to its end.
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'HPE_INVALID_EOF_STATE') refused ??= `${error.code} ${error.message}`
  })
  const wire = new Duplex({ allowHalfOpen: true, read() {}, write: (_chunk, _encoding, done) => done() })
  wire.on('error', () => {})
  server.emit('connection', wire)
  wire.push(Buffer.from(text, 'latin1'))
  await idle()
  wire.push(null)
  await idle()
  wire.destroy()
  return { seen: seen.filter(each => each !== undefined), refused }
}

async function ours(text: string): Promise<Verdict> {
  const seen: (string | undefined)[] = []
  const server = bareServer(async request => {
    const place = seen.push(undefined) - 1
    const body = latin1(await request.bytes())
    seen[place] = `${request.method} ${body}`
    return known('ok')
  })
  const client = server.connect()
  client.send(text)
  client.finish()
  await server.seconds(100)
  server.stop()
  const status = client.statuses.find(status => status >= 400 && status !== 408)
  const whole = seen.filter(each => each !== undefined)
  return { seen: whole, refused: status === undefined ? undefined : client.received.slice(client.received.indexOf(`HTTP/1.1 ${status}`)) }
}

/** What llhttp refuses and this server does not. */
const reasons: readonly { readonly there: RegExp; readonly text?: RegExp; readonly why: string }[] = [
  { there: /^HPE_INVALID_METHOD/, why: 'any token may be a method (RFC 9110 section 9.1); llhttp has a list' },
  {
    there: /^HPE_INVALID_(CONTENT_LENGTH|TRANSFER_ENCODING)/,
    text: /\r\n0+(;[^\r]*)?\r\n([^\r]+\r\n)*(content-length|transfer-encoding)/i,
    why: 'a trailer is dropped, whatever its name is (RFC 9110 section 6.5.1); llhttp reads it as a field of the head',
  },
  {
    there: /^HPE_INVALID_TRANSFER_ENCODING/,
    text: /transfer-encoding:[ \t]*chunked *\t/i,
    why: 'white space at the end of a value can be a tab (RFC 9110 section 5.6.3); llhttp knows spaces only behind this one',
  },
  {
    there: /^HPE_(INVALID_CHUNK_SIZE|STRICT.*chunk ext)/,
    text: /\r\n[0-9a-f]+([ \t]*;[ \t]+|[ \t]+;|;[^\r]*([ \t]=|=[ \t]|[ \t];))/i,
    why: 'there can be white space around the semicolon and the equals sign of a chunk extension (RFC 9112 section 7.1.1)',
  },
  { there: /^HPE_CLOSED_CONNECTION/, why: 'nothing is read behind a request that says Connection: close (RFC 9112 section 9.6)' },
]

test('what llhttp refuses is refused, and of what both take both make the same', async t => {
  const tally = new Map<string, number>()
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1)
  await fc.assert(
    fc.asyncProperty(nearRequests, async text => {
      const [there, here] = [await theirs(text), await ours(text)]
      const what = JSON.stringify({ text, there, here })
      const both = Math.min(there.seen.length, here.seen.length)
      t.deepEqual(here.seen.slice(0, both), there.seen.slice(0, both), what)
      // A head is judged here once it is whole: what llhttp refuses before is refused then.
      const isMore = here.seen.length > there.seen.length
      const isTaken = there.refused !== undefined && here.refused === undefined && (await ours(`${text}\r\n\r\n`)).refused === undefined
      if (isMore || isTaken) {
        const reason = reasons.find(each => each.there.test(there.refused ?? '') && each.text?.test(text) !== false)
        if (reason === undefined) t.fail(`taken here only: ${what}`)
        else count(`only here: ${reason.why}`)
      } else if (here.seen.length < there.seen.length) {
        count(`only there: ${here.refused?.split('\r\n\r\n')[1].trim()}`)
      } else {
        count(here.refused === undefined ? 'taken by both' : 'refused by both')
      }
    }),
    runs({ few: 600, cost: 10 }),
  )
  t.log(Object.fromEntries(tally))
  t.true((tally.get('taken by both') ?? 0) > 10 && (tally.get('refused by both') ?? 0) > 10)
})
