import { duplexPair, PassThrough } from 'node:stream'
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import test from 'ava'
import { quote, readLine } from './link.ts'
import { byteChannel } from './vchan.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

test('readLine takes its line and leaves every byte behind it', async t => {
  const stream = new PassThrough()
  stream.write('connected\n\0\n')
  t.is(await readLine(stream), 'connected')
  t.deepEqual([...(stream.read() as Buffer)], [0, 10])
  stream.end('half')
  await t.throwsAsync(readLine(stream), { message: /ended before/ })
})

test('quote protects every character of the shell', t => {
  t.is(quote("a'b $c"), "'a'\\''b $c'")
})

test('a ByteChannel reads at most what it is asked for, and exactly what it is asked for', async t => {
  const [near, far] = duplexPair()
  const channel = byteChannel(near)
  far.write(bytes(1, 2, 3))
  t.deepEqual(await channel.read(2), bytes(1, 2))
  const four = channel.readExactly(4)
  far.write(bytes(4, 5))
  far.write(bytes(6, 7))
  t.deepEqual(await four, bytes(3, 4, 5, 6))
  t.deepEqual(await channel.read(), bytes(7))
})

test('the end of the stream is the end of the channel, and an error in the middle of a message', async t => {
  const [near, far] = duplexPair()
  const channel = byteChannel(near)
  far.end(bytes(1))
  await t.throwsAsync(channel.readExactly(2), { instanceOf: ChannelClosedError })
  t.is(await channel.readExactly(1), undefined)
  t.is(await channel.read(), undefined)
})

test('what was written before close still arrives', async t => {
  const [near, far] = duplexPair()
  const channel = byteChannel(near)
  await channel.write(bytes(1, 2))
  channel.close()
  channel.close()
  const received = []
  for await (const chunk of far) received.push(...(chunk as Buffer))
  t.deepEqual(received, [1, 2])
  far.end()
  await channel.closed
  await t.throwsAsync(channel.write(bytes(3)), { instanceOf: ChannelClosedError })
})
