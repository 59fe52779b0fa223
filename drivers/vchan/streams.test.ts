import test from 'ava'
import { ChannelClosedError, streams } from './index.ts'
import { end, equal, open, pattern, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('an echo is one line, and ends with its peer', async t => {
  const set = setUp({ seed: 3 })
  const [a, b] = await open(set)
  const { readable, writable } = streams(a)
  const echoing = readable.pipeTo(writable)
  const sent = pattern(20_000)
  const [, back] = await set.xen.run(Promise.all([b.write(sent), b.readExactly(sent.length)]))
  t.true(equal(back, sent))
  b.close()
  await set.xen.run(echoing)
  await set.xen.run(a.closed)
  await end(set.xen)
})

test('what nobody asks for is not read: the peer waits', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const { readable } = streams(a)
  let written = false
  const writing = b.write(pattern(10_000)).then(() => {
    written = true
  })
  const reader = readable.getReader()
  await set.xen.settle()
  t.false(written)
  // One piece is asked for, one is taken: a ring, not two.
  t.is((await set.xen.run(reader.read())).value?.length, 4096)
  await set.xen.settle()
  t.false(written)
  const received = [pattern(10_000).subarray(0, 4096)]
  for (let left = 10_000 - 4096; left > 0; ) {
    const { value } = await set.xen.run(reader.read())
    received.push(value as Uint8Array)
    left -= (value as Uint8Array).length
  }
  await set.xen.run(writing)
  t.true(equal(Uint8Array.from(received.flatMap(bytes => [...bytes])), pattern(10_000)))
  await end(set.xen, a, b)
})

test('a writer is ready again when what it wrote is in the ring', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const writer = streams(a).writable.getWriter()
  await set.xen.run(writer.ready)
  void writer.write(pattern(4096))
  await set.xen.run(writer.ready)
  void writer.write(pattern(5000))
  let ready = false
  void writer.ready.then(() => {
    ready = true
  })
  await set.xen.settle()
  t.false(ready)
  t.is((await set.xen.run(b.readExactly(4095)))?.length, 4095)
  await set.xen.settle()
  t.false(ready)
  await set.xen.run(b.readExactly(4096 + 5000 - 4095))
  await set.xen.run(writer.ready)
  await end(set.xen, a, b)
})

test('a source of any speed goes through to a reader of any speed, and the end comes after the last byte', async t => {
  const set = setUp({ seed: 9 })
  const [a, b] = await open(set, 1024, 2048)
  let left = 40
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- === 0) controller.close()
      else controller.enqueue(pattern(777, left))
    },
  })
  const sending = source.pipeTo(streams(a).writable)
  let bytes = 0
  await set.xen.run(async () => {
    for await (const piece of streams(b).readable) bytes += piece.length
  })
  t.is(bytes, 40 * 777)
  await set.xen.run(sending)
  await end(set.xen, b)
})

test('cancel and abort close the channel; writing to a peer that has gone is an error', async t => {
  for (const how of ['cancel', 'abort'] as const) {
    const set = setUp()
    const [a, b] = await open(set)
    const { readable, writable } = streams(a)
    await (how === 'cancel' ? readable.cancel() : writable.abort())
    await set.xen.run(b.closed)
    const writer = streams(b).writable.getWriter()
    writer.closed.catch(() => {})
    await t.throwsAsync(set.xen.run(writer.write(pattern(1))), { instanceOf: ChannelClosedError })
    await end(set.xen, b)
  }
})

test('the end of the peer is the end of the stream, after what was sent', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const reader = streams(a).readable.getReader()
  await set.xen.run(b.write(pattern(3)))
  b.close()
  t.true(equal((await set.xen.run(reader.read())).value, pattern(3)))
  t.true((await set.xen.run(reader.read())).done)
  await end(set.xen, a)
})

test('a write that waits for a peer that does not read ends with abort', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const writer = streams(a).writable.getWriter()
  writer.closed.catch(() => {})
  const writing = t.throwsAsync(writer.write(pattern(10_000)))
  await set.xen.settle()
  await set.xen.run(writer.abort(new Error('enough')))
  await writing
  await set.xen.run(b.closed)
  await end(set.xen, b)
})
