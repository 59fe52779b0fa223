import { gzipSync } from 'node:zlib'
import test from 'ava'
import * as ownWeb from '../inject.ts'
import { asInNode } from '../testing.ts'
import { compressionScenarios } from './compression.cases.ts'

asInNode(test, compressionScenarios, ownWeb)

/** What the standard says, and Node does not do. */
test('text and shared memory are no chunks', async t => {
  for (const Class of [ownWeb.CompressionStream, ownWeb.DecompressionStream]) {
    for (const chunk of ['text', new SharedArrayBuffer(2), new Uint8Array(new SharedArrayBuffer(2))]) {
      const stream = new Class('gzip')
      const reading = stream.readable.getReader().read()
      const writing = stream.writable.getWriter().write(chunk as never)
      await t.throwsAsync(writing, { instanceOf: TypeError, message: /a chunk must be an ArrayBuffer or a view of one/ })
      await t.throwsAsync(reading, { instanceOf: TypeError })
    }
  }
})

test('a reader that has enough ends a write that waits for it, and all later ones', async t => {
  const stream = new ownWeb.DecompressionStream('gzip')
  const reader = stream.readable.getReader()
  const writer = stream.writable.getWriter()
  const writing = writer.write(new Uint8Array(gzipSync(Buffer.alloc(1_000_000))))
  t.false((await reader.read()).done)
  await reader.cancel('enough')
  for (const end of [writing, writer.write(new Uint8Array(1)), writer.closed]) t.is(await end.catch(reason => reason), 'enough')
})

test('a writer that gives up ends a write that nobody reads', async t => {
  const stream = new ownWeb.DecompressionStream('gzip')
  const writer = stream.writable.getWriter()
  const writing = writer.write(new Uint8Array(gzipSync(Buffer.alloc(1_000_000)))).catch(reason => reason)
  await writer.abort('enough')
  t.is(await writing, 'enough')
  t.is(
    await stream.readable
      .getReader()
      .read()
      .catch(reason => reason),
    'enough',
  )
})

test('no more is unpacked than is read', async t => {
  const stream = new ownWeb.DecompressionStream('gzip')
  const writer = stream.writable.getWriter()
  let isWritten = false
  writer.write(new Uint8Array(gzipSync(Buffer.alloc(60_000_000)))).then(
    () => {
      isWritten = true
    },
    () => {},
  )
  const reader = stream.readable.getReader()
  for (let i = 0; i < 3; i++) t.true((await reader.read()).value!.length <= 65_536)
  t.false(isWritten)
  await reader.cancel()
})

test('a write is over when all that became of it was read', async t => {
  const stream = new ownWeb.DecompressionStream('gzip')
  const writing = stream.writable.getWriter().write(new Uint8Array(gzipSync('text')))
  t.is(Buffer.from((await stream.readable.getReader().read()).value!).toString(), 'text')
  await writing
  t.pass()
})

test('others have their turn while much is packed and unpacked', async t => {
  const large = new Uint8Array(1_000_000)
  for (const [stream, bytes] of [
    [new ownWeb.CompressionStream('gzip'), large],
    [new ownWeb.DecompressionStream('gzip'), new Uint8Array(gzipSync(large))],
  ] as const) {
    let turns = 0
    const timer = setInterval(() => {
      turns++
    }, 0)
    const writer = stream.writable.getWriter()
    const writing = writer.write(bytes).then(() => writer.close())
    const reader = stream.readable.getReader()
    while (!(await reader.read()).done);
    await writing
    clearInterval(timer)
    t.true(turns >= 3, `${turns} turns`)
  }
})
