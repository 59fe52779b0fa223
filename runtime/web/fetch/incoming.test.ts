/** Bodies that come in, in an image without streams and in one with them: a process of this test links none before it says so. */
import test from 'ava'
import { IncomingBody } from './incoming.ts'
import { Request } from './request.ts'

class Pieces extends IncomingBody {
  readonly events: string[] = []
  readonly #pieces = ['ab', 'cd']

  async gather() {
    this.events.push('gather')
    return this.#bytes(this.#pieces.splice(0).join(''))
  }
  async read() {
    this.events.push('read')
    const piece = this.#pieces.shift()
    return piece === undefined ? undefined : this.#bytes(piece)
  }
  cancel(reason: unknown) {
    this.events.push(`cancel ${reason}`)
  }
  #bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
}
const post = (body: IncomingBody) => new Request('http://a/', { method: 'POST', body })

test.serial('without streams it is read whole, by two requests as well, and once by each', async t => {
  const pieces = new Pieces()
  const request = post(pieces)
  t.deepEqual([request.bodyUsed, pieces.events], [false, []])
  const other = request.clone()
  const third = other.clone()
  t.deepEqual([await request.text(), await other.json().catch(() => 'no JSON'), await third.text()], ['abcd', 'no JSON', 'abcd'])
  t.deepEqual(pieces.events, ['gather'])
  t.true(request.bodyUsed)
  await t.throwsAsync(request.text(), { message: /already been read/ })
  await t.throws(() => request.clone(), { message: /already been consumed/ })
  t.throws(() => post(new Pieces()).body, { message: /this image has no streams/ })
  const moved = new Request(post(new Pieces()) as never)
  t.is(await moved.text(), 'abcd')
})

test.serial('with streams it is pulled when somebody reads, and cancelled', async t => {
  await import('../streams/streams.ts')
  const pieces = new Pieces()
  const request = post(pieces)
  const reader = request.body!.getReader()
  await new Promise(resolve => setTimeout(resolve, 1))
  t.deepEqual(pieces.events, [])
  t.is(new TextDecoder().decode((await reader.read()).value), 'ab')
  t.deepEqual(pieces.events, ['read'])
  await reader.cancel('enough')
  t.deepEqual(pieces.events, ['read', 'cancel enough'])

  const twice = post(new Pieces())
  const copy = twice.clone()
  t.deepEqual(await Promise.all([twice.text(), copy.text()]), ['abcd', 'abcd'])
  const read = post(new Pieces())
  const text = read.text()
  t.true(read.body!.locked, 'what is being read as text is no stream any more')
  t.is(await text, 'abcd')
})
