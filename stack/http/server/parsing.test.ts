/** Requests of any kind: what is written is read, and where the client's pieces end changes nothing. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { nearRequests, rightRequests } from '../../hostile/requests.ts'
import { bareServer, known } from './testing.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, byte => String.fromCharCode(byte)).join('')

/** What reaches the handler with its whole body, and the statuses of all responses. */
async function verdict(pieces: Iterable<string>): Promise<{ seen: Seen[]; statuses: number[] }> {
  const seen: Seen[] = []
  const server = bareServer(async request => {
    const { method, url, headers } = request
    const body = latin1(await request.bytes())
    seen.push({ method, url, fields: [...headers], body })
    return known('ok')
  })
  const client = server.connect()
  for (const piece of pieces) client.send(piece)
  client.finish()
  await server.seconds(100)
  server.stop()
  return { seen, statuses: client.statuses }
}

test('requests that were written are read, every byte of them', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(rightRequests, { minLength: 1, maxLength: 3 }), async list => {
      const { seen, statuses } = await verdict([list.map(({ text }) => text).join('')])
      t.deepEqual(
        statuses,
        list.map(() => 200),
      )
      for (const [i, { written }] of list.entries()) {
        const { method, url, fields, body } = seen[i]
        t.deepEqual([method, url], [written.method, `http://a${written.path}`])
        const expected = new Headers(written.fields.map(([name, value]) => [name, value] as [string, string]))
        t.deepEqual(
          fields.filter(([name]) => !['host', 'content-length', 'transfer-encoding'].includes(name)),
          [...expected],
        )
        // A GET has no body as programs see it.
        if (method !== 'GET') t.is(body, written.body)
      }
    }),
    runs({ few: 100, cost: 10 }),
  )
})

test('whole, in single bytes and cut anywhere, the same bytes are the same requests', async t => {
  await fc.assert(
    fc.asyncProperty(nearRequests, fc.array(fc.nat(), { maxLength: 4 }), async (text, places) => {
      const whole = await verdict([text])
      const cuts = [0, ...places.map(place => place % (text.length + 1)).sort((a, b) => a - b), text.length]
      const pieces = cuts.slice(1).map((cut, i) => text.slice(cuts[i], cut))
      t.deepEqual(await verdict(pieces.filter(piece => piece !== '')), whole, JSON.stringify(pieces))
      t.deepEqual(await verdict(text), whole, 'in single bytes')
    }),
    runs({ few: 150, cost: 10 }),
  )
})

test('a NUL is refused when it comes, alone as well as in the middle of others', async t => {
  for (const text of ['GET / HTTP/1.1\r\nHost: a\0', 'G\0']) {
    t.deepEqual((await verdict([text])).statuses, [400])
    t.deepEqual((await verdict(text)).statuses, [400], 'in single bytes')
  }
})
