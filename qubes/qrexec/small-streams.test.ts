/** The streams of a call in an image without web streams: what they can do there they do as on web streams. */
import { testMachine } from '@xen-ts/rig/dom0'
import { SmallReadable, SmallWritable, ReadableStream as Web, WritableStream as WebWritable } from '@xen-ts/runtime/web'
import test from 'ava'
import { Text } from '../text.ts'
import { byteReaderClass } from './byte-reader.ts'
import { byteWriterClass } from './byte-writer.ts'

type Bases = Pick<typeof globalThis, 'ReadableStream' | 'WritableStream'>
const web = { ReadableStream: Web, WritableStream: WebWritable } as unknown as Bases
const small = { ReadableStream: SmallReadable, WritableStream: SmallWritable } as unknown as Bases

/** A call whose peer sends these (an error: the peer goes), and keeps what it gets. */
function call(bases: Bases, ...sends: (string | Error)[]) {
  const { abi } = testMachine()
  const text = new Text(abi)
  const told: string[] = []
  let isGone = false
  const stdin = new (byteReaderClass(bases.ReadableStream))(
    text,
    {
      async next() {
        const next = sends.shift()
        if (next instanceof Error) throw next
        return next === undefined ? undefined : Uint8Array.from(Buffer.from(next))
      },
    },
    () => void told.push('cancelled'),
  )
  const stdout = new (byteWriterClass(bases.WritableStream))(text, async bytes => {
    if (isGone) throw new Error('the peer is gone')
    told.push(bytes.length === 0 ? 'end' : Buffer.from(bytes).toString())
  })
  const leave = () => {
    isGone = true
    stdout.fail(new Error('the peer has left'))
  }
  return { stdin, stdout, told, leave }
}
type Call = ReturnType<typeof call>

const gone = new Error('gone')
const shown = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)

async function all(stream: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const parts: unknown[] = []
  for await (const part of stream) parts.push(shown(part))
  return parts
}

const scenarios: Record<string, [sends: (string | Error)[], run: (call: Call) => unknown]> = {
  'read to the end': [
    ['a', 'b'],
    async ({ stdin }) => [await stdin.read(), await stdin.read(), await stdin.read(), await stdin.read()].map(shown),
  ],
  'bytes and text': [['a', 'b'], async ({ stdin }) => [await stdin.text(), await stdin.text()]],
  'too many bytes': [['abc', 'd'], async ({ stdin }) => stdin.bytes(2)],
  'a loop over all': [['a', 'b'], async ({ stdin }) => [await all(stdin), stdin.locked, await all(stdin)]],
  'a loop that ends early': [
    ['a', 'b'],
    async ({ stdin }) => {
      for await (const _ of stdin) break
      return [stdin.locked, await all(stdin)]
    },
  ],
  'the rest after a loop': [
    ['a', 'b', 'c'],
    async ({ stdin }) => {
      for await (const _ of stdin.values({ preventCancel: true })) break
      return [stdin.locked, shown(await stdin.read()), await stdin.text()]
    },
  ],
  'a loop over a peer that goes': [['a', gone], ({ stdin }) => all(stdin)],
  'after the peer has gone': [
    ['a', gone],
    async ({ stdin }) => [await all(stdin).catch(String), await stdin.text().catch(String), stdin.locked],
  ],
  'pieces that are read by two at once': [
    ['a', 'b'],
    async ({ stdin }) => {
      const loop = stdin.values()
      return (await Promise.all([loop.next(), loop.next(), loop.next()])).map(({ done, value }) => [done, shown(value)])
    },
  ],
  'who reads while another does': [
    ['a'],
    async ({ stdin }) => {
      const loop = stdin.values()
      const other = await stdin.read().catch((error: unknown) => (error as Error).name)
      const cancel = await stdin.cancel().catch((error: unknown) => (error as Error).name)
      return [stdin.locked, other, cancel, shown((await loop.next()).value)]
    },
  ],
  cancel: [['a'], async ({ stdin }) => [await stdin.cancel(), await stdin.cancel(), await all(stdin)]],
  'from one to the other': [['a', 'b'], async ({ stdin, stdout }) => [await stdin.pipeTo(stdout), stdin.locked, stdout.locked]],
  'from a peer that goes to the other': [['a', gone], ({ stdin, stdout }) => stdin.pipeTo(stdout)],
  'to a peer that has left': [
    ['a', 'b'],
    async ({ stdin, stdout, leave }) => {
      leave()
      return stdin.pipeTo(stdout).catch(String)
    },
  ],
  'write and close': [
    [],
    async ({ stdout }) => {
      await stdout.write('a')
      await stdout.write(Uint8Array.of(98))
      await stdout.write('')
      await stdout.close()
      await stdout.close()
      return stdout.write('c').catch((error: unknown) => (error as Error).name)
    },
  ],
  'finish without a word': [[], ({ stdout }) => stdout.finish()],
  'abort, then the end': [[], async ({ stdout }) => [await stdout.abort('why'), await stdout.finish()]],
  'close after the peer left': [
    [],
    async ({ stdout, leave }) => {
      leave()
      return [await stdout.close().catch(String), await stdout.write('a').catch(String), stdout.locked]
    },
  ],
}

for (const [name, [sends, run]] of Object.entries(scenarios)) {
  test(`as on web streams: ${name}`, async t => {
    const outcomes = []
    for (const bases of [web, small]) {
      const one = call(bases, ...sends)
      const outcome = await (async () => run(one))().catch((error: unknown) => `rejected: ${error}`)
      outcomes.push({ outcome, told: one.told })
    }
    t.deepEqual(outcomes[1], outcomes[0])
  })
}

test('what only web streams can is refused with what to do', async t => {
  const { stdin } = call(small, 'a')
  await t.throwsAsync(() => stdin.pipeTo(new WebWritable() as never), {
    instanceOf: TypeError,
    message: /name ReadableStream in the program/,
  })
  t.false(stdin instanceof Web)
})
